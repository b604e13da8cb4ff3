"""ECE over equal-mass bins: every bin holds the same number of rows.

As `ece`, with bins cut at exact B-ths of the rows in falling confidence, in [0, 1], lower is better. A row
or a group of ties on a cut is shared between its bins in proportion, so the order of tied rows does not
matter; with bins of one row each the value is the mean |correct - confidence|.
Source: Nguyen and O'Connor (arXiv 1508.05154); Nixon et al. (arXiv 1904.01685). Deviation: shared rows,
where others round the cuts.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def ece_mass(sample: Sample) -> Floats:
    """Calibration error over equal-mass bins, shape [R]."""
    if not len(sample.rows):
        return np.full(len(sample.total), np.nan)
    bins = sample.rows.bins
    cuts = sample.total[:, None] * (np.arange(1, bins) / bins)  # [R, bins - 1]
    at_cuts = np.zeros((len(cuts), bins + 1))
    at_cuts[:, 1:-1] = _gap_within(sample, cuts)
    at_cuts[:, -1] = sample.gap_to[:, -1]
    return divide(np.abs(np.diff(at_cuts, axis=1)).sum(axis=1), sample.total)


def _gap_within(sample: Sample, cuts: Floats) -> Floats:
    """The gap summed over the first ``cuts`` rows, linear within a tie group; shape of ``cuts``.

    A group on a cut gives the gap down to it, less the share of its own gap that lies beyond the cut.
    """
    place = sample.first_reaching(cuts)
    beyond = sample.size_to.ravel()[place] - cuts
    share = beyond / np.maximum(sample.size.ravel()[place], 1)
    return np.asarray(sample.gap_to.ravel()[place] - share * sample.gap.ravel()[place])


ECE_MASS = Metric(
    name="ece_mass",
    title="ECE, equal mass",
    meaning="ECE with bins that hold equally many answers",
    source="Nguyen and O'Connor (arXiv 1508.05154); Nixon et al. (arXiv 1904.01685)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    ranked=ece_mass,
    probabilities=True,
    interval="calibration",
    chance=True,
)
