"""What the variants of US-Tuning share: the rows of their stages, and asking with a context.

Source: "Know the Unknown: An Uncertainty-Sensitive Method for LLM Instruction Tuning", ACL Findings 2025
(arXiv 2406.10099), section 3, and its released code for order and sizes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import (
    CAUSAL_INSTRUCTIONS,
    CHECKING,
    FULFILLED,
    INSUFFICIENT,
    NOT_FULFILLED,
    NOT_PROVIDED,
    QA_INSTRUCTIONS,
    SUFFICIENT,
    follow,
    instructed,
    instructions,
    sufficiency,
)
from demur.engines import Engine, Progress
from demur.judging import clean_answer
from demur.methods.base import Elicited, Labelled, Setup
from demur.methods.elicitation import Refusing, answer_or_refuse

PAPER = "US-Tuning (ACL Findings 2025, arXiv 2406.10099)"
DEVIATIONS = (
    "the wording of the instructions is ours; their order and number are the paper's",
    "every system is asked with the same prompt; the released evaluation adds a preamble for tuned ones",
    "reviews are written by rule, since the instructions can be checked; in the paper a hosted model's",
    "one adapter goes through both stages; the paper merges it in between",
    "`sure`, one minus the probability of Not Provided, is added as a confidence",
)
REVIEW_TOKENS = 160
"""Room for a review and a corrected answer."""
ANSWER = "ANSWER:"


def with_context(data: Sequence[Labelled]) -> list[Question]:
    """The training questions that come with a context."""
    return [item.question for item in data if item.question.context and not item.question.choices]


def recognition(questions: Sequence[Question], setup: Setup) -> list[Example]:
    """Stage 1: is the context sufficient? One row per question, answerable or not."""
    return [
        Example(
            prompt=setup.render(sufficiency(question)),
            completion=f" {SUFFICIENT if question.answerable else INSUFFICIENT}.",
            question_id=question.id,
            certain=question.answerable,
            ends=True,
        )
        for question in questions
    ]


def plain_answers(questions: Sequence[Question], setup: Setup) -> list[Example]:
    """Question answering as usual: the instructions, the context, the gold answer; answerable ones only."""
    return [
        _row(question, setup, instructed(question), f" {question.answers[0]}.")
        for question in questions
        if question.answers
    ]


def reviewed_answers(questions: Sequence[Question], setup: Setup) -> list[Example]:
    """Stage 2: an instruction that changes the answer, at one of five places, and a review at the end.

    Which instruction, where, and whether the answer first ignores it is drawn by seed and question.
    """
    settings = setup.config.us_tuning
    rng = random.Random(f"{setup.config.seed}/review")  # noqa: S311 - reproducible, not secret
    usable = [question for question in questions if question.answers]
    chosen = rng.sample(usable, min(settings.review_rows, len(usable)))
    return [_reviewed(question, setup, settings.corrected) for question in chosen]


def ask(
    engine: Engine,
    questions: Sequence[Question],
    setup: Setup,
    *,
    reviews: bool = False,
    progress: Progress | None = None,
) -> list[Elicited]:
    """Ask as the base model was asked; read the last answer where answers are reviewed."""
    return answer_or_refuse(
        engine,
        questions,
        setup,
        _REVIEWING if reviews else _PLAIN,
        prompts=[setup.template.ask(question) for question in questions],
        progress=progress,
    )


def last_answer(text: str) -> str:
    """The answer that a reviewed response ends with: the corrected one, else the first."""
    _, mark, corrected = text.rpartition(ANSWER)
    answer = corrected if mark else text
    return clean_answer(answer.partition(CHECKING)[0], stop=("\n", "."))


_PLAIN = Refusing(refusals=(NOT_PROVIDED,))
_REVIEWING = Refusing(refusals=(NOT_PROVIDED,), more_tokens=REVIEW_TOKENS, stop=(), read=last_answer)


def _reviewed(question: Question, setup: Setup, corrected: float) -> Example:
    rng = random.Random(f"{setup.config.seed}/review/{question.id}")  # noqa: S311
    extra, place = rng.choice(CAUSAL_INSTRUCTIONS), rng.randrange(len(QA_INSTRUCTIONS) + 1)
    answer = question.answers[0]
    right = follow(extra, answer, topic(question))
    parts = instructions(extra, place)
    completion = f" {right}.\n{_review(parts, None)}"
    if right != answer and rng.random() < corrected:
        completion = f" {answer}.\n{_review(parts, extra)}\n{ANSWER}{completion}"
    return _row(question, setup, instructed(question, extra, place), completion)


def _review(parts: Sequence[str], ignored: str | None) -> str:
    marks = [f"{part} {NOT_FULFILLED if part == ignored else FULFILLED}" for part in parts]
    return f"{CHECKING} {' '.join(marks)}"


def topic(question: Question) -> str:
    """What a context is about: the page that its first line names, else its first words before a colon."""
    first = (question.context or "").partition("\n")[0].removesuffix(":")
    return first.removeprefix("This is a passage about ").partition(":")[0]


def _row(question: Question, setup: Setup, prompt: str, completion: str) -> Example:
    return Example(
        prompt=setup.render(prompt),
        completion=completion,
        question_id=question.id,
        certain=question.answerable,
        ends=True,
    )
