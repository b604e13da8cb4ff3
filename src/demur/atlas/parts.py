"""Entities into parts, and which of them are asked, drawn by rank of a hash: no order of rows matters."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from demur.atlas.relations import RELATIONS, Entity, Kind, Relation

SHARES: Mapping[Kind, Mapping[str, float]] = {
    "city": {"train": 0.35, "calibration": 0.15, "test": 0.25, "confirm": 0.25},
    "country": {"train": 0.42, "calibration": 0.18, "test": 0.40},
    "element": {"train": 0.42, "calibration": 0.18, "test": 0.40},
    "county": {"confirm": 1.0},
}
"""Shares of the parts. Countries and elements are too few to have a fourth part."""
MOST = 300
"""Questions of a relation in a part where nothing else is asked for."""

Drawn = dict[tuple[str, str], list[Entity]]
"""Entities by part and name of the relation."""


def rank(seed: int, purpose: str, name: str) -> str:
    """A place in an order that the seed and the purpose draw."""
    return hashlib.sha256(f"{seed}:{purpose}:{name}".encode()).hexdigest()


def divide(entities: Iterable[Entity], seed: int) -> dict[str, list[Entity]]:
    """The entities of each part: every stratum of a kind is divided by the kind's shares.

    Cities that can be asked for their U.S. state are a stratum of their own, since few can.
    """
    strata: dict[tuple[Kind, str, bool], list[Entity]] = defaultdict(list)
    for entity in entities:
        strata[entity.kind, entity.stratum, "state of city" in entity.answers].append(entity)
    parts: dict[str, list[Entity]] = defaultdict(list)
    for (kind, _, _), members in sorted(strata.items()):
        ordered = sorted(members, key=lambda entity: rank(seed, "part", entity.id))
        total, done = 0.0, 0
        for part, share in SHARES[kind].items():
            total += share
            end = round(total * len(ordered))
            parts[part] += ordered[done:end]
            done = end
    return dict(parts)


def draw(parts: Mapping[str, Sequence[Entity]], seed: int, *, per_relation: int | None = None) -> Drawn:
    """The entities that each relation asks of in each part.

    Args:
        per_relation: maximum number of questions per relation and part. None: as many as the relation
            with the fewest entities has in that part, so that all are of equal size.
    """
    usable: Drawn = {}
    for relation in RELATIONS:
        for part in relation.parts:
            members = [entity for entity in parts.get(part, ()) if _fits(relation, entity, part, seed)]
            usable[part, relation.name] = in_turn(members, seed, relation.name)
    drawn: Drawn = {}
    for (part, name), members in usable.items():
        fewest = min(len(others) for (other, _), others in usable.items() if other == part)
        drawn[part, name] = members[: min(MOST, fewest) if per_relation is None else per_relation]
    return drawn


def _fits(relation: Relation, entity: Entity, part: str, seed: int) -> bool:
    """Whether a relation may ask of an entity in a part.

    A city is asked one question only. In a part with several relations about cities, one that has a state
    is asked for that, and the others are dealt out.
    """
    if relation.name not in entity.answers:
        return False
    rivals = [
        other.name
        for other in RELATIONS
        if other.kind == "city" and part in other.parts and other.name in entity.answers
    ]
    if entity.kind != "city" or len(rivals) == 1:
        return True
    if "state of city" in rivals:
        return relation.name == "state of city"
    return relation.name == rivals[int(rank(seed, "relation", entity.id)[:8], 16) % len(rivals)]


def in_turn(entities: Iterable[Entity], seed: int, purpose: str) -> list[Entity]:
    """Entities in a drawn order that takes one of each stratum in turn, as long as it has any.

    A longer beginning of it holds a shorter one.
    """
    strata: dict[str, list[Entity]] = defaultdict(list)
    for entity in entities:
        strata[entity.stratum].append(entity)
    placed = [
        (place, name, entity)
        for name, members in strata.items()
        for place, entity in enumerate(sorted(members, key=lambda one: rank(seed, purpose, one.id)))
    ]
    return [entity for _, _, entity in sorted(placed, key=lambda item: item[:2])]
