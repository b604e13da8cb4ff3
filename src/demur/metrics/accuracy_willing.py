"""Accuracy on willingly answered questions: of what the system answers, how much is right?

correct and answered / scored and answered, in [0, 1], higher is better. Unanswerable questions that are
answered count as wrong. Answering one sure question alone scores 1, so it stands beside coverage.
Source: R-Tuning (arXiv 2311.09677), section 4 ("accuracy on willingly answered").
"""

from __future__ import annotations

from demur.metrics.base import Floats, Metric
from demur.metrics.sample import Sample


def accuracy_willing(sample: Sample) -> Floats:
    """Share of right answers among the answered rows, shape [R]."""
    answered = 1 - sample.rows.refused
    return sample.share(sample.correct * answered, answered)


ACCURACY_WILLING = Metric(
    name="accuracy_willing",
    source="R-Tuning (arXiv 2311.09677), section 4",
    better="higher",
    span=(0, 1),
    needs=("verdict",),
    population="answered",
    undefined="the system answers nothing that was scored",
    compute=accuracy_willing,
)
