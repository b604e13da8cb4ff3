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
    counted = sample.counted
    mixed = counted.mixed
    squares = sample.gap[:, mixed] ** 2 / np.maximum(sample.size[:, mixed], 1)
    # In the other groups all rows have one gap, so that its square is that of each row.
    alike = np.empty(len(counted.rows))
    alike[counted.falling] = ~np.repeat(mixed, np.diff(counted.starts, append=len(alike)))
    single = sample.sums(alike * (counted.correct - counted.rows.confidence) ** 2)
    return divide(squares.sum(axis=1) + single[:, 0], sample.total)


BRIER_CALIBRATION = Metric(
    name="brier_calibration",
    title="Brier, calibration part",
    meaning="part of Brier that comes from confidences that are too high or too low",
    source="Murphy, J. Appl. Meteorology 1973; DeGroot and Fienberg 1983",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=brier_calibration,
    probabilities=True,
    interval="calibration",
)
