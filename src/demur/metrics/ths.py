"""THS: truthful helpfulness score, right answers less the wrong ones at the untuned model's own rate of
exchange.

Pc - Pw Pc0 / Pw0, with Pc and Pw the shares of all questions answered right and wrong, 0 for the
reference system: the untuned model scores 0, and so does declining at random; at most 1, higher is
better. Source: CRaFT (arXiv 2410.06913), section 5; ``cal_metric.py``.
"""

from __future__ import annotations

import math

import numpy as np

from demur.metrics.base import WRONG, Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


def ths_columns(counted: Counted) -> tuple[Floats, ...]:
    """Right now, wrong now, right before, wrong before, all."""
    wrong_before = np.equal(counted.rows.before, WRONG).astype(np.float64)
    answered = counted.answered
    return (
        counted.correct * answered,
        (1 - counted.correct) * answered,
        counted.right_before,
        wrong_before,
        counted.ones,
    )


def ths(sums: Floats) -> Floats:
    """The score, shape [R]."""
    right, wrong, right_before, wrong_before, total = sums.T
    return divide(right - wrong * divide(right_before, wrong_before), total)


THS = Metric(
    name="ths",
    title="THS",
    meaning="right answers minus wrong ones, at the rate of the base model; 0 is no gain",
    source="CRaFT (arXiv 2410.06913), section 5",
    better="higher",
    span=(-math.inf, 1),
    needs=("outcome", "before"),
    population="all",
    undefined="nothing was answered wrongly before",
    columns=ths_columns,
    combine=ths,
    interval="open",
)
