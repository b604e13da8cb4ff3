"""AUPRC of errors: does low confidence put wrong answers first?

Average precision with *wrong* as the positive class and rising confidence, in [0, 1], higher is better.
Chance level is the error rate. Tied confidences are one threshold. With `ap`, the two sides of the
precision-recall picture. Source: LM-Polygraph, ``ue_metrics``; scikit-learn's
``average_precision_score``. Deviation: undefined, not 0, where nothing is wrong.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def auprc_wrong(sample: Sample) -> Floats:
    """Average precision of errors, shape [R]."""
    errors = sample.size - sample.hits  # [R, g]
    above = sample.size_to - sample.size  # rows of higher confidence
    errors_above = above - (sample.hits_to - sample.hits)
    total_errors = sample.total - sample.total_hits
    rows_from = sample.total[:, None] - above
    precision = divide((total_errors[:, None] - errors_above).astype(float), rows_from)
    return divide(np.nansum(errors * precision, axis=1), total_errors)


AUPRC_WRONG = Metric(
    name="auprc_wrong",
    source="LM-Polygraph; scikit-learn",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no scored answer is wrong",
    ranked=auprc_wrong,
)
