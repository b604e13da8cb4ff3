"""Rows under many sets of weights at once: what every metric is computed from.

The first set of weights is all ones and gives the value; the others are bootstrap counts. Weights are whole
numbers, and a metric under weights equals the metric of the rows repeated that often. The rows are sorted
by confidence once; each set of weights is then a pass over that order.

Axes: R sets of weights, N questions of the split, n rows that count, g groups of tied confidence.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from demur.metrics.base import CORRECT, Bools, Counts, Floats, Index, Rows

AnyArray = TypeVar("AnyArray", Counts, Floats)


class Workspace:
    """Named arrays that one thread writes to over and over.

    Fresh memory for every step costs more than the arithmetic. An array is good until the same name is
    asked for again, that is until the next sample that is made with this workspace.
    """

    def __init__(self) -> None:
        self._flat: dict[tuple[str, type], npt.NDArray[Any]] = {}

    def floats(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Real numbers of any value, of a shape."""
        return self._array(name, shape, np.float64)

    def counts(self, name: str, shape: tuple[int, ...]) -> Counts:
        """Whole numbers of any value, of a shape."""
        return self._array(name, shape, np.intp)

    def _array(self, name: str, shape: tuple[int, ...], kind: type) -> npt.NDArray[Any]:
        size = math.prod(shape)
        flat = self._flat.get((name, kind))
        if flat is None or len(flat) < size:
            flat = self._flat[name, kind] = np.empty(size, kind)
        return flat[:size].reshape(shape)


@dataclass(frozen=True)
class Weights:
    """How often each of N questions counts, R times over."""

    counts: Counts
    """Whole numbers, shape [R, N]."""
    workspace: Workspace = field(default_factory=Workspace)
    """Where the samples under these weights compute."""

    @classmethod
    def ones(cls, n: int) -> Weights:
        """Every question once, R = 1."""
        return cls(np.ones((1, n), np.intp))

    @cached_property
    def real(self) -> Floats:
        """The counts as floats, shape [R, N], for sums of real values."""
        real = self.workspace.floats("real", self.counts.shape)
        real[:] = self.counts
        return real


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
        return np.equal(self.rows.verdict, CORRECT).astype(np.float64)

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
        return np.equal(self.rows.before, CORRECT).astype(np.float64)

    @cached_property
    def not_right_before(self) -> Floats:
        """1 where the reference system was wrong or declined, shape [n]."""
        return 1 - self.right_before

    @cached_property
    def ranking_key(self) -> bytes:
        """The same for rows that rank alike: the same questions, verdicts and confidences."""
        rows = self.rows
        parts = (self.columns, rows.verdict, rows.confidence, rows.before, rows.answerable)
        return b"".join(hashlib.sha256(part.tobytes()).digest() for part in parts)

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
        if self.mixed.any():
            return None
        return 1 - self.correct[self.falling][self.starts]

    @cached_property
    def mixed(self) -> Bools:
        """Whether each tie group holds right and wrong rows, shape [g]."""
        correct = self.correct[self.falling]
        if not len(correct):
            return np.zeros(0, bool)
        lowest = np.minimum.reduceat(correct, self.starts)
        return np.not_equal(lowest, np.maximum.reduceat(correct, self.starts))

    @cached_property
    def bin_edges(self) -> Index:
        """How many tie groups reach each equal-width bin's lower edge, top bin first; shape [bins].

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

    @property
    def workspace(self) -> Workspace:
        """Where large arrays are written."""
        return self.weights.workspace

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
        falling = self.counted.columns[self.counted.falling]
        counts = self.workspace.counts("sorted", (len(self.weights.counts), len(falling)))
        # "clip" only because "raise" would copy: all of these columns exist.
        return np.take(self.weights.counts, falling, axis=1, out=counts, mode="clip")

    @cached_property
    def size(self) -> Counts:
        """Weighted rows in each tie group, falling confidence; shape [R, g]."""
        return self._grouped(self._sorted_counts)

    @cached_property
    def hits(self) -> Counts:
        """Weighted correct rows in each tie group; shape [R, g]."""
        correct = self.counted.correct[self.counted.falling].astype(np.intp)
        hits = self.workspace.counts("hits", self._sorted_counts.shape)
        return self._grouped(np.multiply(self._sorted_counts, correct, out=hits))

    @cached_property
    def size_to(self) -> Counts:
        """Weighted rows down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.size, axis=1, out=self.workspace.counts("size_to", self.size.shape))

    @cached_property
    def hits_to(self) -> Counts:
        """Weighted correct rows down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.hits, axis=1, out=self.workspace.counts("hits_to", self.hits.shape))

    @cached_property
    def total(self) -> Counts:
        """All weighted rows, shape [R]."""
        return _last(self.size_to)

    @cached_property
    def most(self) -> int:
        """The largest of the totals."""
        return int(self.total.max(initial=0))

    @cached_property
    def total_hits(self) -> Counts:
        """All weighted correct rows, shape [R]."""
        return _last(self.hits_to)

    @cached_property
    def gap(self) -> Floats:
        """Weighted sum of (correct - confidence) in each tie group; shape [R, g]."""
        row_gap = (self.counted.correct - self.rows.confidence)[self.counted.falling]
        gap = self.workspace.floats("gap", self._sorted_counts.shape)
        return self._grouped(np.multiply(self._sorted_counts, row_gap, out=gap))

    @cached_property
    def gap_to(self) -> Floats:
        """Weighted sum of (correct - confidence) down to and with each tie group; shape [R, g]."""
        return np.cumsum(self.gap, axis=1, out=self.workspace.floats("gap_to", self.gap.shape))

    @cached_property
    def right_pairs(self) -> Floats:
        """For each right row the rows above its tie group and half of those in it, summed; shape [R]."""
        above = np.einsum("rg,rg->r", self.hits, self.size_to)
        within = np.einsum("rg,rg->r", self.hits, self.size)
        return np.asarray(above - 0.5 * within)

    @cached_property
    def gap_to_edges(self) -> Floats:
        """The gap summed down to each bin's lower edge, top bin first; shape [R, bins + 1]."""
        return self.at_edges(self.gap_to)

    def at_edges(self, cumulative: AnyArray) -> Floats:
        """A cumulative sum of shape [R, g] at each bin's lower edge, after a zero; shape [R, bins + 1]."""
        edges = self.counted.bin_edges
        found = np.zeros((len(cumulative), len(edges) + 1))
        reached = edges > 0
        found[:, 1:][:, reached] = cumulative[:, edges[reached] - 1]
        return found

    def first_reaching(self, cuts: Floats) -> Index:
        """The first tie group at which each set of weights reaches each of its cuts, as places in the flat
        arrays; cuts, such as shares of the rows, and places of shape [R, cuts].
        """
        wanted = np.ceil(cuts).astype(np.intp) + self._lift
        place = np.searchsorted(self._lifted.ravel(), wanted.ravel(), side="left")
        return np.minimum(place, self.size_to.size - 1).reshape(cuts.shape)

    @cached_property
    def _lift(self) -> Counts:
        """Row r times more than any count can reach, so that one search serves all rows; shape [R, 1]."""
        return (self.most + 1) * np.arange(len(self.size_to))[:, None]

    @cached_property
    def _lifted(self) -> Counts:
        """``size_to`` with each row above the one before, shape [R, g]."""
        lifted = self.workspace.counts("lifted", self.size_to.shape)
        return np.add(self.size_to, self._lift, out=lifted)

    def at_ranks(self, table: Floats) -> Floats:
        """What a table of ranks holds for ``size_to``, shape [R, g]; good until the next call."""
        found = self.workspace.floats("at_ranks", self.size_to.shape)
        return np.take(table, self.size_to, out=found, mode="clip")

    def _grouped(self, values: AnyArray) -> AnyArray:
        """Sums over tie groups: from shape [R, n] to [R, g]."""
        starts = self.counted.starts
        if len(starts) == values.shape[1]:
            return values
        return np.add.reduceat(values, starts, axis=1)


def _last(cumulative: Counts) -> Counts:
    """The last column of a cumulative sum; zeros where it has none."""
    return cumulative[:, -1] if cumulative.shape[1] else np.zeros(len(cumulative), np.intp)
