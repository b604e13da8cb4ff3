"""ABSOLUTE: what the model knows it answers in its own words, what it does not know it refuses.

Known is an expected accuracy of at least tau = 0.1 over the samples. The released code's rule, greedy or
any sample correct, is ``knowledge.estimator: any-correct``; it differs where only the greedy one is right.

Source: Alignment for Honesty (arXiv 2312.07000), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import HONESTY_REFUSAL
from demur.engines import Engine, Progress
from demur.methods import honesty
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup


class Absolute:
    """Answers or refuses."""

    info = MethodInfo(
        name="absolute",
        summary="answers, or refuses where fewer than a share tau of its samples were right",
        paper=honesty.PAPER,
        needs=("labels", "samples"),
        loss="the answer or the refusal",
        cost="one greedy and k sampled answers per training question; at inference one answer",
        signals=("sure", "likelihood"),
        primary_signal="sure",
        deviations=honesty.DEVIATIONS,
        estimator="expected-accuracy(0.1)",
        refusals=(HONESTY_REFUSAL,),
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per question whose knowledge could be estimated."""
        return {"sft": [_row(item, setup) for item in data if item.knowledge.known is not None]}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Ask with the honesty prompt."""
        return honesty.ask(engine, questions, setup, progress=progress)


def _row(item: Labelled, setup: Setup) -> Example:
    answer = honesty.own_answer(item)
    if item.knowledge.known and answer is not None:
        completion = setup.template.answered(answer, item.question)
        return honesty.row(item, setup, completion, certain=True)
    return honesty.row(item, setup, honesty.refusal(item, setup), certain=False)
