"""Brier score: mean squared distance of confidence from correctness.

(1/N) sum (confidence - correct)^2, in [0, 1], lower is better; it rewards both calibration and order. The
confidence must be a probability. Source: Brier, Monthly Weather Review 1950; scikit-learn.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def brier_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Squared errors; all rows."""
    return (counted.rows.confidence - counted.correct) ** 2, counted.ones


BRIER = Metric(
    name="brier",
    title="Brier",
    meaning="squared distance between confidence and outcome",
    headline=True,
    source="Brier, Monthly Weather Review 1950; scikit-learn",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    columns=brier_columns,
    probabilities=True,
)
