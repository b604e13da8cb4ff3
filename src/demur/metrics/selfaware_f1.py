"""SelfAware's F1: unanswerable questions as the positive class, declined as their detection.

The same count as `abstention_f1`, under the name by which it is published; in [0, 1], higher is better.
Source: SelfAware (arXiv 2305.18153), section 4. Deviation: what counts as declined is Demur's verdict, not
sixteen phrases or a similarity of sentences above .75.
"""

from __future__ import annotations

from demur.metrics.abstention_f1 import abstention_f1_columns
from demur.metrics.base import guarded_quotient
from demur.metrics.metric import Metric

SELFAWARE_F1 = Metric(
    name="selfaware_f1",
    title="SelfAware F1",
    meaning="abstention F1 as SelfAware defines it",
    source="SelfAware (arXiv 2305.18153), section 4",
    better="higher",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="nothing is declined, or no question is unanswerable",
    columns=abstention_f1_columns,
    combine=guarded_quotient,
)
