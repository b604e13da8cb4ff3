"""Average precision: does confidence put right answers first?

AP = sum over distinct thresholds of (R_k - R_{k-1}) P_k, in [0, 1], higher is better; P and R are precision
and recall of "right" among the answers at or above the threshold. Chance level is the accuracy, so APs of
models with different accuracy do not compare without it. Tied confidences are one threshold.
Source: R-Tuning (arXiv 2311.09677), section 4; scikit-learn's ``average_precision_score``. Deviation:
undefined, not 0, where nothing is right.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample
from demur.metrics.tables import inverses


def ap(sample: Sample) -> Floats:
    """Average precision, shape [R]."""
    precision = sample.at_ranks(inverses(sample.most))  # [R, g]; 0 before the first row
    precision *= sample.hits_to
    area = np.einsum("rg,rg->r", sample.hits, precision)
    return divide(area, sample.total_hits)


AP = Metric(
    name="ap",
    title="AP",
    meaning="do right answers come first when ordered by confidence? (average precision)",
    headline=True,
    source="R-Tuning (arXiv 2311.09677), section 4; scikit-learn",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no scored answer is right",
    ranked=ap,
)
