"""Number of semantic sets: into how many different answers the samples fall.

Minus the number of clusters, from -k to -1. Source: Lin et al. (arXiv 2305.19187), NumSet, with the sign
turned; as in LM-Polygraph and uqlm. Deviation: answers are clustered by the judge's equality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from demur.signals.base import Said, SignalInfo
from demur.signals.clusters import Same, clusters, same_answer


@dataclass(frozen=True)
class NumSets:
    """Minus the number of clusters; None for fewer than two samples."""

    info: ClassVar = SignalInfo(
        name="num-sets",
        summary="minus the number of different sampled answers",
        source="Lin et al. (arXiv 2305.19187), NumSet; clusters by equality",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(-math.inf, -1.0),
    )
    same: Same = same_answer

    def __call__(self, said: Said) -> float | None:
        """Minus the number of clusters of the samples."""
        texts = [sample.text for sample in said.samples]
        return -float(len(clusters(texts, self.same))) if len(texts) > 1 else None
