"""Accuracy: share of answerable questions whose answer is right, refusals by threshold ignored.

correct / scored, in [0, 1], higher is better. An answer that declines in words is not right. This is the
knowledge of the model itself: refusing does not change it, tuning that ruins knowledge does.
Source: R-Tuning (arXiv 2311.09677), section 4.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def accuracy_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Right answers; all rows."""
    return counted.correct, counted.ones


ACCURACY = Metric(
    name="accuracy",
    title="Accuracy",
    meaning="right answers among all, its refusals ignored: what the model knows",
    headline=True,
    percent=True,
    source="R-Tuning (arXiv 2311.09677), section 4",
    better="higher",
    span=(0, 1),
    needs=("verdict",),
    population="answerable",
    undefined="no answerable question was scored",
    columns=accuracy_columns,
)
