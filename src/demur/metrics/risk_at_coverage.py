"""Risk at a coverage of 80 %: the error rate when the surest four fifths are answered.

(errors among the first k) / k at k = `COVERAGE` N with rows in falling confidence, in [0, 1], lower is
better. Where the cut falls into tied rows or between two, errors count in proportion. Source: Geifman
and El-Yaniv (arXiv 1705.08500); torch-uncertainty. Deviation: the tie rule.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample

COVERAGE = 0.8
"""The share of the questions that is answered."""


def risk_at_coverage(sample: Sample) -> Floats:
    """Error rate at the coverage, shape [R]."""
    if not len(sample.rows):
        return np.full(len(sample.total), np.nan)
    cut = COVERAGE * sample.total.astype(np.float64)  # [R]
    place = sample.first_reaching(cut[:, None])[:, 0]  # the tie group on the cut
    size_to, hits_to, size, hits = (
        counts.ravel()[place] for counts in (sample.size_to, sample.hits_to, sample.size, sample.hits)
    )
    rate = divide(size - hits, size)
    errors = (size_to - hits_to) - np.nan_to_num(rate) * (size_to - cut)
    return divide(errors, cut)


RISK_AT_COVERAGE = Metric(
    name="risk_at_coverage",
    title="Error at 80% coverage",
    meaning="share of wrong answers among the surest 80%",
    source="Geifman and El-Yaniv (arXiv 1705.08500)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored",
    ranked=risk_at_coverage,
)
