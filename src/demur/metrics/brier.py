"""Brier score: mean squared distance of confidence from correctness.

(1/N) sum (confidence - correct)^2, in [0, 1], lower is better; it rewards both calibration and order. The
confidence must be a probability. Source: Brier, Monthly Weather Review 1950; scikit-learn.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric
from demur.metrics.sample import Sample


def brier(sample: Sample) -> Floats:
    """Mean squared error of the confidence, shape [R]."""
    return sample.share((sample.rows.confidence - sample.correct) ** 2, np.ones(len(sample.rows)))


BRIER = Metric(
    name="brier",
    source="Brier, Monthly Weather Review 1950; scikit-learn",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    compute=brier,
    probabilities=True,
)
