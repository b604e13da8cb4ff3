"""US-Tuning's F1: harmonic mean of `accuracy_known` and `accuracy_unknown`.

In [0, 1], higher is better; 0 for always and for never declining. Source: US-Tuning (arXiv 2406.10099),
section 4.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def us_tuning_f1_columns(counted: Counted) -> tuple[Floats, ...]:
    """Right, answered and answerable; answerable; declined and unanswerable; unanswerable."""
    answerable = counted.rows.answerable.astype(np.float64)
    right = counted.correct * counted.answered * answerable
    return right, answerable, counted.rows.refused * (1 - answerable), 1 - answerable


def us_tuning_f1(sums: Floats) -> Floats:
    """Harmonic mean of the two accuracies, shape [R]; 0 where both are."""
    known, unknown = divide(sums[:, 0], sums[:, 1]), divide(sums[:, 2], sums[:, 3])
    both = known + unknown
    return np.where(both == 0, 0.0, divide(2 * known * unknown, both))


US_TUNING_F1 = Metric(
    name="us_tuning_f1",
    title="US-Tuning F1",
    meaning="harmonic mean of accuracy on known and on unknown questions",
    source="US-Tuning (arXiv 2406.10099), section 4",
    better="higher",
    span=(0, 1),
    needs=("outcome",),
    population="all",
    undefined="there is no answerable or no unanswerable question",
    columns=us_tuning_f1_columns,
    combine=us_tuning_f1,
    interval="two_shares",
)
