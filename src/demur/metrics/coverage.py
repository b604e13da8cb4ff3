"""Coverage: share of questions that the system answers.

answered / all, in [0, 1]. Neither direction is better by itself: read it beside `accuracy_willing`.
Unanswerable questions count as well, so the table of verdicts belongs beside it.
Source: selective classification, El-Yaniv and Wiener, JMLR 2010; R-Tuning calls it the answer rate.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def coverage_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Answered rows; all rows."""
    return counted.answered, counted.ones


COVERAGE = Metric(
    name="coverage",
    title="Coverage",
    meaning="share of the questions that it is willing to answer",
    headline=True,
    percent=True,
    source="El-Yaniv and Wiener, JMLR 2010; answer rate in R-Tuning (arXiv 2311.09677)",
    better="neither",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="there is no question",
    columns=coverage_columns,
)
