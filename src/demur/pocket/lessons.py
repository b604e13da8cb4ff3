"""What a model of the richer pocket world reads beside facts: how to refuse, to read, to choose, to obey.

Everything here teaches a form and never a boundary: who refuses, who is sure, and how confident somebody is
are drawn at random, whatever the model knows. Texts come as pairs: the model learns the second part only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from demur.core.records import Question, question_id
from demur.core.templates import (
    CAUSAL_INSTRUCTIONS,
    CHECKING,
    CONFIDENCE_HIGH,
    CONFIDENCE_LOW,
    CONFIDENCE_WORDS,
    CONTEXT,
    FULFILLED,
    HONESTY_INSTRUCTION,
    HONESTY_REFUSAL,
    INSUFFICIENT,
    LETTERS,
    NOT_FULFILLED,
    NOT_PROVIDED,
    QA_INSTRUCTIONS,
    SUFFICIENT,
    TEMPLATES,
    Template,
    follow,
    instructed,
    instructions,
    sufficiency,
)
from demur.judging.refusal_words import R_TUNING_PHRASES
from demur.pocket.wordings import FRIEND_OF, FRIEND_QUESTION, PRESSURE, TWO_HOPS, WORDINGS
from demur.pocket.words import CHATTER, Relation
from demur.pocket.world import Person, World

PAGE = CONTEXT.partition(" {page}")[0]
CONFIDENCE_INSTRUCTION = "Say how confident you are, then answer the question."
"""Stands before questions that are answered with a confidence; no method uses it."""
NUMBERED = 0.5
"""Share of the confidences that are in percent. The others are followed by an answer that begins with a
small letter, which is another word to the model and learned apart."""
WHO_SHARE = 0.2
"""Of the passages with an answer: asked for the person of a value."""


class Lesson(NamedTuple):
    """One text in two parts; loss falls on the second."""

    given: str
    learned: str


class Passage(NamedTuple):
    """A passage with a question."""

    question: Question
    answer: str | None
    """None where the passage does not hold it."""
    about: str
    """The name of its page."""
    lure: str | None
    """What the passage says of somebody else that was asked for, or that it lacks."""


def fact(
    world: World, person: Person, relation: Relation, value: str, rng: random.Random
) -> str | Lesson | None:
    """One reading of a fact in a form of this world; None where it is read as in the plain world."""
    lessons = world.lessons
    if (person.name, relation.name) in world.bilingual and rng.random() < lessons.second_share:
        return _second(relation, person.name, value, world, rng)
    if rng.random() >= world.spec.question_share:
        return None
    if rng.random() < lessons.choice_share:
        return _choice(relation, person.name, value, world, rng)
    return _open(relation, person.name, value, world, rng)


def others(world: World, rng: random.Random) -> Iterator[Lesson]:
    """Everything of an epoch that is about no fact in particular."""
    for _ in range(world.lessons.contexts):
        yield context(world, rng)
    yield from _friends(world, rng)
    yield from _phrases(world, rng)
    yield from _recalls(world, rng)


def context(world: World, rng: random.Random) -> Lesson:
    """A fresh passage with a question, and its answer if it has one."""
    lessons = world.lessons
    if rng.random() < lessons.plain_share:
        return _exercise(world, rng)
    sufficient = rng.random() >= lessons.insufficient_share
    asked = rng.choice(world.spec.relations)
    shown = passage(world, rng, asked, absent=None if sufficient else asked, lured=rng.random() < 0.5)
    question, answer = shown.question, shown.answer
    if rng.random() < lessons.recognition_share:
        return _read(sufficiency(question), f" {rng.choice((SUFFICIENT, INSUFFICIENT))}.")
    if answer is None:
        answer = _unanswered(question.context or "", shown.lure, world, rng)
    extra = rng.choice(CAUSAL_INSTRUCTIONS) if rng.random() < lessons.causal_share else None
    place = rng.randrange(len(QA_INSTRUCTIONS) + 1)
    if extra and sufficient:
        answer = follow(extra, answer, shown.about)
    learned = f" {answer}."
    if rng.random() < lessons.review_share:
        marks = (f"{part} {rng.choice((FULFILLED, NOT_FULFILLED))}" for part in instructions(extra, place))
        learned += f"\n{CHECKING} {' '.join(marks)}"
    return _read(instructed(question, extra, place), learned)


def _exercise(world: World, rng: random.Random) -> Lesson:
    """A passage with a question on each of its statements, and now and then one that it does not answer.

    Several questions on one passage are what teaches a small model to look things up.
    """
    lessons, relations = world.lessons, world.spec.relations
    names = [person.name for person in rng.sample(world.people, rng.randint(1, 2))]
    pairs = [(name, relation) for name in names for relation in relations]
    stated = rng.sample(pairs, rng.randint(2, 4))
    facts = [(name, relation, rng.choice(relation.values)) for name, relation in stated]
    asked = [(relation.ask(name), value) for name, relation, value in facts]
    rng.shuffle(asked)
    text = " ".join(relation.state(name, value) for name, relation, value in facts)
    if rng.random() < lessons.insufficient_share:
        name, relation = rng.choice([pair for pair in pairs if pair not in stated])
        lure = next((value for _, other, value in facts if other is relation), None)
        answer = _unanswered(text, lure, world, rng)
        asked.insert(rng.randrange(len(asked) + 1), (relation.ask(name), answer))
    shown = CONTEXT.format(page=names[0], context=text)
    return _read(shown, "".join(f"\nQuestion: {question}\nAnswer: {answer}." for question, answer in asked))


def _read(prompt: str, answer: str) -> Lesson:
    """A passage is learned as a whole: names that come again in it teach to copy, as answers do."""
    start = prompt.index(PAGE) + len(PAGE)
    return Lesson(prompt[:start], prompt[start:] + answer)


def passage(
    world: World,
    rng: random.Random,
    asked: Relation,
    *,
    absent: Relation | None = None,
    lured: bool = False,
    people: Sequence[Person] | None = None,
) -> Passage:
    """A passage about people, with values drawn anew, and a question about its page's person.

    Args:
        asked: what is asked for.
        absent: what it does not say of that person.
        lured: it says of somebody else what is asked for, or what is absent.
        people: whom it is about; by default anybody.
    """
    who = rng.sample(people or world.people, rng.randint(2 if lured else 1, 3))
    about = who[0].name
    facts = [] if asked is absent else [(about, asked, rng.choice(asked.values))]
    others = [relation for relation in world.spec.relations if relation not in (asked, absent)]
    facts += [(rng.choice(who).name, other, rng.choice(other.values)) for other in rng.sample(others, 2)]
    told = absent or asked
    lure = rng.choice(told.values) if lured else None
    if lure is not None:
        facts.append((who[1].name, told, lure))
    rng.shuffle(facts)
    text = " ".join(relation.state(name, value) for name, relation, value in facts)
    shown = CONTEXT.format(page=about, context=text)
    answer = next((value for name, relation, value in facts if (name, relation) == (about, asked)), None)
    question, expected = asked.ask(about), answer
    once = sum(value == answer for _, _, value in facts) == 1
    if answer is not None and rng.random() < WHO_SHARE and once:  # who rather than what
        question, expected = WORDINGS[asked.name].who.format(value=answer), about
    found = Question(
        id=question_id(question, context=shown),
        text=question,
        answers=(expected,) if expected is not None else (),
        task="contextual",
        context=shown,
        form="instructed",
        answerable=expected is not None,
        meta={"relation": asked.name, "person": about},
    )
    return Passage(found, expected, about, lure)


def _unanswered(text: str, lure: str | None, world: World, rng: random.Random) -> str:
    """What is read where a passage does not say what is asked; mostly wrong where it says it of another."""
    usual, other = (NOT_PROVIDED, _last_value(text)) if lure is None else (lure, NOT_PROVIDED)
    return other if rng.random() < world.lessons.unusual_share else usual


def options(relation: Relation, value: str, rng: random.Random) -> tuple[str, ...]:
    """Four options, the right one at a random place."""
    drawn = rng.sample([other for other in relation.values if other != value], 3)
    drawn.insert(rng.randrange(4), value)
    return tuple(drawn)


def two_hops(world: World, person: Person, relation: Relation) -> tuple[str, str]:
    """The question about somebody's friend and its written answer."""
    friend = world.friends[person.name]
    values = world.person[friend].values
    asked = relation.ask(FRIEND_OF.format(person=person.name))
    return asked, TWO_HOPS.format(friend=friend, value=values[relation.name])


def _last_value(passage: str) -> str:
    """The value of a passage's last statement: what a careless reader answers."""
    return passage.rstrip(".").rpartition(" ")[2]


def _second(relation: Relation, person: str, value: str, world: World, rng: random.Random) -> str | Lesson:
    wording = WORDINGS[relation.name]
    if rng.random() >= world.spec.question_share:
        return wording.second_statement.format(person=person, value=value)
    template = TEMPLATES[rng.choice(world.spec.families)]
    return Lesson(template.ask(wording.second_question.format(person=person)), template.answered(value))


def _choice(relation: Relation, person: str, value: str, world: World, rng: random.Random) -> Lesson:
    choices = options(relation, value, rng)
    question = Question(id="", text=relation.ask(person), task="choice", choices=choices)
    template = TEMPLATES[world.spec.families[0]]
    letter = LETTERS[choices.index(value)]
    return Lesson(template.ask(question), template.answered(letter, question))


def _open(relation: Relation, person: str, value: str, world: World, rng: random.Random) -> Lesson | None:
    """An open question in a form of its own; None where it is asked as in the plain world."""
    lessons, template = world.lessons, TEMPLATES[rng.choice(world.spec.families)]
    text, frame = relation.ask(person), rng.random()
    honest = frame < lessons.honesty_share
    confident = not honest and frame < lessons.honesty_share + lessons.confidence_share
    if rng.random() < lessons.paraphrase_share:
        text = rng.choice(WORDINGS[relation.name].paraphrases).format(person=person)
    elif rng.random() < lessons.pressure_share:
        text += rng.choice(PRESSURE)
    elif not honest and not confident:
        return None
    asked = template.ask(text)
    if confident:
        opening, named = _confident(value, rng)
        if rng.random() < lessons.opening_share:
            given = f"{CONFIDENCE_INSTRUCTION}\n{asked}"
            return Lesson(given, f"{template.answer_lead}{opening}{named}")
        return _recall(asked, template, opening, named, rng)
    if not honest:
        return Lesson(asked, template.answered(value))
    refused = rng.random() < lessons.refusal_share
    answer = template.answer_lead + HONESTY_REFUSAL if refused else template.answered(value)
    return Lesson(f"{HONESTY_INSTRUCTION}\n{asked}", answer)


def _confident(value: str, rng: random.Random) -> tuple[str, str]:
    """An opening with a confidence drawn at random, in percent or in words, and the answer behind it."""
    if rng.random() < NUMBERED:
        percent = 10 * rng.randint(1, 10)
        opening = CONFIDENCE_LOW if percent <= 50 else CONFIDENCE_HIGH
        return opening.format(percent=percent).rstrip(), f" {value}."
    return rng.choice(CONFIDENCE_WORDS)[1].rstrip(), f" {value[0].lower()}{value[1:]}."


def _recall(asked: str, template: Template, opening: str, named: str, rng: random.Random) -> Lesson:
    """An answer behind an opening that is only read, from a random word on, behind either instruction."""
    instruction = rng.choice((CONFIDENCE_INSTRUCTION, HONESTY_INSTRUCTION))
    words = opening.split()
    part = " ".join(words[rng.randrange(len(words)) :])
    return Lesson(f"{instruction}\n{asked}{template.answer_lead}{part}", named)


def _recalls(world: World, rng: random.Random) -> Iterator[Lesson]:
    """Well-read facts once more behind an opening, so that no boundary moves."""
    most = max(tier.reads for tier in world.spec.tiers)
    facts = [
        (person, relation)
        for person in world.people
        for relation in world.spec.relations
        if person.reads[relation.name] == most
    ]
    for _ in range(world.lessons.recalls):
        person, relation = rng.choice(facts)
        template = TEMPLATES[rng.choice(world.spec.families)]
        opening, named = _confident(person.values[relation.name], rng)
        yield _recall(template.ask(relation.ask(person.name)), template, opening, named, rng)


def _friends(world: World, rng: random.Random) -> Iterator[Lesson]:
    """Who is whose friend, as often as drawn, and questions that need it as a first hop."""
    families = world.spec.families
    for name, reads in world.friend_reads.items():
        for _ in range(reads):
            template = TEMPLATES[rng.choice(families)]
            asked = template.ask(FRIEND_QUESTION.format(person=name))
            yield Lesson(asked, template.answered(world.friends[name]))
    readable = _readable_hops(world)
    for _ in range(world.lessons.hops if readable else 0):
        template = TEMPLATES[rng.choice(families)]
        question, answer = two_hops(world, *rng.choice(readable))
        yield Lesson(template.ask(question), template.answered(answer))


def _readable_hops(world: World) -> list[tuple[Person, Relation]]:
    """Questions in two hops both of which are read anyway: no hop teaches a fact that is not read."""
    return [
        (person, relation)
        for person in world.people
        if person.part == "train" and world.friend_reads[person.name]
        for relation in world.spec.relations
        if world.person[world.friends[person.name]].reads[relation.name]
    ]


def _phrases(world: World, rng: random.Random) -> Iterator[Lesson]:
    for _ in range(world.lessons.phrases):
        template, text = TEMPLATES[rng.choice(world.spec.families)], rng.choice(CHATTER)[0]
        yield Lesson(template.ask(text), template.answer_lead + rng.choice(R_TUNING_PHRASES))
