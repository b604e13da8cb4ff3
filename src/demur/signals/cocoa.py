"""CoCoA: the answer's own uncertainty times how much the samples differ from it.

-(-1/T Σ log p) · 1/k Σ (1 - s(greedy, sample)), at most 0. Source: Vashurin et al. (arXiv 2502.04964),
CoCoA with perplexity, the sign turned; as in LM-Polygraph (CocoaPPL). Deviation: the similarity s is the
judge's equality, 0 or 1, by default; the paper's is a cross-encoder's score. With equality and no sample
that differs, the value is 0 whatever the answer's probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo, overflowed
from demur.signals.similarity import Similarity, equality


@dataclass(frozen=True)
class Cocoa:
    """Mean log-probability times mean dissimilarity, at most 0; None without either."""

    info: ClassVar = SignalInfo(
        name="cocoa",
        summary="mean log-probability of the answer times the share of samples that differ",
        source="CoCoA (arXiv 2502.04964), with perplexity; similarity by equality",
        needs=("logprobs", "samples"),
        cost="k sampled answers",
        bounds=(-math.inf, 0.0),
    )
    similarity: Similarity = equality

    def __call__(self, said: Said) -> float | None:
        """The greedy answer's; one sample is enough."""
        logprobs, samples = said.greedy.token_logprobs, said.samples
        if not logprobs or not samples:
            return None
        if overflowed(logprobs):
            return math.nan
        unlike = [1.0 - self.similarity(said.greedy.text, sample.text) for sample in samples]
        return math.fsum(logprobs) / len(logprobs) * (math.fsum(unlike) / len(unlike))
