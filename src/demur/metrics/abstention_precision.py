"""Abstention precision: of what is declined, how much should be?

declined and unanswerable / declined, in [0, 1], higher is better. Undefined where no
question is unanswerable, as recall is: nothing could be detected. Source: AbstentionBench (arXiv
2506.09038).
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, guarded_quotient
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_precision_columns(counted: Counted) -> tuple[Floats, ...]:
    """Declined and unanswerable; declined; unanswerable."""
    unanswerable = np.logical_not(counted.rows.answerable).astype(np.float64)
    return counted.rows.refused * unanswerable, counted.rows.refused, unanswerable


ABSTENTION_PRECISION = Metric(
    name="abstention_precision",
    title="Abstention precision",
    meaning="share of the declined questions that have no answer",
    source="AbstentionBench (arXiv 2506.09038)",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="nothing is declined, or no question is unanswerable",
    columns=abstention_precision_columns,
    combine=guarded_quotient,
)
