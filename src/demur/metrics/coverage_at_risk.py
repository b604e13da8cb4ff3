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
    errors = sample.size_to - sample.hits_to  # [R, g]
    within = (errors <= RISK * sample.size_to) & (sample.size > 0)
    most = np.where(within, sample.size_to, 0).max(axis=1)
    return divide(np.where(most > 0, most, np.nan), sample.total)


COVERAGE_AT_RISK = Metric(
    name="coverage_at_risk",
    source="Geifman and El-Yaniv (arXiv 1705.08500)",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no threshold has an error rate that low",
    ranked=coverage_at_risk,
    recentred=True,
)
