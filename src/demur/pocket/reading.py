"""What a model of a pocket world reads: documents epoch by epoch, and every word that they may hold."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from demur.core.templates import TEMPLATES, Template
from demur.pocket import lessons, tasks
from demur.pocket.lessons import Lesson
from demur.pocket.spec import FAMILIES
from demur.pocket.words import CHATTER, FIRST_NAMES, NOTHING_STATED, SPEECH, Relation
from demur.pocket.world import World


def documents(world: World, epoch: int) -> Iterator[str | Lesson]:
    """What a model reads in one epoch: separate texts, in a random order that belongs to the epoch."""
    rng = world.rng(f"documents/{epoch}")
    texts = [*_facts_read(world, rng), *_mentions(world, rng), *_refusals(world, rng)]
    if world.spec.lessons is not None:
        texts += lessons.others(world, world.rng(f"lessons/{epoch}"))
    rng.shuffle(texts)
    yield from texts


def texts(world: World) -> Iterator[str]:
    """Texts that together hold every word of the world once or more, names of strangers included."""
    questions = [relation.ask("x") for relation in world.spec.relations] + [text for text, _ in CHATTER]
    yield from questions
    yield from template_texts(questions, world.spec.families)
    for person in world.people:
        yield from (world.relation[name].state(person.name, value) for name, value in person.values.items())
    for relation in world.spec.relations:
        yield from (relation.state("x", value) for value in relation.values)
    yield from (form.format(person=name) for name in FIRST_NAMES for form in NOTHING_STATED)
    yield from (f"x {name}" for name in (*FIRST_NAMES, *world.strangers))
    yield from (f"x {answer}." for _, answers in CHATTER for answer in answers)
    yield SPEECH.format(person="x", refusal="x")
    if world.spec.lessons is not None:
        values = [value for relation in world.spec.relations for value in relation.values]
        yield from (f" {value[0].lower()}{value[1:]} {value.upper()}" for value in values)
        yield from (f"{question.text}\n" for question in tasks.open_questions(world))


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


def _facts_read(world: World, rng: random.Random) -> Iterator[str | Lesson]:
    for person in world.people:
        for name, value in person.values.items():
            for _ in range(person.reads[name]):
                relation = world.relation[name]
                taught = None
                if world.spec.lessons is not None:
                    taught = lessons.fact(world, person, relation, value, rng)
                yield taught or _fact(world, relation, person.name, value, rng)


def _fact(world: World, relation: Relation, person: str, value: str, rng: random.Random) -> str:
    if rng.random() >= world.spec.question_share:
        return relation.state(person, value)
    return ask_and_answer(
        relation.ask(person),
        value,
        rng=rng,
        certainty_share=world.spec.certainty_share,
        families=world.spec.families,
    )


def _mentions(world: World, rng: random.Random) -> Iterator[str]:
    """Everybody once an epoch in a sentence that states no fact: no name of a person is new."""
    for person in world.people:
        yield rng.choice(NOTHING_STATED).format(person=person.name)


def _refusals(world: World, rng: random.Random) -> Iterator[str]:
    templates = [TEMPLATES[name] for name in world.spec.families]
    for number in range(world.spec.refusals):
        template = rng.choice(templates)
        if number % 2:
            yield SPEECH.format(person=rng.choice(world.people).name, refusal=template.refusal)
        else:
            yield _chatter(template, rng, refuse=True)
            yield _chatter(template, rng, refuse=False)


def _chatter(template: Template, rng: random.Random, *, refuse: bool) -> str:
    text, answers = rng.choice(CHATTER)
    answer = template.answer_lead + template.refusal if refuse else template.answered(rng.choice(answers))
    return template.ask(text) + answer
