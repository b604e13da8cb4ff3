"""Semantic entropy, discrete: how many different things the samples say.

1 - H / ln k with H = -Σ (n_c / k) ln(n_c / k) over the clusters of k samples, in [0, 1]. H itself is
`entropy` of the cluster sizes: sizes 6, 3, 1 give 0.8979457 nats, and so a confidence of 0.6100271.
Source: Farquhar et al., Nature 2024 (discrete semantic entropy), after Kuhn et al. (arXiv 2302.09664); the
scale is uqlm's. Deviation: answers are clustered by the judge's equality, not by entailment both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo
from demur.signals.clusters import Same, clusters, evenness, same_answer


@dataclass(frozen=True)
class SemanticEntropy:
    """1 - H / ln k, in [0, 1]; None for fewer than two samples."""

    info: ClassVar = SignalInfo(
        name="semantic-entropy",
        summary="1 - entropy of the sampled answers' meanings over its maximum",
        source="Farquhar et al. (Nature 2024), discrete form; clusters by equality",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(0.0, 1.0),
    )
    same: Same = same_answer

    def __call__(self, said: Said) -> float | None:
        """The confidence of the samples; the greedy answer has no part in it."""
        texts = [sample.text for sample in said.samples]
        if len(texts) < 2:
            return None
        return evenness([len(cluster) for cluster in clusters(texts, self.same)], len(texts))
