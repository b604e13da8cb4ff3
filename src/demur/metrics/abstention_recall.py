"""Abstention recall: of what should be declined, how much is?

declined and unanswerable / unanswerable, in [0, 1], higher is better. Always declining scores 1: read it
beside `abstention_precision`. Source: AbstentionBench (arXiv 2506.09038).
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_recall_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Declined and unanswerable; unanswerable."""
    unanswerable = np.logical_not(counted.rows.answerable).astype(np.float64)
    return counted.rows.refused * unanswerable, unanswerable


ABSTENTION_RECALL = Metric(
    name="abstention_recall",
    title="Abstention recall",
    meaning="share of the questions without an answer that it declines",
    source="AbstentionBench (arXiv 2506.09038)",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="no question is unanswerable",
    columns=abstention_recall_columns,
)
