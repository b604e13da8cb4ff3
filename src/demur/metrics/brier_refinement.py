"""Refinement part of the Brier score: how mixed right and wrong answers of equal confidence are.

(1/N) sum over distinct confidences of n accuracy (1 - accuracy), in [0, 1/4], lower is better; 0 where
every confidence is always right or always wrong. With `brier_calibration` it adds up to `brier` exactly.
Source: Murphy, Journal of Applied Meteorology 1973; DeGroot and Fienberg, The Statistician 1983.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def brier_refinement(sample: Sample) -> Floats:
    """Mean variance of right and wrong within the groups of equal confidence, shape [R]."""
    mixed = sample.counted.mixed  # the other groups do not vary
    hits, size = sample.hits[:, mixed], sample.size[:, mixed]
    within = hits - hits.astype(float) ** 2 / np.maximum(size, 1)
    return divide(within.sum(axis=1), sample.total)


BRIER_REFINEMENT = Metric(
    name="brier_refinement",
    title="Brier, refinement part",
    meaning="part of Brier that remains when every confidence is right",
    source="Murphy, J. Appl. Meteorology 1973; DeGroot and Fienberg 1983",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=brier_refinement,
    probabilities=True,
    interval="calibration",
)
