"""ECE: expected calibration error over equal-width bins.

sum_b n_b/N |accuracy_b - mean confidence_b| = (1/N) sum_b |sum over b of (correct - confidence)|, in
[0, 1], lower is better. Bins are [j/B, (j+1)/B), the last one closed; B is 15 unless set. The confidence
must be a probability: values outside [0, 1] make it undefined and are never dropped.
Source: Guo et al. (arXiv 1706.04599), section 2; LM-Polygraph drops such values in silence.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def ece(sample: Sample) -> Floats:
    """Calibration error over equal-width bins, shape [R]."""
    edges = sample.counted.bin_edges  # groups above each bin's lower edge, shape [bins]
    at_edges = np.zeros((len(sample.gap_to), len(edges) + 1))
    reached = edges > 0
    at_edges[:, 1:][:, reached] = sample.gap_to[:, edges[reached] - 1]
    return divide(np.abs(np.diff(at_edges, axis=1)).sum(axis=1), sample.total)


ECE = Metric(
    name="ece",
    source="Guo et al. (arXiv 1706.04599), section 2",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=ece,
    probabilities=True,
    recentred=True,
)
