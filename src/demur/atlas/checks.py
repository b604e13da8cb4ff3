"""What must hold for the rows of an atlas, counted on the finished rows; every count must be 0."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from demur.atlas.gazetteer import Gazetteer, fold
from demur.atlas.rows import NONEXISTENT, Row


def check_rows(rows: Sequence[Row], gazetteer: Gazetteer) -> dict[str, int]:
    """How many rows or entities break each rule, by the rule."""
    real = [row for row in rows if row["answerable"]]
    return {
        "repeated questions": _repeated(fold(row["question"]) for row in rows),
        "entities in two parts": _in_two_parts(rows),
        "questions without an answer": sum(not row["answers"] for row in real),
        "answers that stand in their question": sum(map(_gives_away, real)),
        "towns with a namesake in another country": _namesakes(real, gazetteer),
        "twins with a real name": sum(
            fold(row["entity"].removesuffix(" County")) in gazetteer.real_names
            for row in rows
            if not row["answerable"]
        ),
    }


def _repeated(texts: Iterable[str]) -> int:
    return sum(count - 1 for count in Counter(texts).values())


def _in_two_parts(rows: Iterable[Row]) -> int:
    """Entities, by id and by name, that lie in more than one part."""
    parts: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        parts[row["group"]].add(row["split"])
        parts[f"{row['group'].partition('/')[0]} {fold(row['entity'])}"].add(row["split"])
    return sum(len(found) > 1 for found in parts.values())


def _gives_away(row: Row) -> bool:
    question = f" {fold(row['question'])} "
    return any(f" {fold(answer)} " in question for answer in row["answers"])


def _namesakes(rows: Iterable[Row], gazetteer: Gazetteer) -> int:
    """Towns whose main name a place in another country has too, looked up by itself."""
    asked = {row["group"].removeprefix("city/"): fold(row["entity"]) for row in rows}
    wanted = set(asked.values())
    countries: dict[str, set[str]] = defaultdict(set)
    home: dict[str, str] = {}
    for city in gazetteer.cities:
        name = fold(city.name)
        if name in wanted and city.population >= 500:
            countries[name].add(city.country)
        if city.id in asked:
            home[city.id] = city.country
    return sum(bool(countries[asked[number]] - {country}) for number, country in home.items())


def counts(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Questions by relation and part."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        of_relation = found[row["relation"]]
        of_relation[row["split"]] = of_relation.get(row["split"], 0) + 1
    return dict(found)


def strata(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Answerable questions by relation and stratum, all parts together."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["answerable"]:
            found[row["relation"]][row["stratum"]] += 1
    return {name: dict(of_relation) for name, of_relation in found.items()}


PARTS = ("train", "calibration", "test", NONEXISTENT["test"], "confirm", NONEXISTENT["confirm"])
"""Every part, in the order of tables."""
