"""CONFIDENCE-NUM: each answer opens with how confident the model is, in percent.

The percentage is the share of its samples that were right; with none right it refuses.

Source: Alignment for Honesty (arXiv 2312.07000), section 3.2 and appendix.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import CONFIDENCE_HIGH, CONFIDENCE_LOW
from demur.engines import Engine, Progress
from demur.judging import clean_answer
from demur.methods import honesty
from demur.methods.absolute import Absolute
from demur.methods.base import Elicited, Labelled, Setup

PREFIX_TOKENS = 48
"""Room for the opening sentence beyond that for an answer."""
STATED = re.compile(r"about (\d{1,3}) ?% confident")
OPENING = re.compile(r"^.*?here's what I think is correct\.?", re.DOTALL)


class ConfidenceNum(Absolute):
    """Answers with a percentage, or refuses."""

    info = dataclasses.replace(
        Absolute.info,
        name="confidence-num",
        summary="says how confident it is in percent, then answers, or refuses",
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
        """Ask with the honesty prompt and read the percentage; a refusal is a confidence of 0."""
        refusing = dataclasses.replace(honesty.REFUSING, stop=("\n",), more_tokens=PREFIX_TOKENS)
        said = honesty.ask(engine, questions, setup, refusing, progress=progress)
        return [read(item) for item in said]


def _row(item: Labelled, setup: Setup) -> Example:
    count, answer = honesty.tenths(item), honesty.own_answer(item)
    if not count or answer is None:
        return honesty.row(item, setup, honesty.refusal(item, setup), certain=False)
    opening = (CONFIDENCE_LOW if count <= 5 else CONFIDENCE_HIGH).format(percent=10 * count)
    completion = f"{setup.template.lead(item.question)}{opening}{answer}."
    return honesty.row(item, setup, completion, certain=count > 5)


def read(said: Elicited) -> Elicited:
    """The stated percentage as a confidence, and the answer without its opening."""
    stated = STATED.search(said.response)
    if stated is None:
        refused = {"verbal": 0.0} if "likelihood" not in said.signals else {}
        answer = clean_answer(said.response)
        return dataclasses.replace(said, answer=answer, signals={**said.signals, **refused})
    answer = clean_answer(OPENING.sub("", said.response))
    verbal = min(int(stated[1]), 100) / 100
    return dataclasses.replace(
        said, answer=answer, response=answer, signals={**said.signals, "verbal": verbal}
    )
