"""Sum of the log-probabilities of the answer's tokens: the log-probability of the whole answer.

Σ log p, in nats; long answers have low values. Source: maximum sequence probability (MSP), as in
LM-Polygraph (MaximumSequenceProbability, with the sign turned).
"""

from __future__ import annotations

import math
from typing import ClassVar

from demur.signals.base import Said, SignalInfo, overflowed


class Sum:
    """Σ log p, at most 0."""

    info: ClassVar = SignalInfo(
        name="sum",
        summary="log-probability of the whole answer",
        source="maximum sequence probability, as in LM-Polygraph",
        needs=("logprobs",),
        cost="none",
        bounds=(-math.inf, 0.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The log-probability of the greedy answer, in nats."""
        logprobs = said.greedy.token_logprobs
        if overflowed(logprobs):
            return math.nan
        return math.fsum(logprobs) if logprobs else None
