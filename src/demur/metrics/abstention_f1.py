"""Abstention F1: harmonic mean of `abstention_precision` and `abstention_recall`.

2 (declined and unanswerable) / (declined + unanswerable), in [0, 1], higher is better; undefined where one
of the two is. Source: AbstentionBench (arXiv 2506.09038).
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, guarded_quotient
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_f1_columns(counted: Counted) -> tuple[Floats, ...]:
    """Twice the declined and unanswerable; declined plus unanswerable; each of the two."""
    unanswerable = np.logical_not(counted.rows.answerable).astype(np.float64)
    declined = counted.rows.refused
    return 2 * declined * unanswerable, declined + unanswerable, declined, unanswerable


ABSTENTION_F1 = Metric(
    name="abstention_f1",
    title="Abstention F1",
    meaning="harmonic mean of abstention precision and recall",
    source="AbstentionBench (arXiv 2506.09038)",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="nothing is declined, or no question is unanswerable",
    columns=abstention_f1_columns,
    combine=guarded_quotient,
)
