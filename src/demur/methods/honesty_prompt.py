"""The honesty prompt alone: the model before tuning, told that it may refuse.

Source: Alignment for Honesty (arXiv 2312.07000), section 4, baseline "Prompt-based".
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import HONESTY_REFUSAL
from demur.engines import Engine, Progress
from demur.methods import honesty
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup


class HonestyPrompt:
    """The base model behind the honesty prompt."""

    info = MethodInfo(
        name="honesty-prompt",
        summary="the model before tuning, told that it may say it does not know",
        paper=honesty.PAPER,
        needs=(),
        loss="none",
        cost="one answer behind a longer prompt",
        signals=("sure", "likelihood"),
        primary_signal="sure",
        deviations=honesty.DEVIATIONS[2:3],
        weights="base",
        refusals=(HONESTY_REFUSAL,),
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
        """Ask with the honesty prompt."""
        return honesty.ask(engine, questions, setup, progress=progress)
