"""Signals for which a model is asked again: what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from demur.core.templates import Template
from demur.engines import Engine


@dataclass(frozen=True)
class AsksAgain:
    """A signal that asks a model; without one it gives None."""

    engine: Engine | None = None
    template: Template | None = None

    def model(self, *, scores: bool = False) -> tuple[Engine, Template] | None:
        """The model and how it is asked; None where there is none.

        Args:
            scores: whether it must score continuations.
        """
        if self.engine is None or self.template is None:
            return None
        able = self.engine.capabilities.scores_continuations or not scores
        return (self.engine, self.template) if able else None
