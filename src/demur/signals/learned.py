"""Learned: signals weighed by how they told right from wrong on labelled answers.

A logistic regression, in [0, 1]; see `demur.signals.fitted` for what is weighed and how it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo
from demur.signals.fitted import Fitted


@dataclass(frozen=True)
class Learned:
    """The fitted confidence of one answer, in [0, 1]."""

    info: ClassVar = SignalInfo(
        name="learned",
        summary="probe and log-probability, or other signals, weighed on labelled answers",
        source="Demur; logistic combination of scores (Platt 1999)",
        needs=("labels",),
        cost="that of the signals that are weighed",
        bounds=(0.0, 1.0),
    )
    fitted: Fitted | None = None

    def __call__(self, said: Said) -> float | None:
        """The confidence; None before it was fitted, or where a signal that it weighs is missing."""
        return None if self.fitted is None else self.fitted(said).get("learned")
