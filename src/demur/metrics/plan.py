"""What is to be computed on one split, and the computing of it, draw by draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from demur.metrics.base import Bools, Floats, Index, Rows
from demur.metrics.board import Board, Part
from demur.metrics.bootstrap import draw
from demur.metrics.metric import Metric
from demur.metrics.policies import degenerate
from demur.metrics.sample import Counted, Sample, Weights, Workspace

COLUMN_BLOCK = 16
"""Columns that a matrix product takes at once, or a multiple of them."""


@dataclass(frozen=True)
class Series:
    """One metric over one set of rows: a value for the data and one for each draw."""

    metric: Metric
    counted: Counted
    unscored: int
    obstacle: str | None = None
    """Why the rows make the metric meaningless, such as confidences that are no probabilities."""

    @property
    def n(self) -> int:
        """Rows that count."""
        return len(self.counted.rows)


@dataclass(frozen=True)
class Difference:
    """One paired comparison: where its two sides stand among the plan's series."""

    metric: str
    system: str
    against: str
    ours: int
    theirs: int
    n: int
    """Questions that both systems have, with all that the metric needs."""


@dataclass(frozen=True)
class Columns:
    """Row values whose weighted sums are metrics."""

    matrix: Floats
    """Shape [questions of the split, different columns]."""
    of: Mapping[int, tuple[int, ...]]
    """The columns of each series of weighted sums."""


@dataclass
class Plan:
    """One split's series; the names point into ``series``, so that equal ones are computed once."""

    split: str
    size: int
    """Questions in the split."""
    clusters: Index | None = None
    """Which group each question belongs to, numbered from 0, where whole groups are drawn; shape [size]."""
    series: list[Series] = field(default_factory=list)
    metrics: dict[str, dict[str, int]] = field(default_factory=dict)
    """By system and metric."""
    policies: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """By system, policy and metric."""
    tables: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """By system: outcomes of answerable and unanswerable questions."""
    silent: dict[str, int] = field(default_factory=dict)
    """By system: questions without any answer."""
    differences: list[Difference] = field(default_factory=list)

    def add(self, series: Series) -> int:
        """Put a series on the plan; returns where it stands."""
        self.series.append(series)
        return len(self.series) - 1

    def compute(self, draws: range, *, seed: int, workspace: Workspace) -> Floats:
        """The ranked series over some draws, shape [ranked series, draws]; NaN where undefined."""
        weights = self._draw(draws, seed=seed, workspace=workspace)
        values = np.full((sum(len(members) for _, members in self.rankings), len(draws)), np.nan)
        place = 0
        for counted, members in self.rankings:
            # One sample at a time: its arrays are large, and shared by the metrics of the same rows.
            sample = Sample(counted, weights)
            for i in members:
                values[place] = self.series[i].metric.compute(sample)
                place += 1
        return values

    def _draw(self, draws: range, *, seed: int, workspace: Workspace) -> Weights:
        """How often each question counts in each draw: drawn by itself, or with its group."""
        if self.clusters is None:
            return draw(self.size, draws, seed=seed, key=self.split, workspace=workspace)
        drawn = draw(self.groups, draws, seed=seed, key=self.split, workspace=Workspace())
        return Weights(drawn.counts[:, self.clusters], workspace)

    @property
    def groups(self) -> int:
        """Groups that are drawn as wholes, or the questions where none are."""
        return self.size if self.clusters is None else int(self.clusters.max(initial=-1)) + 1

    @cached_property
    def rankings(self) -> list[tuple[Counted, list[int]]]:
        """The series that need the order of the rows, those over the same rows together.

        Readings of the same answers by different thresholds have the same rows, and are ranked once.
        """
        members: dict[bytes, tuple[Counted, list[int]]] = {}
        seen: dict[int, bytes] = {}
        for i, series in enumerate(self.series):
            if series.obstacle is None and series.metric.ranked is not None:
                counted = series.counted
                key = seen.setdefault(id(counted), counted.ranking_key)
                members.setdefault(key, (counted, []))[1].append(i)
        return list(members.values())

    @cached_property
    def columns(self) -> Columns:
        """What the metrics of weighted sums need summed, equal columns once."""
        places: dict[bytes, int] = {}
        matrix: list[Floats] = []
        of = {}
        for i, series in enumerate(self.series):
            if series.obstacle is None and series.metric.columns is not None:
                columns = series.metric.columns(series.counted)
                of[i] = tuple(self._place(column, series, places, matrix) for column in columns)
        # Matrix products round the last columns of an uneven number in another order: with full blocks,
        # no figure depends on which other metrics are computed, such as those of an installed package.
        matrix += [np.zeros(self.size)] * (-len(matrix) % COLUMN_BLOCK)
        return Columns(np.stack(matrix, axis=1) if matrix else np.zeros((self.size, 0)), of)

    def sums(self, rows: int) -> Floats:
        """The sum of each column over the questions, shape [columns].

        Args:
            rows: of a matrix product, whose rounding depends on its shape.
        """
        return np.asarray((np.ones((rows, self.size)) @ self.columns.matrix)[0])

    def about(self, places: tuple[int, ...]) -> Bools:
        """The questions that some columns have anything of, shape [size]: of a share, its denominator."""
        return np.asarray((self.columns.matrix[:, list(places)] != 0).any(axis=1))

    def _place(self, column: Floats, series: Series, places: dict[bytes, int], matrix: list[Floats]) -> int:
        whole = np.zeros(self.size)
        whole[series.counted.columns] = column
        place = places.setdefault(whole.tobytes(), len(matrix))
        if place == len(matrix):
            matrix.append(whole)
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be computed, on every split."""

    metrics: Sequence[Metric]
    """For each system."""
    differing: Sequence[Metric]
    """Between the two systems of each pair."""
    primary: Mapping[str, str]
    """Each system's primary signal."""
    pairs: Sequence[tuple[str, str]] = ()
    """Systems that are compared: (system, against)."""


def plan_split(split: str, positions: Index, boards: Mapping[str, Board], wanted: Wanted) -> Plan:
    """Plan one split.

    Args:
        positions: its questions, as positions in the boards.
    """
    metrics, primary = wanted.metrics, wanted.primary
    plan = Plan(split, len(positions))
    parts = {system: board.part(positions) for system, board in boards.items()}
    parts = {system: part for system, part in parts.items() if len(part)}
    for system, part in parts.items():
        plan.tables[system], plan.silent[system] = part.table(), part.silent
        plan.metrics[system] = _plan_metrics(plan, part, metrics, primary[system])
        plan.policies[system] = {
            name: _plan_metrics(
                plan, replace(part, rows=rows), [m for m in metrics if not m.per_signal], None
            )
            for name, rows in degenerate(part.rows).items()
        }
    for system, against in wanted.pairs:
        if system in parts and against in parts:
            _plan_differences(plan, parts, (system, against), wanted.differing, primary)
    return plan


def _plan_metrics(plan: Plan, part: Part, metrics: Sequence[Metric], primary: str | None) -> dict[str, int]:
    """Series of one system: METRIC, and METRIC_SIGNAL where there is one for each signal."""
    shared: dict[object, Counted] = {}
    at = {}
    for metric in metrics:
        if not metric.per_signal:
            at[metric.name] = plan.add(_series(part, metric, None, shared))
            continue
        by_signal = {name: plan.add(_series(part, metric, name, shared)) for name in part.signals}
        at[metric.name] = (
            by_signal[primary] if primary in by_signal else plan.add(_series(part, metric, None, shared))
        )
        at |= {f"{metric.name}_{name}": position for name, position in by_signal.items()}
    return at


def _series(part: Part, metric: Metric, signal: str | None, shared: dict[object, Counted]) -> Series:
    rows = part.with_signal(signal)
    key = (metric.population, metric.needs, signal)
    if key not in shared:
        shared[key] = part.counted(metric, rows)
    return Series(metric, shared[key], part.unscored(metric, rows), metric.obstacle(rows))


def _plan_differences(
    plan: Plan,
    parts: Mapping[str, Part],
    pair: tuple[str, str],
    differing: Sequence[Metric],
    primary: Mapping[str, str],
) -> None:
    """Both systems on the questions that both have; where that is all of them, their own series serve."""
    shared: tuple[dict[object, Counted], ...] = ({}, {})
    for metric in differing:
        signals = [primary[system] if metric.per_signal else None for system in pair]
        usable = [
            _usable(plan.size, parts[system], metric, signal)
            for system, signal in zip(pair, signals, strict=True)
        ]
        common = usable[0] & usable[1]
        at = []
        for system, signal, own, cache in zip(pair, signals, usable, shared, strict=True):
            if (own == common).all():
                at.append(plan.metrics[system][metric.name])
            else:
                at.append(plan.add(_series(parts[system].restricted(common), metric, signal, cache)))
        system, against = pair
        plan.differences.append(Difference(metric.name, system, against, at[0], at[1], int(common.sum())))


def _usable(size: int, part: Part, metric: Metric, signal: str | None) -> Bools:
    """Questions of the split that can be paired: those that the metric could count, answered or not."""
    rows: Rows = part.with_signal(signal)
    population = "all" if metric.population == "answered" else metric.population
    needs = tuple("outcome" if need == "verdict" and population == "all" else need for need in metric.needs)
    mask = replace(metric, population=population, needs=needs).counted_mask(rows)
    usable = np.zeros(size, bool)
    usable[part.columns[mask]] = True
    return usable
