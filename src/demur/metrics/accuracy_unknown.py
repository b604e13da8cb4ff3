"""US-Tuning's accuracy on unknown questions: of what cannot be answered, how much is declined?

declined / unanswerable, in [0, 1], higher is better. Always declining scores 1: it stands beside
`accuracy_known`. Source: US-Tuning (arXiv 2406.10099), section 4.
"""

from __future__ import annotations

from demur.metrics.abstention_recall import abstention_recall_columns
from demur.metrics.metric import Metric

ACCURACY_UNKNOWN = Metric(
    name="accuracy_unknown",
    title="Accuracy, unknown questions",
    meaning="abstention recall by its name in US-Tuning: share of unanswerable questions declined",
    source="US-Tuning (arXiv 2406.10099), section 4",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="no question is unanswerable",
    columns=abstention_recall_columns,
)
