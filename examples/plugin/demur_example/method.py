"""Likelihood cutoff: the model before tuning; it declines where its answer has a low likelihood."""

import dataclasses
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.methods import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily

CUTOFF = 0.8
"""Likelihood below which it declines: the geometric mean of the answer's token probabilities."""


class LikelihoodCutoff:
    """Answers greedily and declines where the likelihood is low."""

    info = MethodInfo(
        name="likelihood-cutoff",
        summary=f"the model before tuning; declines below a likelihood of {CUTOFF}",
        paper="demur-example",
        needs=(),
        loss="none",
        cost="one answer",
        signals=("likelihood",),
        primary_signal="likelihood",
        weights="base",
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """Nothing is trained."""
        return {}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily, then decline below the cutoff."""
        found = answer_greedily(engine, questions, setup, progress=progress)
        return [dataclasses.replace(item, declines=_declines(item)) for item in found]


def _declines(item: Elicited) -> bool:
    return item.declines or item.signals.get("likelihood", 0.0) < CUTOFF
