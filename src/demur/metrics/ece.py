"""ECE: expected calibration error over equal-width bins.

sum_b n_b/N |accuracy_b - mean confidence_b| = (1/N) sum_b |sum over b of (correct - confidence)|, in
[0, 1], lower is better. Bins are [j/B, (j+1)/B), the last one closed; B is 15 unless set. The confidence
must be a probability: values outside [0, 1] make it undefined and are never dropped.
Source: Guo et al. (arXiv 1706.04599), section 2; LM-Polygraph drops such values in silence.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def ece(sample: Sample) -> Floats:
    """Calibration error over equal-width bins, shape [R]."""
    return divide(np.abs(np.diff(sample.gap_to_edges, axis=1)).sum(axis=1), sample.total)


ECE = Metric(
    name="ece",
    title="ECE",
    meaning="how far the stated confidence is from the share of right answers",
    headline=True,
    source="Guo et al. (arXiv 1706.04599), section 2",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=ece,
    probabilities=True,
    interval="calibration",
    chance=True,
)
