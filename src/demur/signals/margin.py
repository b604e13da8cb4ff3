"""The smallest gap between the two likeliest tokens: where the model nearly said something else.

min over the answer's tokens of p(1st) - p(2nd), in [0, 1]. Source: uqlm, ``probability_margin``. Deviation:
uqlm takes the mean, in which one doubtful word of a long answer is lost; here the smallest counts.
"""

from __future__ import annotations

import math
from typing import ClassVar

from demur.signals.base import Said, SignalInfo, overflowed


class Margin:
    """min (p(1st) - p(2nd)), in [0, 1]."""

    info: ClassVar = SignalInfo(
        name="margin",
        summary="smallest gap in probability between the two likeliest tokens",
        source="uqlm, probability_margin (there the mean)",
        needs=("top",),
        cost="none",
        bounds=(0.0, 1.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The smallest margin of the greedy answer's tokens."""
        margins = said.greedy.token_margins
        if overflowed(margins):
            return math.nan
        return min(margins, default=None)
