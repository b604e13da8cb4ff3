"""US-Tuning's accuracy on unknown questions: of what cannot be answered, how much is declined?

declined / unanswerable, in [0, 1], higher is better. Always declining scores 1: it stands beside
`accuracy_known`. Source: US-Tuning (arXiv 2406.10099), section 4.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric
from demur.metrics.sample import Counted


def accuracy_unknown_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Declined and unanswerable; unanswerable."""
    unanswerable = np.logical_not(counted.rows.answerable).astype(np.float64)
    return counted.rows.refused * unanswerable, unanswerable


ACCURACY_UNKNOWN = Metric(
    name="accuracy_unknown",
    source="US-Tuning (arXiv 2406.10099), section 4",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="no question is unanswerable",
    columns=accuracy_unknown_columns,
)
