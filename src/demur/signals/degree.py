"""Degree of the samples' graph: how alike two samples are, on average.

Σ W / k² over the k x k similarities, the diagonal included, in [0, 1]; 1 where all samples say the same,
1/k where all differ. Source: Lin et al. (arXiv 2305.19187), 1 - U_Deg; as in LM-Polygraph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo
from demur.signals.similarity import Similarity, equality, weights


@dataclass(frozen=True)
class Degree:
    """Mean similarity of two samples, in [0, 1]; None for fewer than two."""

    info: ClassVar = SignalInfo(
        name="degree",
        summary="mean similarity of two sampled answers",
        source="Lin et al. (arXiv 2305.19187), Deg; similarity by equality",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(0.0, 1.0),
    )
    similarity: Similarity = equality

    def __call__(self, said: Said) -> float | None:
        """The mean over all pairs of samples, each with itself too."""
        similar = weights(said, self.similarity)
        return None if similar is None else float(similar.mean())
