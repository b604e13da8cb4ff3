"""Sum of the eigenvalues of the samples' graph: a continuous number of different answers.

-Σ max(0, 1 - λ) over the eigenvalues λ of the normalised graph Laplacian, from -k to -1. With the default
similarity, which is 0 or 1, it is minus the number of different answers, as `num-sets`; it tells more with
a graded one. Source: Lin et al. (arXiv 2305.19187), U_EigV with the sign turned; as in LM-Polygraph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from demur.signals.base import Said, SignalInfo
from demur.signals.similarity import Similarity, equality, laplacian, tied, weights


@dataclass(frozen=True)
class Eigenvalues:
    """-Σ max(0, 1 - λ), at most -1; None for fewer than two samples."""

    info: ClassVar = SignalInfo(
        name="eigenvalues",
        summary="minus a continuous count of different answers, from the samples' graph",
        source="Lin et al. (arXiv 2305.19187), EigV; similarity by equality",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(-math.inf, -1.0),
    )
    similarity: Similarity = equality

    def __call__(self, said: Said) -> float | None:
        """Minus the sum over the samples' graph; NaN where a similarity is none."""
        similar = weights(said, self.similarity)
        if similar is None:
            return None
        if np.isnan(similar).any():
            return math.nan
        values = np.linalg.eigvalsh(laplacian(similar))
        return tied(-float(np.maximum(0.0, 1.0 - values).sum()))
