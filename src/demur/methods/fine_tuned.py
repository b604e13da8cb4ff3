"""FINE-TUNED: answers only, whatever the model knows; it never refuses.

Its own right answer where a sample was right, else the gold one with a capital letter; the plain prompt.

Source: Alignment for Honesty (arXiv 2312.07000), section 4, baseline "Fine-tuned".
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.methods import honesty
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily


class FineTuned:
    """Ordinary fine-tuning on own answers, gold where there is none."""

    info = MethodInfo(
        name="fine-tuned",
        summary="fine-tuned on its own right answers, and on gold ones where it has none; always answers",
        paper="baseline of " + honesty.PAPER,
        needs=("labels", "samples"),
        loss="the answer",
        cost="one greedy and k sampled answers per training question; at inference one answer",
        signals=("likelihood",),
        primary_signal="likelihood",
        deviations=honesty.DEVIATIONS[:2] + honesty.DEVIATIONS[3:],
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per question with an accepted answer."""
        return {"sft": [_row(item, setup) for item in data if item.question.answers]}

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


def _row(item: Labelled, setup: Setup) -> Example:
    question, gold = item.question, item.question.answers[0]
    answer = honesty.own_answer(item) or gold[:1].upper() + gold[1:]
    return Example(
        prompt=setup.render(setup.template.ask(question)),
        completion=setup.template.answered(answer, question),
        question_id=question.id,
        ends=True,
    )
