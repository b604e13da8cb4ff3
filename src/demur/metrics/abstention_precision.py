"""Abstention precision: of what is declined, how much should be?

declined and unanswerable / declined, in [0, 1], higher is better. Source: AbstentionBench (arXiv
2506.09038).
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_precision_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Declined and unanswerable; declined."""
    return counted.rows.refused * ~counted.rows.answerable, counted.rows.refused


ABSTENTION_PRECISION = Metric(
    name="abstention_precision",
    title="Abstention precision",
    meaning="share of the declined questions that have no answer",
    source="AbstentionBench (arXiv 2506.09038)",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="nothing is declined",
    columns=abstention_precision_columns,
)
