"""Drawn entities as rows of question files, with unanswerable twins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from demur.atlas.gazetteer import Gazetteer
from demur.atlas.invented import Inventor, known
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


def twin_rows(rows: list[Row], gazetteer: Gazetteer, entities: list[Entity], seed: int) -> list[Row]:
    """The unanswerable twin of each question that is tested on: the same words, an invented name."""
    inventors = _inventors(gazetteer, entities, seed)
    by_name = {relation.name: relation for relation in RELATIONS}
    twins = []
    for row in rows:
        if row["split"] in NONEXISTENT:
            relation = by_name[row["relation"]]
            name = inventors[relation.kind, relation.name == "state of city"].invent(relation.kind)
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


def _inventors(
    gazetteer: Gazetteer, entities: list[Entity], seed: int
) -> dict[tuple[Kind, bool], Inventor]:
    """An inventor for each kind, and one for towns in the United States.

    Countries and elements are too few to learn a spelling from: theirs is that of towns, with endings.
    """
    chemical = [entity.name for entity in entities if entity.kind == "element"]
    away = known(
        gazetteer.real_names | set(chemical),
        [*chemical, *(country.name for country in gazetteer.countries)],
    )
    towns = [entity.name for entity in entities if entity.kind == "city"]
    american = [entity.name for entity in entities if "state of city" in entity.answers]
    counties = [
        entity.name.removesuffix(" County").removesuffix(" Parish")
        for entity in entities
        if entity.kind == "county"
    ]
    models: dict[tuple[Kind, bool], list[str]] = {
        ("city", False): towns,
        ("city", True): american,
        ("country", False): towns,
        ("element", False): towns,
        ("county", False): counties,
    }
    return {
        key: Inventor(names, away, random.Random(int(rank(seed, "invented", str(key))[:16], 16)))  # noqa: S311
        for key, names in models.items()
    }


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
