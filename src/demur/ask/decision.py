"""Whether an answer is given: a signal, a threshold, and what is promised of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from demur.confidence.combination import Combination
from demur.confidence.threshold import Guarantee
from demur.methods import Elicited


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Answers from a confidence up; a refusal in words is one at any threshold."""

    signal: str
    threshold: float | None
    """None: only refusals in words decline."""
    guarantee: Guarantee | None = None
    combination: Combination | None = None
    """How the signal ``learned`` is made of the others; None where it is not."""

    def signals(self, said: Elicited) -> Mapping[str, float]:
        """The signals of an answer, with the learned one where it can be made."""
        value = None if self.combination is None else self.combination(said.signals)
        return said.signals if value is None else {**said.signals, "learned": value}

    def declines(self, confidence: float | None) -> bool:
        """Whether a confidence is too low, or unknown where a threshold asks for one."""
        # Not a number reaches no threshold either
        return self.threshold is not None and (confidence is None or not confidence >= self.threshold)

    def at(self, threshold: float) -> Decision:
        """The same signal at a threshold that nothing is promised of."""
        return dataclasses.replace(self, threshold=threshold, guarantee=None)
