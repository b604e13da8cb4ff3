"""What a user gets: an answer or a refusal, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from demur.confidence.threshold import Guarantee

MODEL = "model"
"""Who answered, where it was the model itself."""


NO_NUMBER = "the model's confidence is not a number"
REASONED = "the model's reply ended within its reasoning, before an answer"
SILENT = "the model's reply held no text"
UNASKED = "declined before an answer was generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the system says to one question."""

    question: str
    text: str
    """What to show: the answer, or the refusal in its place."""
    abstained: bool
    """Whether it declines to answer."""
    said: str
    """What the model answered, shown or not; where it refused in words, its refusal."""
    confidence: float | None
    """The value of the signal that decides; None where the model gives none."""
    signal: str
    """The signal's name, see `demur.core.records.SIGNALS`."""
    threshold: float | None
    """It answers from this confidence up; None where only its own words decline."""
    probability: float | None = None
    """How likely the answer is right, in [0, 1], where the signal was recalibrated; else None."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """Every confidence signal by name."""
    guarantee: Guarantee | None = None
    """What is promised of the threshold; None where nothing is."""
    answered_by: str = MODEL
    """``model``, or who was asked in its place when it declined."""
    finish: Literal["stop", "length"] = "stop"
    """``length`` where the token limit cut the answer."""
    answer: str | None = None
    """The final answer that ``said`` states, as a judge would read it; None where that is ``said``
    itself."""
    reason: str | None = None
    """Why the model gave no answer, which is declined; None where it gave one."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; a number that is none is null."""
        values = {name: getattr(self, name) for name in self.__slots__}
        numbers = {name: finite(values[name]) for name in ("confidence", "threshold", "probability")}
        signals = {name: finite(value) for name, value in self.signals.items()}
        return values | numbers | {"signals": signals, "guarantee": promise(self.guarantee)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a threshold did on the calibration questions."""

    n: int
    answered: int
    coverage: float
    """Share of the questions that it answers, in [0, 1]."""
    error: float | None
    """Share of the answers that are wrong, in [0, 1]; None where nothing is answered."""


def promise(guarantee: Guarantee | None) -> dict[str, Any] | None:
    """A guarantee as JSON: what is promised, and on how many questions it was found."""
    if guarantee is None:
        return None
    names = ("max_error", "confidence", "risk", "threshold", "n", "coverage", "error")
    found = {name: getattr(guarantee, name) for name in names}
    return {name: finite(value) if isinstance(value, float) else value for name, value in found.items()}


def finite(value: float | None) -> float | None:
    """A number that is one; None for all others, which JSON does not know."""
    return None if value is None or not math.isfinite(value) else value
