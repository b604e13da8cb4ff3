"""Semantic entropy, weighted: how many different things the samples say, likely samples counting more.

1 - H / ln k with H = -Σ p_c ln p_c and p_c = Σ exp(1/T Σ log p) over the samples of a cluster, divided by
the sum over all clusters; in [0, 1]. Source: Kuhn et al. (arXiv 2302.09664) with length-normalised
probabilities, as in Farquhar et al. (Nature 2024) and uqlm, whose scale it is. Deviation: answers are
clustered by the judge's equality, not by entailment both ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo
from demur.signals.clusters import Same, clusters, evenness, same_answer
from demur.signals.likelihood import likelihood


@dataclass(frozen=True)
class SemanticEntropyWeighted:
    """1 - H / ln k, in [0, 1]; None for fewer than two samples, or one without log-probabilities."""

    info: ClassVar = SignalInfo(
        name="semantic-entropy-weighted",
        summary="semantic entropy, each sample weighed by its likelihood",
        source="Kuhn et al. (arXiv 2302.09664), length-normalised; clusters by equality",
        needs=("samples", "sample-logprobs"),
        cost="k sampled answers",
        bounds=(0.0, 1.0),
    )
    same: Same = same_answer

    def __call__(self, said: Said) -> float | None:
        """The confidence of the samples; the greedy answer has no part in it."""
        weights = [likelihood(sample) for sample in said.samples]
        given = [weight for weight in weights if weight is not None]
        if len(weights) < 2 or len(given) < len(weights):
            return None
        found = clusters([sample.text for sample in said.samples], self.same)
        return evenness([math.fsum(given[place] for place in cluster) for cluster in found], len(given))
