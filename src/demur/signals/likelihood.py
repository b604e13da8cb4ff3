"""Likelihood: the geometric mean of the probabilities of the answer's tokens.

exp of the mean log-probability, which is 1 / perplexity. Source: R-Tuning (arXiv 2311.09677), evaluation
code, the confidence of a prediction.
"""

from __future__ import annotations

import math
from typing import ClassVar

from demur.core.records import Response
from demur.signals.base import Said, SignalInfo, overflowed


class Likelihood:
    """exp(1/T Σ log p), in [0, 1]."""

    info: ClassVar = SignalInfo(
        name="likelihood",
        summary="geometric mean of the answer's token probabilities",
        source="R-Tuning (arXiv 2311.09677), evaluation code",
        needs=("logprobs",),
        cost="none",
        bounds=(0.0, 1.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The likelihood of the greedy answer."""
        return likelihood(said.greedy)


def likelihood(response: Response) -> float | None:
    """Geometric mean of the answer's token probabilities, in [0, 1]; None where the engine gave none.

    Not a number where one of them is none: the model's numbers overflowed.
    """
    logprobs = response.token_logprobs
    if overflowed(logprobs):
        return math.nan
    return math.exp(math.fsum(logprobs) / len(logprobs)) if logprobs else None
