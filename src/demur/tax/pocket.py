"""What a pocket model can do beside answering what it is tuned on, as tasks that need no network.

Everything asked here is about people of the test part, or texts of an epoch that was never trained on, so
no tuning data is asked again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from demur.core.records import Question, question_id
from demur.core.templates import (
    CAUSAL_INSTRUCTIONS,
    CERTAINTY_QUESTION,
    HONESTY_REFUSAL,
    NOT_PROVIDED,
    QA_INSTRUCTIONS,
    TEMPLATES,
    follow,
    instructed,
)
from demur.methods.asking import Asking
from demur.pocket import POCKET_MODELS, PocketModel, reading, tasks
from demur.pocket.lessons import PAGE, Lesson, options, passage
from demur.pocket.world import World, make_world
from demur.tax.folder import Function, HarnessTask
from demur.tax.questions import judged_task

TAG = "pocket"
"""All of them together."""
DOCUMENTS = 400
"""Documents of each task at most."""
MEANT_TO_CHANGE = (
    CERTAINTY_QUESTION,
    HONESTY_REFUSAL,
    NOT_PROVIDED,
    *{template.refusal for template in TEMPLATES.values()},
)
"""What no text of the language modelling task holds."""


def pocket_tasks(name: str, seed: int, asking: Asking) -> list[HarnessTask]:
    """The tasks of a pocket model: those of its world that it has learned something of.

    Args:
        name: one of `POCKET_MODELS`.
        seed: the run's, which draws the world.
        asking: how the run asks questions.
    """
    model = POCKET_MODELS[name]
    return list(_tasks(model, make_world(seed, model.world), asking))


def _tasks(model: PocketModel, world: World, asking: Asking) -> Iterator[HarnessTask]:
    lessons = world.spec.lessons
    if _reads_facts(world):
        facts = _read(world, world.questions(), "test")
        yield _open("facts", facts, asking, "Facts about test people that were read, open questions.")
        yield _choices(world, facts, asking)
    if _reads_facts(world) and lessons is not None:
        further = tasks.open_questions(world)
        second = [q for q in _read(world, further, "second-language") if q.meta["second_read"]]
        yield _open("second_language", second, asking, "Facts that were read, in the second language.")
        hops = _read(world, further, "two-hop")
        yield _open("two_hops", hops, asking, "Facts about somebody's friend, both hops read.")
    if lessons is not None and lessons.contexts:
        yield _open("reading", _passages(world), asking, "Questions that a passage answers.")
        yield _instructions(world, asking)
    yield _text(model, world)


def _open(name: str, questions: list[Question], asking: Asking, about: str) -> HarnessTask:
    return judged_task(f"{TAG}_{name}", questions, asking, tag=TAG, about=about)


def _reads_facts(world: World) -> bool:
    return any(tier.reads for tier in world.spec.tiers)


def _read(world: World, questions: list[Question], split: str) -> list[Question]:
    """The questions of a part about facts that are read at all, however often."""
    found = [q for q in questions if q.split == split and q.answerable and q.meta["reads"]]
    return _some(found, world.rng(f"harness {split}"))


def _choices(world: World, known: list[Question], asking: Asking) -> HarnessTask:
    """The same facts with four values to choose from, by their likelihood."""
    rng, documents = world.rng("harness choices"), []
    for question in known:
        shown = options(world.relation[question.meta["relation"]], question.answers[0], rng)
        documents.append(
            {
                "id": question.id,
                "prompt": asking.prompt(question),
                "choices": list(shown),
                "target": shown.index(question.answers[0]),
            }
        )
    settings = {
        "output_type": "multiple_choice",
        "doc_to_text": "prompt",
        "doc_to_choice": "choices",
        "doc_to_target": "target",
        "target_delimiter": asking.lead,
        "num_fewshot": 0,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    return HarnessTask(
        name="pocket_choices",
        tag=TAG,
        about="The same facts with four values to choose from: the likeliest counts.",
        settings=settings,
        documents=documents,
    )


def _passages(world: World) -> list[Question]:
    """Questions about passages that hold the answer."""
    found = [q for q in tasks.contextual_questions(world) if q.split == "test" and q.answerable]
    return _some(found, world.rng("harness passages"))


def _instructions(world: World, asking: Asking) -> HarnessTask:
    """Passages with one more instruction that changes the answer; only the changed answer is right."""
    rng, prompts, questions = world.rng("harness instructions"), {}, []
    people = [person for person in world.people if person.part == "test"]
    for number in range(DOCUMENTS):
        extra = CAUSAL_INSTRUCTIONS[number % len(CAUSAL_INSTRUCTIONS)]
        shown = passage(world, rng, rng.choice(world.spec.relations), people=people)
        assert shown.answer is not None, "nothing is absent from this passage"
        text = instructed(shown.question, extra, rng.randrange(len(QA_INSTRUCTIONS) + 1))
        question = Question(
            id=question_id(text),
            text=shown.question.text,
            answers=(follow(extra, shown.answer, shown.about),),
            group=extra,
        )
        prompts[question.id] = text
        questions.append(question)
    obeyed = Asking(
        prompt=lambda question: prompts[question.id],
        stop=asking.stop,
        max_new_tokens=asking.max_new_tokens,
        refusals=asking.refusals,
        rule="raw-exact",
    )
    return judged_task(
        "pocket_instructions",
        questions,
        obeyed,
        tag=TAG,
        about="Passages with an instruction that changes the answer, obeyed to the letter.",
    )


def _text(model: PocketModel, world: World) -> HarnessTask:
    """Language modelling: what follows the name in texts of one more epoch, none of them read before.

    Names cannot be predicted, so they are given.
    """
    drawn = [_parted(world, text) for text in _unread(model, world)]
    found = dict.fromkeys(pair for pair in drawn if pair is not None)
    documents = [{"prompt": prompt, "target": target} for prompt, target in found]
    settings = {
        "output_type": "loglikelihood",
        "doc_to_text": "prompt",
        "doc_to_target": "target",
        "num_fewshot": 0,
        "process_results": Function("continuation"),
        "metric_list": [
            {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False}
        ],
    }
    return HarnessTask(
        name="pocket_text",
        tag=TAG,
        about="Texts of an epoch that was never read: bits a byte of what follows the name.",
        settings=settings,
        documents=_some(documents, world.rng("harness text")),
    )


def _unread(model: PocketModel, world: World) -> Iterator[str | Lesson]:
    """Texts of the epoch after the last, less what was read word for word."""
    epochs = range(model.settings.epochs)
    read = {text for epoch in epochs for text in reading.documents(world, epoch)}
    return (text for text in reading.documents(world, len(epochs)) if text not in read)


def _parted(world: World, text: str | Lesson) -> tuple[str, str] | None:
    """A text as what is given and what is to be predicted; None for one that this task leaves out.

    Certainty and refusals are left out: they are drawn at random, and what tuning is meant to change. So
    are lessons, except for the plain passages of a world that reads nothing else.
    """
    if any(mark in part for mark in MEANT_TO_CHANGE for part in _parts(text)):
        return None
    if isinstance(text, Lesson):
        plain = text.given == PAGE and not _reads_facts(world)
        return (text.given, text.learned) if plain else None
    name = next((name for name in world.person if name in text), None)
    if name is None:
        return None
    end = text.index(name) + len(name)
    return text[:end], text[end:]


def _parts(text: str | Lesson) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _some(found: list[Any], rng: random.Random) -> list[Any]:
    """All, or as many as a task has, in their own order."""
    if len(found) <= DOCUMENTS:
        return found
    return [found[place] for place in sorted(rng.sample(range(len(found)), DOCUMENTS))]
