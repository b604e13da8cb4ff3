"""AUROC: the chance that a right answer has more confidence than a wrong one.

P(s_right > s_wrong) + P(s_right = s_wrong) / 2, in [0, 1], higher is better, 0.5 by chance.
Source: Hanley and McNeil, Radiology 1982; as used for confidence in LM-Polygraph.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def auroc(sample: Sample) -> Floats:
    """Area under the ROC curve, shape [R].

    A right row loses to the wrong rows above its tie group, and by half to those in it. Count for each
    right row the rows above its group and half of the group: P^2 / 2 are right, the rest are losses.
    """
    right = sample.total_hits
    wrong = sample.total - right
    lost = sample.right_pairs - 0.5 * right.astype(np.float64) ** 2
    return divide(right * wrong - lost, right * wrong)


AUROC = Metric(
    name="auroc",
    title="AUROC",
    meaning="chance that a right answer is trusted more than a wrong one; 50% is a coin",
    headline=True,
    source="Hanley and McNeil, Radiology 1982",
    better="higher",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no scored answer is right, or none is wrong",
    ranked=auroc,
)
