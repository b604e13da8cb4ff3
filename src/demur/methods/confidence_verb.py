"""CONFIDENCE-VERB: each answer opens with how confident the model is, in words.

Five openings stand for one or two, three or four, … nine or ten of ten samples right; with none right it
refuses. The answer's first letter is lowered behind an opening, unless it is the letter of a choice.

Source: Alignment for Honesty (arXiv 2312.07000), section 3.2 and appendix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import CONFIDENCE_WORDS
from demur.engines import Engine, Progress
from demur.judging import clean_answer
from demur.methods import honesty
from demur.methods.absolute import Absolute
from demur.methods.base import Elicited, Labelled, Setup

PREFIX_TOKENS = 24
"""Room for the opening words beyond that for an answer."""


class ConfidenceVerb(Absolute):
    """Answers behind words of confidence, or refuses."""

    info = dataclasses.replace(
        Absolute.info,
        name="confidence-verb",
        summary="says in words how confident it is, then answers, or refuses",
        loss="the opening and the answer, or the refusal",
        signals=("verbal", "sure", "likelihood"),
        primary_signal="verbal",
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per question with a judged sample."""
        return {"sft": [_row(item, setup) for item in data if honesty.tenths(item) is not None]}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Ask with the honesty prompt; an opening counts as the middle of its range, a refusal as 0."""
        refusing = dataclasses.replace(honesty.REFUSING, stop=("\n",), more_tokens=PREFIX_TOKENS)
        said = honesty.ask(engine, questions, setup, refusing, progress=progress)
        return [read(item) for item in said]


def _row(item: Labelled, setup: Setup) -> Example:
    count, answer = honesty.tenths(item), honesty.own_answer(item)
    if not count or not answer:
        return honesty.row(item, setup, honesty.refusal(item, setup), certain=False)
    opening = next(words for most, words in CONFIDENCE_WORDS if count <= most)
    if not item.question.choices:
        answer = answer[0].lower() + answer[1:]
    completion = f"{setup.template.lead(item.question)}{opening}{answer}."
    return honesty.row(item, setup, completion, certain=count > 5)


def read(said: Elicited) -> Elicited:
    """The words of confidence as a number, and the answer without them."""
    text = said.response.strip()
    for most, words in CONFIDENCE_WORDS:
        if text.startswith(words.strip()):
            answer = clean_answer(text.removeprefix(words.strip()))
            verbal = (2 * most - 1) / 20  # the middle of (most - 1) and most tenths
            return dataclasses.replace(
                said, answer=answer, response=answer, signals={**said.signals, "verbal": verbal}
            )
    refused = {"verbal": 0.0} if "likelihood" not in said.signals else {}
    return dataclasses.replace(
        said, answer=clean_answer(said.response), signals={**said.signals, **refused}
    )
