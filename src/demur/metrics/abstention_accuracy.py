"""A-Acc: how often the decision to answer or to decline is the right one.

(right and answered + not right and declined) / all, in [0, 1], higher is better. What a declined answer
would have been is its verdict without the threshold; an unanswerable question is never right. Source:
Feng et al. (arXiv 2402.00367), section 3.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def abstention_accuracy_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Rightly answered or declined; all."""
    answered, right = counted.answered, counted.correct
    return right * answered + (1 - right) * (1 - answered), counted.ones


ABSTENTION_ACCURACY = Metric(
    name="abstention_accuracy",
    title="Abstention accuracy",
    meaning="share of decisions that were right: to answer right, or to decline a wrong answer",
    source="Feng et al. (arXiv 2402.00367), section 3",
    better="higher",
    span=(0, 1),
    needs=("outcome",),
    population="all",
    undefined="nothing was scored",
    columns=abstention_accuracy_columns,
)
