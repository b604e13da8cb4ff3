"""ECE over equal-mass bins: every bin holds the same number of rows.

As `ece`, with bins cut at exact B-ths of the rows in falling confidence, in [0, 1], lower is better. A row or
a group of ties on a cut is shared between its two bins in proportion, so the order of tied rows does not
matter; with fewer rows than bins each row is its own bin and the value is the mean |correct - confidence|.
Source: Nguyen and O'Connor (arXiv 1508.05154); Nixon et al. (arXiv 1904.01685). Deviation: shared rows,
where others round the cuts.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric, divide
from demur.metrics.sample import Sample


def ece_mass(sample: Sample) -> Floats:
    """Calibration error over equal-mass bins, shape [R]."""
    groups = sample.size.shape[1]
    if not groups:
        return np.full(len(sample.size), np.nan)
    bins = sample.rows.bins
    cuts = sample.total[:, None] * (np.arange(1, bins) / bins)  # [R, bins - 1]
    at_cuts = np.zeros((len(cuts), bins + 1))
    at_cuts[:, -1] = sample.gap_to[:, -1]
    at_cuts[:, 1:-1] = _interpolated(sample, cuts)
    return divide(np.abs(np.diff(at_cuts, axis=1)).sum(axis=1), sample.total)


def _interpolated(sample: Sample, cuts: Floats) -> Floats:
    """The gap summed over the first ``cuts`` rows, linear within a tie group; shape of ``cuts``."""
    group = _first_reaching(sample.size_to, cuts)
    size = np.take_along_axis(sample.size, group, axis=1)
    before = np.take_along_axis(sample.size_to, group, axis=1) - size
    start = np.take_along_axis(sample.gap_to, group, axis=1)
    end = np.take_along_axis(sample.gap_to, group + 1, axis=1)
    return start + (end - start) * (cuts - before) / np.maximum(size, 1)


def _first_reaching(size_to: np.ndarray, cuts: Floats) -> np.ndarray:
    """The first group at which each row of ``size_to`` reaches each cut; shape of ``cuts``.

    One search serves all sets of weights: row r is lifted by r times more than any count can reach.
    """
    lift = (int(size_to[:, -1].max()) + 1) * np.arange(len(size_to), dtype=np.float64)[:, None]
    position = np.searchsorted((size_to + lift).ravel(), (cuts + lift).ravel(), side="left")
    groups = size_to.shape[1]
    group = position.reshape(cuts.shape) - groups * np.arange(len(size_to))[:, None]
    return np.clip(group, 0, groups - 1)


ECE_MASS = Metric(
    name="ece_mass",
    source="Nguyen and O'Connor (arXiv 1508.05154); Nixon et al. (arXiv 1904.01685)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored, or a confidence lies outside [0, 1]",
    compute=ece_mass,
    probabilities=True,
)
