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
    gaps, sizes = (np.diff(ends, axis=1) for ends in (sample.gap_to_edges, sample.at_edges(sample.size_to)))
    squares = (gaps**2 / np.maximum(sizes, 1)).sum(axis=1)  # a bin without rows has no gap
    return np.sqrt(divide(squares, sample.total))


RMS_CALIBRATION_ERROR = Metric(
    name="rms_calibration_error",
    title="RMS calibration error",
    meaning="ECE with squared gaps, which weighs large gaps more",
    source="Hendrycks et al. (arXiv 1812.04606)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=rms_calibration_error,
    probabilities=True,
    interval="calibration",
    chance=True,
)
