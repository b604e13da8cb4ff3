"""A-F1: declining as the detection of answers that would not be right.

2 D / (2 D + B + C), with D not right and declined, B right and declined, C not right and answered: the
harmonic mean of D / (B + D) and D / (C + D), in [0, 1], higher is better. Source: Feng et al. (arXiv
2402.00367), section 3.
"""

from __future__ import annotations

from demur.metrics.base import Floats, guarded_quotient
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_wrong_f1_columns(counted: Counted) -> tuple[Floats, ...]:
    """Twice the rightly declined; declined plus not right; each of the two."""
    wrong, declined = 1 - counted.correct, counted.rows.refused
    return 2 * wrong * declined, declined + wrong, declined, wrong


ABSTENTION_WRONG_F1 = Metric(
    name="abstention_wrong_f1",
    title="Abstention F1, wrong answers",
    meaning="F1 of declining as a detector of wrong answers",
    source="Feng et al. (arXiv 2402.00367), section 3",
    better="higher",
    span=(0, 1),
    needs=("outcome",),
    population="all",
    undefined="nothing is declined, or nothing is wrong",
    columns=abstention_wrong_f1_columns,
    combine=guarded_quotient,
)
