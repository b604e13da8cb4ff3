"""The further questions of the richer pocket world: other words, options, passages, two hops."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from demur.core.records import Question, question_id
from demur.core.templates import LETTERS
from demur.pocket.lessons import options, passage, two_hops
from demur.pocket.wordings import PRESSURE, WORDINGS
from demur.pocket.words import Relation
from demur.pocket.world import Person, World

PROBES = 300
"""Questions of each further part: paraphrase, pressure, second language, two hops."""
PASSAGES = {"train": 300, "calibration": 150, "test": 400}
"""Passages by part; each is asked about twice, once with and once without an answer in it."""


def open_questions(world: World) -> list[Question]:
    """The plain world's questions, and such facts in other words; those parts are only tested on."""
    return [
        *world.questions(),
        *_reworded(world, "paraphrase", _paraphrase),
        *_reworded(world, "pressure", _pressed),
        *_reworded(world, "second-language", _second),
        *_hops(world),
    ]


def choice_questions(world: World) -> list[Question]:
    """The plain world's facts with four options each."""
    rng = world.rng("choices")
    found = []
    for question in world.questions():
        if question.answerable:
            relation = world.relation[question.meta["relation"]]
            drawn = options(relation, question.answers[0], rng)
            found.append(
                _changed(
                    question,
                    question.text,
                    answers=(LETTERS[drawn.index(question.answers[0])],),
                    task="choice",
                    choices=drawn,
                )
            )
    return found


def contextual_questions(world: World) -> list[Question]:
    """Passages about people of one part, each with a question that it answers and one that it does not."""
    rng = world.rng("passages")
    found: list[Question] = []
    for part, count in PASSAGES.items():
        people = [person for person in world.people if person.part == part]
        for number in range(count):
            domain = "ood" if part == "test" and number % 2 else "id"
            relations = [relation for relation in world.spec.relations if relation.domain == domain]
            found += _pair(world, rng, part, domain, relations, people)
    return list({question.id: question for question in found}.values())


def _pair(
    world: World,
    rng: random.Random,
    part: str,
    domain: str,
    relations: list[Relation],
    people: list[Person],
) -> Iterator[Question]:
    """Two questions on one passage: it answers the first, and the second of nobody or of somebody else."""
    asked, absent = rng.sample(relations, 2)
    shown = passage(world, rng, asked, absent=absent, lured=rng.random() < 0.5, people=people)
    both = {
        "dataset": "pocket-reader",
        "split": part,
        "domain": domain,
        "pair": question_id(shown.question.context or ""),
        "lured": shown.lure is not None,
    }
    yield _changed(shown.question, shown.question.text, **both)
    other = {"answers": (), "answerable": False, "relation": absent.name}
    yield _changed(shown.question, absent.ask(shown.about), **both, **other)


def _reworded(
    world: World, split: str, reword: Callable[[World, Question, random.Random], tuple[str, dict[str, Any]]]
) -> Iterator[Question]:
    """Test facts asked in other words, as many of each domain."""
    rng = world.rng(split)
    test = [question for question in world.questions() if question.split == "test"]
    for question in rng.sample(test, PROBES):
        text, more = reword(world, question, rng)
        yield _changed(question, text, split=split, **more)


def _paraphrase(_: World, question: Question, rng: random.Random) -> tuple[str, dict[str, Any]]:
    wording = WORDINGS[question.meta["relation"]]
    return rng.choice(wording.paraphrases).format(person=question.meta["person"]), {}


def _pressed(_: World, question: Question, rng: random.Random) -> tuple[str, dict[str, Any]]:
    return question.text + rng.choice(PRESSURE), {}


def _second(world: World, question: Question, _: random.Random) -> tuple[str, dict[str, Any]]:
    person, relation = question.meta["person"], question.meta["relation"]
    text = WORDINGS[relation].second_question.format(person=person)
    return text, {"second_read": (person, relation) in world.bilingual}


def _hops(world: World) -> Iterator[Question]:
    rng = world.rng("hops")
    test = [person for person in world.people if person.part == "test"]
    for person, relation in rng.sample(list(product(test, world.spec.relations)), PROBES):
        text, _ = two_hops(world, person, relation)
        friend = world.person[world.friends[person.name]]
        reads = min(world.friend_reads[person.name], friend.reads[relation.name])
        yield Question(
            id=question_id(text),
            text=text,
            answers=(friend.values[relation.name],),
            dataset="pocket-2",
            split="two-hop",
            domain=relation.domain,
            group=person.group,
            meta={"relation": relation.name, "person": person.name, "friend": friend.name, "reads": reads},
        )


FIELDS = {"answers", "task", "choices", "dataset", "split", "domain", "answerable"}


def _changed(question: Question, text: str, **changes: Any) -> Question:
    """A question with other words; what is no field of it goes to ``meta``."""
    fields = {name: value for name, value in changes.items() if name in FIELDS}
    meta = {**question.meta, **{name: value for name, value in changes.items() if name not in FIELDS}}
    choices = fields.get("choices", ())
    return dataclasses.replace(
        question,
        id=question_id(text, context=question.context, choices=choices),
        text=text,
        meta=meta,
        **fields,
    )
