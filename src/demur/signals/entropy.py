"""Token entropy: how much the model's next token was open, on average over the answer.

-mean of H(· | prompt, tokens before), in nats. Source: LM-Polygraph, MeanTokenEntropy (with the sign
turned), after Fomicheva et al. (TACL 2020).
"""

from __future__ import annotations

import math
from typing import ClassVar

from demur.signals.base import Said, SignalInfo, overflowed


class Entropy:
    """-mean H, at most 0."""

    info: ClassVar = SignalInfo(
        name="entropy",
        summary="minus the mean entropy of the next token",
        source="Fomicheva et al. (TACL 2020), as in LM-Polygraph",
        needs=("top",),
        cost="none",
        bounds=(-math.inf, 0.0),
    )

    def __call__(self, said: Said) -> float | None:
        """Minus the mean token entropy of the greedy answer, in nats."""
        entropies = said.greedy.token_entropies
        if overflowed(entropies):
            return math.nan
        return -math.fsum(entropies) / len(entropies) if entropies else None
