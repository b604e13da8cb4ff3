"""The calibration error that chance alone gives: what a calibrated model with these confidences would have.

Every right or wrong is drawn anew with the confidence as its probability, and the same metric is computed
from the draws. A calibration error is never below 0, so even a calibrated model has one; it falls with the
number of questions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from demur.metrics.base import Floats, Index
from demur.metrics.bootstrap import CHUNK_ELEMENTS
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted, Sample, Weights, Workspace

DRAWS = 400
"""Calibrated models that are drawn."""


@dataclass(frozen=True)
class CalibratedSample(Sample):
    """Rows whose answers are right as often as their confidence says, drawn R times."""

    uniform: Floats
    """Numbers in [0, 1), shape [R, n]."""

    @cached_property
    def gap(self) -> Floats:
        """Sum of (right - confidence) in each tie group; shape [R, g]."""
        confidence = self.rows.confidence[self.counted.falling]
        return self._grouped((self.uniform < confidence) - confidence)


def calibrated_errors(metrics: list[Metric], counted: Counted, *, seed: int) -> Floats:
    """Calibration errors of calibrated models, shape [metrics, `DRAWS`].

    Draws depend on the seed and on the number of rows alone.
    """
    n = len(counted.rows)
    step = max(1, CHUNK_ELEMENTS // max(n, 1))
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}/{n}".encode()).digest()[:8]))
    workspace, found = Workspace(), []
    plain = Counted(counted.rows, np.arange(n))
    for start in range(0, DRAWS, step):
        rows = min(step, DRAWS - start)
        weights = Weights(np.ones((rows, n), np.intp), workspace)
        sample = CalibratedSample(plain, weights, generator.random((rows, n)))
        found.append([metric.compute(sample) for metric in metrics])
    return np.concatenate([np.array(part) for part in found], axis=1)


def spread_by_groups(counted: Counted, clusters: Index) -> float:
    """How many times larger sums of (right - expected) within bins are than without groups; at least 1.

    Args:
        clusters: the group of each question of the split.
    """
    rows, bins = counted.rows, _bins(counted)
    share = np.bincount(bins, counted.correct, rows.bins) / np.maximum(
        np.bincount(bins, minlength=rows.bins), 1
    )
    rest = counted.correct - share[bins]
    groups, whose = np.unique(clusters[counted.columns], return_inverse=True)
    cells = np.bincount(whose * rows.bins + bins, rest, len(groups) * rows.bins).reshape(-1, rows.bins)
    alone = np.sqrt(np.bincount(bins, rest**2, rows.bins)).sum()
    return max(1.0, float(np.sqrt((cells**2).sum(axis=0)).sum() / alone)) if alone else 1.0


def left_by_chance(counted: Counted) -> float:
    """What part of a calibrated model's error chance may have added to this one; in (0, 1].

    A gap with standard error s raises the error by s h(d), where d is the true gap in standard errors and
    h(d) = E|d + Z| - d falls from h(0). In each equal-width bin d is taken to be two standard errors
    below what is seen, and at least 0.
    """
    rows, bins = counted.rows, _bins(counted)
    size = np.bincount(bins, minlength=rows.bins)
    gap = np.abs(np.bincount(bins, counted.correct - rows.confidence, rows.bins))
    error = np.sqrt(np.bincount(bins, rows.confidence * (1 - rows.confidence), rows.bins))
    error, gap = error[(size > 0) & (error > 0)], gap[(size > 0) & (error > 0)]
    d = np.maximum(gap / error - 2, 0)
    added = 2 * stats.norm.pdf(d) - 2 * d * stats.norm.sf(d)
    return float((error * added).sum() / (error.sum() * 2 * stats.norm.pdf(0))) if len(error) else 1.0


def _bins(counted: Counted) -> Index:
    """The equal-width bin of each row, shape [n]."""
    rows = counted.rows
    return np.minimum((rows.confidence * rows.bins).astype(np.intp), rows.bins - 1)
