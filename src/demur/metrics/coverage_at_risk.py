"""Coverage at a risk of 5 %: the most that can be answered with at most one wrong answer in twenty.

The largest share of the questions that some threshold on the confidence answers with an error rate of at
most `RISK`, in [0, 1], higher is better. Thresholds lie between distinct confidences. Measured on the
very rows that choose the threshold, so it is no promise for others. Source: Geifman and El-Yaniv (arXiv
1705.08500); torch-uncertainty.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample

RISK = 0.05
"""The highest error rate among what is answered."""


def coverage_at_risk(sample: Sample) -> Floats:
    """Largest coverage within the risk, shape [R]."""
    if not len(sample.rows):
        return np.full(len(sample.total), np.nan)
    shape = sample.size_to.shape
    # The factor beside 1 is far below what one row more or less changes, and far above rounding.
    least = np.multiply(
        sample.size_to, (1 - RISK) * (1 - 1e-12), out=sample.workspace.floats("least", shape)
    )
    within = sample.hits_to >= least  # [R, g]
    last = shape[1] - 1 - np.argmax(within[:, ::-1], axis=1)
    rows = np.arange(len(last))
    most = np.where(within[rows, last], sample.size_to[rows, last], 0)
    return divide(np.where(most > 0, most, np.nan), sample.total)


COVERAGE_AT_RISK = Metric(
    name="coverage_at_risk",
    title="Coverage at 5% error",
    meaning="largest coverage of a threshold with at most 5% wrong answers",
    source="Geifman and El-Yaniv (arXiv 1705.08500)",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no threshold has an error rate that low",
    ranked=coverage_at_risk,
    rests_on=59,  # so many errorless answers show a risk of at most 5 %: .95^59 < .05
)
