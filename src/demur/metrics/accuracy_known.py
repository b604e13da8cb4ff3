"""US-Tuning's accuracy on known questions: of what can be answered, how much is answered right?

right and answered / answerable, in [0, 1], higher is better. A declined question counts against it.
Source: US-Tuning (arXiv 2406.10099), section 4. Deviation: judged by rule, without adding words of the gold
answer as answers of their own, as the released code does.
"""

from __future__ import annotations

from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def accuracy_known_columns(counted: Counted) -> tuple[Floats, Floats]:
    """Right and answered; all."""
    return counted.correct * counted.answered, counted.ones


ACCURACY_KNOWN = Metric(
    name="accuracy_known",
    title="Accuracy, known questions",
    meaning="share of the questions with an answer that it answers right",
    source="US-Tuning (arXiv 2406.10099), section 4",
    better="higher",
    span=(0, 1),
    needs=("outcome",),
    population="answerable",
    undefined="no answerable question was scored",
    columns=accuracy_known_columns,
)
