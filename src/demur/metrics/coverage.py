"""Coverage: share of questions that the system answers.

answered / all, in [0, 1]. Neither direction is better by itself: read it beside `accuracy_willing`.
Unanswerable questions count as well, so the table of verdicts belongs beside it.
Source: selective classification, El-Yaniv and Wiener, JMLR 2010; R-Tuning calls it the answer rate.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric
from demur.metrics.sample import Sample


def coverage(sample: Sample) -> Floats:
    """Share of rows not declined, shape [R]."""
    return sample.share(1 - sample.rows.refused, np.ones(len(sample.rows)))


COVERAGE = Metric(
    name="coverage",
    source="El-Yaniv and Wiener, JMLR 2010; answer rate in R-Tuning (arXiv 2311.09677)",
    better="neither",
    span=(0, 1),
    needs=(),
    population="all",
    undefined="there is no question",
    compute=coverage,
)
