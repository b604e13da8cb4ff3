"""Vanilla fine-tuning: the same questions with their gold answers, and nothing about certainty.

Source: the baseline of R-Tuning (arXiv 2311.09677), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily


class Vanilla:
    """Ordinary supervised fine-tuning on gold answers; it never declines."""

    info = MethodInfo(
        name="vanilla",
        summary="fine-tuned on the gold answers; always answers",
        paper="baseline of R-Tuning (NAACL 2024, arXiv 2311.09677)",
        needs=("labels",),
        loss="the answer",
        cost="nothing beyond training",
        signals=("likelihood",),
        primary_signal="likelihood",
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per answerable question: prompt and gold answer."""
        return {"sft": [_row(item.question, setup) for item in data if item.question.answers]}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily."""
        return answer_greedily(engine, questions, setup, progress=progress)


def _row(question: Question, setup: Setup) -> Example:
    return Example(
        prompt=setup.render(setup.template.ask(question)),
        completion=setup.template.answered(question.answers[0], question),
        question_id=question.id,
    )
