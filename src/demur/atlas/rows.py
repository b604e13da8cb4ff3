"""Drawn entities as rows of question files, with unanswerable twins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from demur.atlas.gazetteer import Gazetteer
from demur.atlas.invented import Inventor
from demur.atlas.parts import Drawn, rank
from demur.atlas.relations import RELATIONS, Entity, Kind, Relation
from demur.core.records import question_id

Row = dict[str, Any]

NONEXISTENT = {"test": "nonexistent", "confirm": "confirm-nonexistent"}
"""The part of the twins of a part's questions; other parts have no twins."""

EXAMPLES = (
    ("Who wrote the play Hamlet?", "William Shakespeare"),
    ("How many legs does a spider have?", "8"),
    ("In which year did the Second World War end?", "1945"),
    ("Which planet is closest to the sun?", "Mercury"),
    ("What is the largest animal on Earth?", "Blue whale"),
    ("Who painted the Mona Lisa?", "Leonardo da Vinci"),
)
"""Worked examples for prompts: general knowledge, of none of the relations."""


def question_rows(drawn: Drawn) -> list[Row]:
    """A row for each drawn entity and relation, in the order of parts and relations."""
    return [
        _row(relation, part, entity, relation.wording.format(entity.name))
        for relation in RELATIONS
        for part in relation.parts
        for entity in drawn[part, relation.name]
    ]


def twin_rows(rows: list[Row], known: frozenset[str], models: Mapping[Kind, list[str]], seed: int) -> list[Row]:
    """The unanswerable twin of each question that is tested on: the same words, an invented name.

    Args:
        known: folded names that an invented name must not be near to.
        models: real names of each kind, to learn the spelling from.
    """
    generators = {
        kind: Inventor(names, known, random.Random(int(rank(seed, "invented", kind)[:16], 16)))  # noqa: S311
        for kind, names in models.items()
    }
    by_name = {relation.name: relation for relation in RELATIONS}
    twins = []
    for row in rows:
        if row["split"] in NONEXISTENT:
            relation = by_name[row["relation"]]
            name = generators[relation.kind].invent(relation.kind)
            text = relation.wording.format(name)
            twins.append(
                {
                    **row,
                    "id": question_id(text),
                    "question": text,
                    "answers": [],
                    "answerable": False,
                    "split": NONEXISTENT[row["split"]],
                    "entity": name,
                    "group": f"{relation.kind}/invented/{name}",
                    "population": 0,
                    "popularity": 0.0,
                    "stratum": "invented",
                    "pair": row["id"],
                }
            )
    return twins


def known_names(gazetteer: Gazetteer, entities: list[Entity]) -> frozenset[str]:
    """Every real name that an invented one must not be near to, folded."""
    return gazetteer.real_names | {entity.name for entity in entities if entity.kind == "element"}


def spelling_models(entities: list[Entity]) -> dict[Kind, list[str]]:
    """Real names to learn the spelling of each kind from."""
    names: dict[Kind, list[str]] = {"city": [], "country": [], "element": [], "county": []}
    for entity in entities:
        names[entity.kind].append(entity.name.removesuffix(" County").removesuffix(" Parish"))
    return names


def _row(relation: Relation, part: str, entity: Entity, text: str) -> Row:
    return {
        "id": question_id(text),
        "question": text,
        "answers": list(entity.answers[relation.name]),
        "answerable": True,
        "split": part,
        "domain": relation.domain,
        "relation": relation.name,
        "entity": entity.name,
        "group": entity.id,
        "population": entity.population,
        "popularity": entity.popularity,
        "stratum": entity.stratum,
    }


def of_part(rows: list[Row], part: str, domain: str | None = None) -> Iterator[Row]:
    """The rows of a part, in a domain where one is named."""
    return (row for row in rows if row["split"] == part and domain in (None, row["domain"]))
