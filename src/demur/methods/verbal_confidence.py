"""Verbal confidence: the untuned model answers, then says in percent how likely its answer is right.

Works with any model behind any server that follows instructions; a model that gives no number has no
confidence. Two questions, see `demur.signals.verbal`.

Source: Tian et al., "Just Ask for Calibration", EMNLP 2023 (arXiv 2305.14975), section 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from demur.core.records import Question
from demur.engines import Engine, Progress
from demur.methods.base import Elicited, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily
from demur.methods.untuned import Untuned
from demur.signals.verbal import verbal


class VerbalConfidence(Untuned):
    """The base model, asked for its confidence in words."""

    info = MethodInfo(
        name="verbal-confidence",
        summary="the model before tuning, which then says in percent how likely its answer is right",
        paper="Just Ask for Calibration (EMNLP 2023, arXiv 2305.14975)",
        needs=(),
        loss="none",
        cost="two answers",
        signals=("verbal", "likelihood"),
        primary_signal="verbal",
        deviations=("both questions are asked in one turn each, the second with the answer in it",),
        weights="base",
    )

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily, then ask how likely that is right."""
        said = answer_greedily(engine, questions, setup)
        answers = [item.answer for item in said]
        stated = verbal(
            engine, setup.template, questions, answers, sampling=setup.sampling, progress=progress
        )
        return [_with_verbal(*pair) for pair in zip(said, stated, strict=True)]


def _with_verbal(said: Elicited, value: float | None) -> Elicited:
    return said if value is None else dataclasses.replace(said, signals={**said.signals, "verbal": value})
