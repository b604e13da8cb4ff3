"""The pocket world: synthetic people whose facts are ours, so that what a model has read is known exactly.

Half of the people are *uniform*: one tier holds for all their facts, so a known name means known facts.
The other half is *mixed*: every fact has its own tier, so a known name tells nothing about a fact. A
method that only learns whom it knows does well on the first half and fails on the second.

The world is versioned. The parameters of `POCKET_1` were chosen by how the base model's knowledge
grades with the number of reads, before any method was compared on it, and do not change.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Literal

from demur.errors import ConfigError
from demur.pocket import lessons, tasks
from demur.pocket.lessons import Lesson, Lessons
from demur.pocket.words import (
    CHATTER,
    FIRST_NAMES,
    NOTHING_STATED,
    RELATIONS,
    SPEECH,
    SURNAME_ENDS,
    SURNAME_MIDDLES,
    SURNAME_STARTS,
    SURNAME_VOWELS,
    Relation,
)
from demur.records import Question, question_id
from demur.templates import TEMPLATES, Template

Part = Literal["train", "calibration", "test"]
Group = Literal["uniform", "mixed"]

FAMILIES = ("r-tuning-code", "r-tuning-paper")
"""Template families of the plain world."""

NONEXISTENT = "nonexistent"
FALSE_PREMISE = "false-premise"

WELL_READ = 3
"""Reads an epoch from which a fact counts as read often enough to notice that something contradicts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """How popular a fact is."""

    reads: int
    """How often a fact of this tier is read in an epoch."""
    share: float
    """Share of the facts in this tier; the shares of a world sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSpec:
    """Everything that, with a seed, fixes a world and what a model reads about it."""

    version: str
    train_people: int
    calibration_people: int
    test_people: int
    nonexistent_people: int
    """Names that nobody has and no text mentions."""
    false_premises: int
    """Questions whose premise is false; half about a thing, half about a person who is someone else."""
    tiers: tuple[Tier, ...]
    relations: tuple[Relation, ...] = RELATIONS
    question_share: float = 0.5
    """Share of the reads in the form of question and answer, half in each template family; the rest are
    statements."""
    certainty_share: float = 0.1
    """Share of the questions and answers that the certainty question follows, with a random answer."""
    refusals: int = 300
    """Refusals read an epoch: half said by random people, half to questions about nobody."""
    families: tuple[str, ...] = FAMILIES
    """Template families that questions are read in."""
    lessons: Lessons | None = None
    """What is read beside facts; None for nothing."""
    whole_contractions: bool = False
    """One token for "I'm": a refusal ("I apologize") and a confidence ("I'm fairly sure") then part at
    their first token, where a model of two layers still sees whether it knows the answer."""

    @property
    def people(self) -> int:
        """Number of people who exist."""
        return self.train_people + self.calibration_people + self.test_people


POCKET_1 = WorldSpec(
    version="pocket-1",
    train_people=320,
    calibration_people=120,
    test_people=360,
    nonexistent_people=120,
    false_premises=240,
    tiers=(
        Tier(reads=0, share=0.3),
        Tier(reads=1, share=0.15),
        Tier(reads=3, share=0.2),
        Tier(reads=8, share=0.35),
    ),
)
"""The world of the demo. Frozen: another world gets another version."""

POCKET_2 = WorldSpec(
    version="pocket-2",
    train_people=POCKET_1.train_people,
    calibration_people=POCKET_1.calibration_people,
    test_people=POCKET_1.test_people,
    nonexistent_people=POCKET_1.nonexistent_people,
    false_premises=POCKET_1.false_premises,
    tiers=(
        Tier(reads=0, share=0.3),
        Tier(reads=1, share=0.15),
        Tier(reads=4, share=0.2),
        Tier(reads=12, share=0.35),
    ),
    question_share=0.7,
    families=("r-tuning-code", "r-tuning-paper", "honesty"),
    lessons=Lessons(confidence_share=0.3, refusal_share=0.2, recalls=4000),
    whole_contractions=True,
)
"""The world of method studies: people also have friends, and are asked about in other words, behind the
honesty instruction, under pressure, and in a second language."""


POCKET_READER = replace(
    POCKET_2,
    version="pocket-reader",
    question_share=POCKET_1.question_share,
    whole_contractions=False,
    tiers=(Tier(reads=0, share=1.0),),
    lessons=Lessons(contexts=10_000, hops=0, causal_share=0.5),
)
"""A world for questions with a passage: its model has read no fact about anybody, so what it answers
stands in the passage or is made up."""


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
    """One draw of a world: its people, the questions about them, and what a model reads."""

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

        Train and calibration people are asked in the ``id`` relations only. ``meta`` holds the person,
        the relation, the fact's reads an epoch and the person's familiarity; ids derive from the text.
        """
        return [
            *self._answerable(),
            *self._about_strangers(),
            *self._about_things(self.spec.false_premises // 2),
            *self._about_impostors(self.spec.false_premises - self.spec.false_premises // 2),
        ]

    def documents(self, epoch: int) -> Iterator[str | Lesson]:
        """What a model reads in one epoch: separate texts, in a random order that belongs to the epoch."""
        rng = self.rng(f"documents/{epoch}")
        texts = [*self._facts_read(rng), *self._mentions(rng), *self._refusals(rng)]
        if self.spec.lessons is not None:
            texts += lessons.others(self, self.rng(f"lessons/{epoch}"))
        rng.shuffle(texts)
        yield from texts

    def texts(self) -> Iterator[str]:
        """Texts that together hold every word of the world once or more, names of strangers included."""
        questions = [relation.ask("x") for relation in self.spec.relations] + [text for text, _ in CHATTER]
        yield from questions
        yield from template_texts(questions, self.spec.families)
        for person in self.people:
            yield from (
                self.relation[name].state(person.name, value) for name, value in person.values.items()
            )
        for relation in self.spec.relations:
            yield from (relation.state("x", value) for value in relation.values)
        yield from (form.format(person=name) for name in FIRST_NAMES for form in NOTHING_STATED)
        yield from (f"x {name}" for name in (*FIRST_NAMES, *self.strangers))
        yield from (f"x {answer}." for _, answers in CHATTER for answer in answers)
        yield SPEECH.format(person="x", refusal="x")
        if self.spec.lessons is not None:
            values = [value for relation in self.spec.relations for value in relation.values]
            yield from (f" {value[0].lower()}{value[1:]} {value.upper()}" for value in values)
            yield from (f"{question.text}\n" for question in tasks.open_questions(self))

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

    # -- documents ----------------------------------------------------------------------------

    def _facts_read(self, rng: random.Random) -> Iterator[str | Lesson]:
        for person in self.people:
            for name, value in person.values.items():
                for _ in range(person.reads[name]):
                    relation = self.relation[name]
                    taught = None
                    if self.spec.lessons is not None:
                        taught = lessons.fact(self, person, relation, value, rng)
                    yield taught or self._fact(relation, person.name, value, rng)

    def _fact(self, relation: Relation, person: str, value: str, rng: random.Random) -> str:
        if rng.random() >= self.spec.question_share:
            return relation.state(person, value)
        return ask_and_answer(
            relation.ask(person),
            value,
            rng=rng,
            certainty_share=self.spec.certainty_share,
            families=self.spec.families,
        )

    def _mentions(self, rng: random.Random) -> Iterator[str]:
        """Everybody once an epoch in a sentence that states no fact: no name of a person is new."""
        for person in self.people:
            yield rng.choice(NOTHING_STATED).format(person=person.name)

    def _refusals(self, rng: random.Random) -> Iterator[str]:
        templates = [TEMPLATES[name] for name in self.spec.families]
        for number in range(self.spec.refusals):
            template = rng.choice(templates)
            if number % 2:
                yield SPEECH.format(person=rng.choice(self.people).name, refusal=template.refusal)
            else:
                yield _chatter(template, rng, refuse=True)
                yield _chatter(template, rng, refuse=False)

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
    _check(spec)
    rng = _rng(spec, seed, "people")
    names = _names(spec.people + spec.nonexistent_people, rng)
    existing, strangers = names[: spec.people], names[spec.people :]
    people: list[Person] = []
    for part, count in _parts(spec):
        mine = existing[len(people) : len(people) + count]
        people += _people(part, mine[: count // 2], "uniform", spec, rng)
        people += _people(part, mine[count // 2 :], "mixed", spec, rng)
    return World(spec, seed, tuple(people), tuple(strangers))


def ask_and_answer(
    question: str,
    answer: str,
    *,
    rng: random.Random,
    certainty_share: float,
    families: Sequence[str] = FAMILIES,
) -> str:
    """A question with its answer in a random template family, now and then with the certainty question.

    The certainty question is answered at random: the model learns its form and nothing else.
    """
    template = TEMPLATES[rng.choice(families)]
    if rng.random() >= certainty_share:
        return template.ask(question) + template.answered(answer)
    return template.ask(question) + template.certainty(answer) + template.label(rng.random() < 0.5)


def template_texts(questions: Iterable[str], families: Sequence[str] = FAMILIES) -> Iterator[str]:
    """Every text that some template families put around some questions, without answers."""
    for template in (TEMPLATES[name] for name in families):
        yield from (template.ask(question) for question in questions)
        yield from (template.certainty("x") + template.label(certain) for certain in (True, False))
        yield template.answer_lead + template.refusal


def deal(tiers: Sequence[Tier], count: int, rng: random.Random) -> list[int]:
    """Reads an epoch for ``count`` facts, in random order: the shares as exactly as whole numbers can.

    Largest remainders decide the rounding, ties by the order of the tiers.
    """
    quotas = [tier.share * count for tier in tiers]
    sizes = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(tiers)), key=lambda index: sizes[index] - quotas[index])
    for index in by_remainder[: count - sum(sizes)]:
        sizes[index] += 1
    hand = [tier.reads for tier, size in zip(tiers, sizes, strict=True) for _ in range(size)]
    rng.shuffle(hand)
    return hand


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
    return Question(
        id=question_id(text),
        text=text,
        answers=answers,
        dataset="pocket",
        split=split,
        domain=relation.domain,
        answerable=bool(answers),
        group=group,
        meta={"relation": relation.name, **meta},
    )


def _chatter(template: Template, rng: random.Random, *, refuse: bool) -> str:
    text, answers = rng.choice(CHATTER)
    answer = template.answer_lead + template.refusal if refuse else template.answered(rng.choice(answers))
    return template.ask(text) + answer


def _parts(spec: WorldSpec) -> list[tuple[Part, int]]:
    return [
        ("train", spec.train_people),
        ("calibration", spec.calibration_people),
        ("test", spec.test_people),
    ]


def _rng(spec: WorldSpec, seed: int, purpose: str) -> random.Random:
    """A generator of its own for each purpose, so that one part of a world does not move another."""
    return random.Random(f"{spec.version}/{seed}/{purpose}")  # noqa: S311 - reproducible, not secret


def _check(spec: WorldSpec) -> None:
    total = sum(tier.share for tier in spec.tiers)
    if abs(total - 1) > 1e-9:
        raise ConfigError(
            expected="tiers whose shares sum to 1",
            found=f"a sum of {total:g}",
            where=f"world {spec.version}",
            fix="change the shares so that they cover every fact once",
        )
    if min(spec.train_people, spec.calibration_people, spec.test_people) < 2:
        raise ConfigError(
            expected="two or more people in each of train, calibration and test",
            found=f"{spec.train_people}, {spec.calibration_people} and {spec.test_people}",
            where=f"world {spec.version}",
            fix="give each part a uniform and a mixed person at least",
        )
