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
from demur.metrics.tables import inverses


def auprc_wrong(sample: Sample) -> Floats:
    """Average precision of errors, shape [R]."""
    shape, counts = sample.size.shape, sample.workspace.counts
    errors = np.subtract(sample.size, sample.hits, out=counts("errors", shape))  # [R, g]
    rows_from = np.subtract(sample.size, sample.size_to, out=counts("rows_from", shape))
    rows_from += sample.total[:, None]
    hits_from = np.subtract(sample.hits, sample.hits_to, out=counts("hits_from", shape))
    hits_from += sample.total_hits[:, None]
    inverse = np.take(
        inverses(sample.most), rows_from, out=sample.workspace.floats("at_ranks", shape), mode="clip"
    )
    total_errors = sample.total - sample.total_hits
    hits_from *= errors
    area = total_errors - np.einsum("rg,rg->r", hits_from, inverse)
    return divide(area, total_errors)


AUPRC_WRONG = Metric(
    name="auprc_wrong",
    title="AUPRC, wrong answers",
    meaning="do wrong answers come first when ordered by doubt? (average precision)",
    source="LM-Polygraph; scikit-learn",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no scored answer is wrong",
    ranked=auprc_wrong,
)
