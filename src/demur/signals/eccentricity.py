"""Eccentricity: how far the samples stand from their centre in the graph's own coordinates.

-√(Σ ‖v - mean(v)‖²) over the eigenvectors v of the normalised graph Laplacian whose eigenvalue is below
0.9, from -√(k - 1) to 0. With the default similarity, which is 0 or 1, m different answers give -√(m - 1).
Source: Lin et al. (arXiv 2305.19187), U_Ecc with the sign turned; as in LM-Polygraph, whose threshold it
is. The value does not depend on which eigenvectors are taken within one eigenvalue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from demur.signals.base import Said, SignalInfo
from demur.signals.similarity import Similarity, equality, laplacian, tied, weights

KEPT_BELOW = 0.9
"""Eigenvalues from here on are noise."""


@dataclass(frozen=True)
class Eccentricity:
    """Minus the distance of the samples from their centre, at most 0; None for fewer than two samples."""

    info: ClassVar = SignalInfo(
        name="eccentricity",
        summary="minus the samples' distance from their centre, from their graph",
        source="Lin et al. (arXiv 2305.19187), Ecc; similarity by equality",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(-math.inf, 0.0),
    )
    similarity: Similarity = equality

    def __call__(self, said: Said) -> float | None:
        """Minus the distance; NaN where a similarity is none."""
        similar = weights(said, self.similarity)
        if similar is None:
            return None
        if np.isnan(similar).any():
            return math.nan
        values, vectors = np.linalg.eigh(laplacian(similar))
        kept = vectors[:, values < KEPT_BELOW]  # [k, number kept]: one eigenvector a column
        return tied(-float(np.linalg.norm(kept - kept.mean(axis=0))))
