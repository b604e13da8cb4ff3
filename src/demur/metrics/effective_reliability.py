"""Effective reliability: right answers minus wrong ones, over all questions.

(right and answered - wrong and answered) / all, in [-1, 1], higher is better; declining counts 0, so
answering pays from an even chance of being right. Source: Whitehead et al. (arXiv 2204.13631);
Feng et al. (arXiv 2402.00367).
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def effective_reliability_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Right minus wrong among what is answered; all."""
    return (2 * counted.correct - 1) * counted.answered, counted.ones


EFFECTIVE_RELIABILITY = Metric(
    name="effective_reliability",
    title="Effective reliability",
    meaning="right minus wrong answers it is willing to give, over all questions",
    source="Whitehead et al. (arXiv 2204.13631)",
    better="higher",
    span=(-1, 1),
    needs=("outcome",),
    population="all",
    undefined="nothing was scored",
    columns=effective_reliability_columns,
)
