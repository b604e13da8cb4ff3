"""Refusal rate: share of questions that the system declines, by threshold or in words.

declined / all = 1 - coverage, in [0, 1]. Always refusing wins it, so it is no score by itself: on
unanswerable questions more is better, on answerable ones that the model knows less is.
Source: R-Tuning (arXiv 2311.09677), its figures on unanswerable questions.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def refusal_rate_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Declined rows; all rows."""
    return counted.rows.refused, counted.ones


REFUSAL_RATE = Metric(
    name="refusal_rate",
    title="Refusal rate",
    meaning="share of the questions that it declines",
    percent=True,
    source="R-Tuning (arXiv 2311.09677)",
    better="neither",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="there is no question",
    columns=refusal_rate_columns,
)
