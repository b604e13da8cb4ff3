"""The logit of a probability, kept finite at 0 and 1, and its inverse."""

from __future__ import annotations

import math

EDGE = 1e-6
"""Distance from 0 and 1 that probabilities keep: at 0 and 1 themselves the log-odds are infinite."""


def logit(probability: float, *, clip: bool = False) -> float:
    """The log-odds ln(p / (1 - p)), at most about 13.8 in size.

    Args:
        probability: in [0, 1].
        clip: round values closer to 0 or 1 than `EDGE` to `EDGE`, and leave the others as they are. By
            default all values are scaled into [EDGE, 1 - EDGE], so that different ones stay different.
    """
    clipped, scaled = min(max(probability, EDGE), 1 - EDGE), EDGE + (1 - 2 * EDGE) * probability
    inner = clipped if clip else scaled
    return math.log(inner / (1 - inner))


def sigmoid(score: float) -> float:
    """The probability in [0, 1] that has these log-odds; no score overflows."""
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
