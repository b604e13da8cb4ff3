"""The smallest log-probability among the answer's tokens: an answer is as good as its weakest token.

min log p, in nats. Source: Manakul et al., SelfCheckGPT (arXiv 2303.08896), section 4.1, Max(-log p) with
the sign turned; uqlm's ``min_probability`` is its exponential.
"""

from __future__ import annotations

import math
from typing import ClassVar

from demur.signals.base import Said, SignalInfo, overflowed


class Min:
    """min log p, at most 0."""

    info: ClassVar = SignalInfo(
        name="min",
        summary="log-probability of the answer's least likely token",
        source="SelfCheckGPT (arXiv 2303.08896), Max(-log p)",
        needs=("logprobs",),
        cost="none",
        bounds=(-math.inf, 0.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The smallest token log-probability of the greedy answer, in nats."""
        logprobs = said.greedy.token_logprobs
        if overflowed(logprobs):
            return math.nan
        return min(logprobs, default=None)
