"""RMS calibration error over equal-width bins: as `ece`, with squared gaps, so that large ones count for
more.

sqrt(sum_b n_b/N (accuracy_b - mean confidence_b)^2), in [0, 1], lower is better; never below `ece`. The
same bins. Source: Hendrycks et al. (arXiv 1812.04606), section 4.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def rms_calibration_error(sample: Sample) -> Floats:
    """Root of the mean squared gap, shape [R]."""
    edges = sample.counted.bin_edges
    at_edges = np.zeros((2, len(sample.total), len(edges) + 1))
    reached = edges > 0
    for row, cumulative in enumerate((sample.gap_to, sample.size_to)):
        at_edges[row, :, 1:][:, reached] = cumulative[:, edges[reached] - 1]
    gaps, sizes = np.diff(at_edges, axis=2)
    return np.sqrt(divide(np.nansum(divide(gaps**2, sizes), axis=1), sample.total))


RMS_CALIBRATION_ERROR = Metric(
    name="rms_calibration_error",
    source="Hendrycks et al. (arXiv 1812.04606)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=rms_calibration_error,
    probabilities=True,
    recentred=True,
)
