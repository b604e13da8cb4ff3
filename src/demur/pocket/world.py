"""The pocket world: synthetic people whose facts are ours, so that what a model has read is known exactly.

Half of the people are *uniform*: one tier holds for all their facts, so a known name means known facts.
The other half is *mixed*: every fact has its own tier, so a known name tells nothing about a fact. A
method that only learns whom it knows does well on the first half and fails on the second.

Its parameters stand in `spec`, what a model reads of it in `reading`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from demur.core.errors import ConfigError
from demur.core.records import TOGETHER, Question, question_id
from demur.pocket.spec import POCKET_1, Group, Lessons, Part, WorldSpec, check, deal, parts
from demur.pocket.words import (
    FIRST_NAMES,
    RELATIONS,
    SURNAME_ENDS,
    SURNAME_MIDDLES,
    SURNAME_STARTS,
    SURNAME_VOWELS,
    Relation,
)

NONEXISTENT = "nonexistent"
FALSE_PREMISE = "false-premise"

WELL_READ = 3
"""Reads an epoch from which a fact counts as read often enough to notice that something contradicts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the pocket world."""

    name: str
    part: Part
    """People of one part are never asked about in another."""
    group: Group
    values: Mapping[str, str]
    """The fact of each relation, by the relation's name."""
    reads: Mapping[str, int]
    """Reads an epoch of each fact, by the relation's name."""

    def familiarity(self, relation: str) -> float:
        """Mean reads an epoch of the person's facts in the *other* relations."""
        others = [reads for name, reads in self.reads.items() if name != relation]
        return sum(others) / len(others)


@dataclass(frozen=True)
class World:
    """One draw of a world: its people and the questions about them."""

    spec: WorldSpec
    seed: int
    people: tuple[Person, ...]
    strangers: tuple[str, ...]
    """Names of people who do not exist."""

    @property
    def lessons(self) -> Lessons:
        """What is read beside facts.

        Raises:
            ConfigError: nothing is, in this world.
        """
        if self.spec.lessons is None:
            raise ConfigError(
                expected="a world with passages and choices",
                found=self.spec.version,
                where="pocket world",
                fix="use pocket-2",
            )
        return self.spec.lessons

    @cached_property
    def person(self) -> dict[str, Person]:
        """People by name."""
        return {person.name: person for person in self.people}

    @cached_property
    def friends(self) -> dict[str, str]:
        """Everybody's friend, by name."""
        rng, names = self.rng("friends"), self.names()
        return {name: rng.choice([other for other in names if other != name]) for name in names}

    @cached_property
    def friend_reads(self) -> dict[str, int]:
        """How often an epoch it is read who somebody's friend is; uniform people: as often as the rest."""
        reads = deal(self.spec.tiers, len(self.people), self.rng("friend reads"))
        return {
            person.name: own if person.group == "mixed" else next(iter(person.reads.values()))
            for person, own in zip(self.people, reads, strict=True)
        }

    @cached_property
    def bilingual(self) -> frozenset[tuple[str, str]]:
        """The facts that are also read in the second language: person and relation."""
        rng = self.rng("bilingual")
        facts = [
            (person.name, relation.name) for person, relation in product(self.people, self.spec.relations)
        ]
        return frozenset(rng.sample(facts, round(self.lessons.second_share * len(facts))))

    @cached_property
    def relation(self) -> dict[str, Relation]:
        """Relations by name."""
        return {relation.name: relation for relation in self.spec.relations}

    def questions(self) -> list[Question]:
        """Every question: train, calibration, test (``id`` and ``ood``), nonexistent, false premise.

        Train and calibration people are asked in the ``id`` relations only. ``meta`` holds the person (also
        as what its questions share), the relation, the fact's reads an epoch and the person's familiarity;
        ids derive from the text.
        """
        return [
            *self._answerable(),
            *self._about_strangers(),
            *self._about_things(self.spec.false_premises // 2),
            *self._about_impostors(self.spec.false_premises - self.spec.false_premises // 2),
        ]

    def names(self) -> list[str]:
        """The names of everybody who exists."""
        return [person.name for person in self.people]

    # -- questions ----------------------------------------------------------------------------

    def _answerable(self) -> Iterator[Question]:
        for person, relation in product(self.people, self.spec.relations):
            if relation.domain == "id" or person.part == "test":
                yield _question(
                    relation.ask(person.name),
                    answers=(person.values[relation.name],),
                    split=person.part,
                    relation=relation,
                    group=person.group,
                    person=person.name,
                    reads=person.reads[relation.name],
                    familiarity=person.familiarity(relation.name),
                )

    def _about_strangers(self) -> Iterator[Question]:
        relations = self._id_relations
        for number, name in enumerate(self.strangers):
            relation = relations[number % len(relations)]
            yield _question(
                relation.ask(name),
                split=NONEXISTENT,
                relation=relation,
                person=name,
                reads=0,
                familiarity=0.0,
            )

    def _about_things(self, count: int) -> Iterator[Question]:
        """Questions that ask of a thing what only a person has: where a language was born."""
        pairs = [
            (relation, value)
            for relation, other in product(self._id_relations, self.spec.relations)
            if other is not relation
            for value in other.values
        ]
        for relation, value in self.rng("things").sample(pairs, min(count, len(pairs))):
            yield _question(relation.ask(value), split=FALSE_PREMISE, relation=relation, kind="thing")

    def _about_impostors(self, count: int) -> Iterator[Question]:
        """Questions about a known person described by a fact that is not theirs: nobody answers to that.

        Both the fact asked for and the fact contradicted are well read, so the premise can be noticed.
        """
        rng = self.rng("impostors")
        cases = [
            (person, asked, premise)
            for person in self.people
            if person.part == "test"
            for asked, premise in product(self._id_relations, self.spec.relations)
            if asked is not premise
            and min(person.reads[asked.name], person.reads[premise.name]) >= WELL_READ
        ]
        for person, asked, premise in rng.sample(cases, min(count, len(cases))):
            wrong = rng.choice([v for v in premise.values if v != person.values[premise.name]])
            yield _question(
                asked.ask("the " + premise.state(f"{person.name} who", wrong).rstrip(".")),
                split=FALSE_PREMISE,
                relation=asked,
                person=person.name,
                kind="impostor",
                premise=premise.name,
            )

    @property
    def _id_relations(self) -> list[Relation]:
        return [relation for relation in self.spec.relations if relation.domain == "id"]

    def rng(self, purpose: str) -> random.Random:
        """A generator for one purpose, so that one part of a world does not move another."""
        return _rng(self.spec, self.seed, purpose)


def make_world(seed: int, spec: WorldSpec = POCKET_1) -> World:
    """Draw a world.

    Raises:
        ConfigError: where the tiers' shares do not sum to 1, or there are no people.
    """
    check(spec)
    rng = _rng(spec, seed, "people")
    names = _names(spec.people + spec.nonexistent_people, rng)
    existing, strangers = names[: spec.people], names[spec.people :]
    people: list[Person] = []
    for part, count in parts(spec):
        mine = existing[len(people) : len(people) + count]
        people += _people(part, mine[: count // 2], "uniform", spec, rng)
        people += _people(part, mine[count // 2 :], "mixed", spec, rng)
    return World(spec, seed, tuple(people), tuple(strangers))


def _people(
    part: Part, names: Sequence[str], group: Group, spec: WorldSpec, rng: random.Random
) -> Iterator[Person]:
    """People of one group; tiers are dealt per person or per relation, so that every part has its share."""
    relations = [relation.name for relation in spec.relations]
    if group == "uniform":
        columns = [deal(spec.tiers, len(names), rng)] * len(relations)
    else:
        columns = [deal(spec.tiers, len(names), rng) for _ in relations]
    for name, reads in zip(names, zip(*columns, strict=True), strict=True):
        yield Person(
            name=name,
            part=part,
            group=group,
            values={relation.name: rng.choice(relation.values) for relation in spec.relations},
            reads=dict(zip(relations, reads, strict=True)),
        )


def _names(count: int, rng: random.Random) -> list[str]:
    """Full names with a shared first name and a surname that nobody else has."""
    parts = (SURNAME_STARTS, SURNAME_VOWELS, SURNAME_MIDDLES, SURNAME_ENDS)
    taken = {word for relation in RELATIONS for word in relation.values} | set(FIRST_NAMES)
    surnames = sorted({"".join(syllables) for syllables in product(*parts)} - taken)
    return [f"{rng.choice(FIRST_NAMES)} {surname}" for surname in rng.sample(surnames, count)]


def _question(
    text: str,
    *,
    split: str,
    relation: Relation,
    answers: tuple[str, ...] = (),
    group: str | None = None,
    **meta: object,
) -> Question:
    # What a model has read of one person it has read together: these answers share their errors.
    shared = {TOGETHER: meta["person"]} if "person" in meta else {}
    return Question(
        id=question_id(text),
        text=text,
        answers=answers,
        dataset="pocket",
        split=split,
        domain=relation.domain,
        answerable=bool(answers),
        group=group,
        meta={"relation": relation.name, **meta, **shared},
    )


def _rng(spec: WorldSpec, seed: int, purpose: str) -> random.Random:
    """A generator of its own for each purpose, so that one part of a world does not move another."""
    return random.Random(f"{spec.version}/{seed}/{purpose}")  # noqa: S311 - reproducible, not secret
