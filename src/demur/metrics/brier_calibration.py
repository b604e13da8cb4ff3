"""Calibration part of the Brier score: how far confidences are from how often answers with them are
right.

(1/N) sum over distinct confidences of n (confidence - accuracy among them)^2, in [0, 1], lower is
better. With `brier_refinement` it adds up to `brier` exactly. Where confidences hardly repeat it is
nearly the Brier score itself: read it for stated percentages, not for fine-grained probabilities.
Source: Murphy, Journal of Applied Meteorology 1973; DeGroot and Fienberg, The Statistician 1983.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def brier_calibration(sample: Sample) -> Floats:
    """Mean squared gap of the groups of equal confidence, shape [R]."""
    squares = divide(sample.gap**2, sample.size.astype(float))
    return divide(np.nansum(squares, axis=1), sample.total)


BRIER_CALIBRATION = Metric(
    name="brier_calibration",
    source="Murphy, J. Appl. Meteorology 1973; DeGroot and Fienberg 1983",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=brier_calibration,
    probabilities=True,
    recentred=True,
)
