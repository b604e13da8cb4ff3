"""The model before tuning, under the names the papers give it; it answers everything.

`pretrain-t`: R-Tuning (arXiv 2311.09677), section 3.3. `unaligned`: Alignment for Honesty (arXiv
2312.07000), section 4. Both are the run's `base`, asked once more under their own name.
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily


class Untuned:
    """The base model, asked as it is."""

    info: MethodInfo

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
        """Answer greedily."""
        return answer_greedily(engine, questions, setup, progress=progress)


class PretrainT(Untuned):
    """R-Tuning's Pretrain-T."""

    info = MethodInfo(
        name="pretrain-t",
        summary="the model before tuning, on all questions",
        paper="baseline of R-Tuning (NAACL 2024, arXiv 2311.09677)",
        needs=(),
        loss="none",
        cost="one greedy answer",
        signals=("likelihood",),
        primary_signal="likelihood",
        weights="base",
    )


class Unaligned(Untuned):
    """Alignment for Honesty's unaligned model."""

    info = MethodInfo(
        name="unaligned",
        summary="the model before tuning, with the plain prompt",
        paper="baseline of Alignment for Honesty (NeurIPS 2024, arXiv 2312.07000)",
        needs=(),
        loss="none",
        cost="one greedy answer",
        signals=("likelihood",),
        primary_signal="likelihood",
        weights="base",
    )
