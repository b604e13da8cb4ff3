"""Accuracy on willingly answered questions: of what the system answers, how much is right?

correct and answered / scored and answered, in [0, 1], higher is better. Unanswerable questions that are
answered count as wrong. Answering one sure question alone scores 1, so it stands beside coverage.
Source: R-Tuning (arXiv 2311.09677), section 4 ("accuracy on willingly answered").
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def accuracy_willing_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Right and answered rows; answered rows."""
    return counted.correct * counted.answered, counted.answered


ACCURACY_WILLING = Metric(
    name="accuracy_willing",
    title="Accuracy when answering",
    meaning="right answers among those it is willing to give",
    headline=True,
    percent=True,
    source="R-Tuning (arXiv 2311.09677), section 4",
    better="higher",
    span=(0, 1),
    needs=("verdict",),
    population="answered",
    undefined="the system answers nothing that was scored",
    columns=accuracy_willing_columns,
)
