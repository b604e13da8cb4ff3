"""What a run's calibration questions say of any threshold."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from demur.ask.answer import Expected
from demur.ask.decision import Decision
from demur.confidence.combination import Combination
from demur.confidence.threshold import Thresholds
from demur.core.errors import DataError, DemurError
from demur.runfolder.calibration import answers_of, calibration_of

POINTS = 101
"""Thresholds of a curve."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibration answers of one system."""

    signal: str
    confidences: Any
    """Of each answer, -inf where it declines in words, shape [n]."""
    wrong: Any
    """Whether it is wrong, shape [n]."""
    combination: Combination | None
    """How the signal ``learned`` was weighed, apart from these answers."""
    questions: int | None = None
    """Questions of which these are one of each group; None where they are all of them."""
    seed: int = 0
    described: tuple[Any, Any] | None = None
    """What `expected` and `curve` describe, as confidences and errors; None for those above."""

    @classmethod
    def of_run(cls, root: Path, system: str, signal: str, *, seed: int) -> Calibration:
        """Read a finished run.

        Raises:
            DataError: it has no calibration questions, or too few.
            UnknownNameError: its system has no such signal.
        """
        try:
            return cls(signal, *calibration_of(root, system, signal), seed=seed)
        except OSError as error:
            if isinstance(error, DemurError):
                raise
            raise DataError(
                expected="the run's questions and predictions, which a promise is computed from",
                found=error.strerror or str(error),
                where=str(root),
                fix="take the whole run folder, or decide by a threshold",
            ) from error

    @cached_property
    def thresholds(self) -> Thresholds:
        """The same answers in order, sorted once: any promise is then looked up."""
        return Thresholds.of(self.confidences, self.wrong, seed=self.seed)

    def answering(self, root: Path, system: str) -> Calibration:
        """The same for the weights that the run's own answers were read with, which describe what answers.

        Promises are still found with the weights of this one.
        """
        confidences, wrong = answers_of(root, system, self.signal)
        return dataclasses.replace(self, described=(confidences, wrong))

    def expected(self, threshold: float | None) -> Expected:
        """Coverage and error of a threshold on these questions: a description, not a promise."""
        limit = -np.finfo(float).max if threshold is None else threshold
        confidences, wrong = self._described
        answered = confidences >= limit
        count, n = int(answered.sum()), len(answered)
        error = float(wrong[answered].mean()) if count else None
        return Expected(n=n, answered=count, coverage=count / n, error=error)

    @property
    def _described(self) -> tuple[Any, Any]:
        return self.described or (self.confidences, self.wrong)

    def curve(self) -> list[tuple[float, Expected]]:
        """Thresholds over the whole range of the signal, each with what it does."""
        confidences, _ = self._described
        finite = confidences[np.isfinite(confidences)]
        if not len(finite):
            return []
        low, high = min(0.0, float(finite.min())), max(1.0, float(finite.max()))
        return [(float(at), self.expected(float(at))) for at in np.linspace(low, high, POINTS)]

    def decision(self, max_error: float, confidence: float) -> Decision:
        """The lowest threshold that keeps the error among answers below a limit, and its promise.

        Raises:
            DataError: these questions can promise none.
            ConfigError: shares outside (0, 1).
        """
        found = self.thresholds.find(max_error, confidence)
        if found.threshold is None:
            raise DataError(
                expected=f"a threshold that keeps errors below {max_error:g} ({confidence:.0%} confidence)",
                found=f"none: {found.reason}",
                where=f"{found.n:,} calibration questions"
                + ("" if self.questions is None else f", one of each group, of {self.questions:,}"),
                fix="allow more errors, or run with more calibration questions"
                + ("" if self.questions is None else " of other groups"),
            )
        return Decision(
            signal=self.signal,
            threshold=found.threshold,
            guarantee=dataclasses.replace(found, questions=self.questions),
            combination=self.combination,
        )
