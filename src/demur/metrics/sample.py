"""Rows under many sets of weights at once: what every metric is computed from.

The first set of weights is all ones and gives the value; the others are bootstrap counts. Weights are whole
numbers, and a metric under weights equals the metric of the rows repeated that often. The rows are sorted
by confidence once; each set of weights is then a pass over that order.

Axes: R sets of weights, N questions of the split, n rows that count, g groups of tied confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from demur.metrics.base import CORRECT, Bools, Counts, Floats, Index, Rows

AnyArray = TypeVar("AnyArray", Counts, Floats)


@dataclass(frozen=True)
class Weights:
    """How often each of N questions counts, R times over."""

    counts: Counts
    """Whole numbers, shape [R, N]."""

    @classmethod
    def ones(cls, n: int) -> Weights:
        """Every question once, R = 1."""
        return cls(np.ones((1, n), np.intp))

    @cached_property
    def real(self) -> Floats:
        """The counts as floats, shape [R, N], for sums of real values."""
        return self.counts.astype(np.float64)


@dataclass(frozen=True)
class Counted:
    """The rows that count for a metric, n of them."""

    rows: Rows
    columns: Index
    """Each row's question, as a column of the weights; shape [n]."""

    @classmethod
    def of(cls, rows: Rows, mask: Bools, columns: Index | None = None) -> Counted:
        """The rows within a mask, where row i is question ``columns[i]`` (by default i)."""
        where = np.flatnonzero(mask)
        return cls(rows.take(where), where if columns is None else columns[where])

    @cached_property
    def correct(self) -> Floats:
        """1 where the answer is right, 0 where it is wrong or declines in words; shape [n]."""
        return (self.rows.verdict == CORRECT).astype(np.float64)

    @cached_property
    def ones(self) -> Floats:
        """1 for every row, shape [n]."""
        return np.ones(len(self.rows))

    @cached_property
    def answered(self) -> Floats:
        """Probability that the row is answered, shape [n]."""
        return 1 - self.rows.refused

    @cached_property
    def right_before(self) -> Floats:
        """1 where the reference system was right, shape [n]."""
        return (self.rows.before == CORRECT).astype(np.float64)

    @cached_property
    def not_right_before(self) -> Floats:
        """1 where the reference system was wrong or declined, shape [n]."""
        return 1 - self.right_before

    @cached_property
    def falling(self) -> Index:
        """The order of falling confidence, shape [n]."""
        return np.argsort(-self.rows.confidence, kind="stable")

    @cached_property
    def starts(self) -> Index:
        """Where each group of tied confidence starts in that order, shape [g]."""
        confidence = self.rows.confidence[self.falling]
        return np.flatnonzero(
            np.concatenate([[True], confidence[1:] != confidence[:-1]])[: len(confidence)]
        )

    @cached_property
    def error_rate(self) -> Floats | None:
        """Error rate of each tie group, shape [g]; None where a group mixes right and wrong rows.

        Only then does it depend on the weights.
        """
        correct = self.correct[self.falling]
        if not len(correct):
            return np.zeros(0)
        lowest = np.minimum.reduceat(correct, self.starts)
        mixed = lowest != np.maximum.reduceat(correct, self.starts)
        return None if mixed.any() else 1 - lowest

    @cached_property
    def bin_edges(self) -> Index:
        """How many tie groups lie above the lower edge of each equal-width bin, top bin first; shape [bins].

        Bins are [j/bins, (j+1)/bins), the last one closed.
        """
        confidence = self.rows.confidence[self.falling][self.starts]
        lower = np.arange(self.rows.bins - 1, -1, -1) / self.rows.bins
        return np.searchsorted(-confidence, -lower, side="right")


@dataclass(frozen=True)
class Sample:
    """Counted rows under R sets of weights. Metrics see only rows that have all they need."""

    counted: Counted
    weights: Weights

    @property
    def rows(self) -> Rows:
        """The n rows that count."""
        return self.counted.rows

    def sums(self, *columns: Floats) -> Floats:
        """Weighted sums of row values of shape [n] each; shape [R, number of columns]."""
        values = np.zeros((self.weights.counts.shape[1], len(columns)))
        values[self.counted.columns] = np.stack(columns, axis=1)
        return self.weights.real @ values

    def once(self, compute: Callable[[Sample], Floats]) -> Floats:
        """A metric of this sample, computed at the first call: some metrics are parts of others."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return self._computed[compute]

    @cached_property
    def _computed(self) -> dict[Callable[[Sample], Floats], Floats]:
        return {}

    @cached_property
    def _sorted_counts(self) -> Counts:
        """Counts of the rows in falling confidence, shape [R, n]."""
        return self.weights.counts[:, self.counted.columns[self.counted.falling]]

    @cached_property
    def size(self) -> Counts:
        """Weighted rows in each tie group, falling confidence; shape [R, g]."""
        return self._grouped(self._sorted_counts)

    @cached_property
    def hits(self) -> Counts:
        """Weighted correct rows in each tie group; shape [R, g]."""
        return self._grouped(
            self._sorted_counts * self.counted.correct[self.counted.falling].astype(np.intp)
        )

    @cached_property
    def size_to(self) -> Index:
        """Weighted rows down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.size, axis=1, dtype=np.intp)

    @cached_property
    def hits_to(self) -> Index:
        """Weighted correct rows down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.hits, axis=1, dtype=np.intp)

    @cached_property
    def total(self) -> Index:
        """All weighted rows, shape [R]."""
        return _last(self.size_to)

    @cached_property
    def most(self) -> int:
        """The largest of the totals."""
        return int(self.total.max(initial=0))

    @cached_property
    def total_hits(self) -> Index:
        """All weighted correct rows, shape [R]."""
        return _last(self.hits_to)

    @cached_property
    def gap(self) -> Floats:
        """Weighted sum of (correct - confidence) in each tie group; shape [R, g]."""
        gap = (self.counted.correct - self.rows.confidence)[self.counted.falling]
        return self._grouped(self._sorted_counts * gap)

    @cached_property
    def gap_to(self) -> Floats:
        """Weighted sum of (correct - confidence) down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.gap, axis=1)

    def _grouped(self, values: AnyArray) -> AnyArray:
        """Sums over tie groups: from shape [R, n] to [R, g]."""
        starts = self.counted.starts
        if len(starts) == values.shape[1]:
            return values
        return np.add.reduceat(values, starts, axis=1)


def _last(cumulative: Index) -> Index:
    """The last column of a cumulative sum; zeros where it has none."""
    return cumulative[:, -1] if cumulative.shape[1] else np.zeros(len(cumulative), np.intp)
