"""The interval of every figure of a split, and whether its sample is too small to say much.

The rule, by what a metric is (`Metric.interval` and how it is computed):

* a share of questions, and every other metric of weighted sums: exact limits (`limits.exact`) for the
  effective sample size that goes with the standard error, which the delta method gives from the sums
  (infinitesimal jackknife; Efron 1982). Without groups the effective size of a share is its denominator;
* ``two_shares``, a function of two shares that are about different questions: the limits of both, put
  together by the square root of the sum of squares (MOVER; Zou and Donner 2008);
* a metric of the order of the rows: the standard error is that of the bootstrap draws, with as many degrees
  of freedom as the rarer of right and wrong answers has, less one;
* ``calibration``, which chance raises: as far above the value as the standard error goes, and below it by
  what chance alone may have added too (`calibrated`);
* ``open``, without a lower bound: the logarithm of the distance to the upper bound is what has an error.

With groups, the degrees of freedom are those of the groups as well. Where fewer than `FEW` answers are
right, or are wrong, nothing reliable can be said of an order or of a calibration: there is no interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from demur.metrics import limits
from demur.metrics.base import WRONG, Floats
from demur.metrics.bootstrap import Resampling
from demur.metrics.calibrated import calibrated_errors, left_by_chance, spread_by_groups
from demur.metrics.metric import Metric
from demur.metrics.plan import Difference, Plan, Series
from demur.metrics.summed import QUOTIENTS, STEP, Summed, slope_of

FEW, SCARCE = 5, 10
"""Right and wrong answers each that an interval of a ranking or of a calibration error needs, and below
which it is marked."""
PER_CONFIDENCE = 5
"""Answers for each distinct confidence, on average, that the two parts of the Brier score need."""
SMALL = 30
"""Questions below which a figure is marked."""
Cell = dict[str, Any]
Limits = tuple[float, float]
NONE = (np.nan, np.nan)


@dataclass(frozen=True)
class Uncertainty:
    """One split's figures with their limits."""

    plan: Plan
    ranked: Floats
    """The ranked series over the data and all draws, by `Plan.rankings`; shape [ranked, 1 + draws]."""
    resampling: Resampling
    rows: int
    """Draws at a time, which decides how sums are rounded."""

    @cached_property
    def draws_of(self) -> dict[int, Floats]:
        """The draws of each ranked series, the data first."""
        members = [i for _, group in self.plan.rankings for i in group]
        return dict(zip(members, self.ranked, strict=True))

    @cached_property
    def sums(self) -> Floats:
        """Of each column, shape [columns]."""
        return self.plan.sums(self.rows)

    @cached_property
    def products(self) -> Floats:
        """Of each two columns, summed over the groups that are drawn; shape [columns, columns]."""
        matrix = self.plan.columns.matrix
        if self.plan.clusters is not None:
            order = np.argsort(self.plan.clusters, kind="stable")
            starts = np.searchsorted(self.plan.clusters[order], np.arange(self.plan.groups))
            matrix = np.add.reduceat(matrix[order], starts, axis=0)
        return np.asarray(matrix.T @ matrix)

    @cached_property
    def values(self) -> Floats:
        """Of every series, shape [series]; NaN where undefined."""
        found = np.full(len(self.plan.series), np.nan)
        for i, drawn in self.draws_of.items():
            found[i] = drawn[0]
        for i, places in self.plan.columns.of.items():
            found[i] = self.plan.series[i].metric.combine(self.sums[list(places)][None])[0]
        return found

    @cached_property
    def parts(self) -> dict[int, Summed]:
        """Each series of weighted sums; those of the same sums share one."""
        known: dict[tuple[Any, ...], Summed] = {}
        found = {}
        for i, places in self.plan.columns.of.items():
            metric = self.plan.series[i].metric
            key = (places, metric.combine, metric.interval)
            if key not in known:
                known[key] = self._summed(places, metric)
            found[i] = known[key]
        return found

    def _summed(self, places: tuple[int, ...], metric: Metric) -> Summed:
        sums, matrix = self.sums[list(places)], self.plan.columns.matrix
        # The first two sums are the metric; any others only say where it is undefined.
        about = self.plan.about(places if metric.interval == "open" else places[:2])
        if metric.interval == "two_shares":
            about = min((self.plan.about(places[1:2]), self.plan.about(places[3:4])), key=np.count_nonzero)
        share = metric.combine in QUOTIENTS and np.isin(matrix[:, list(places)], (0, 1)).all()
        slope = slope_of(sums, metric.combine)
        groups = None if self.plan.clusters is None else len(np.unique(self.plan.clusters[about]))
        return Summed(places, slope, int(about.sum()), groups, bool(share))

    @property
    def _raise(self) -> float:
        """By what a variance over groups is raised: G / (G - 1)."""
        groups = self.plan.groups
        return groups / (groups - 1) if self.plan.clusters is not None and groups > 1 else 1.0

    def covariance(self, i: int, j: int) -> float:
        """Of two series of one metric."""
        if i in self.parts:
            one, other = self.parts[i], self.parts[j]
            inner = self.products[np.ix_(one.places, other.places)]
            return float(one.slope @ inner @ other.slope) * self._raise
        both = np.stack([self.draws_of[i][1:], self.draws_of[j][1:]])
        both = both[:, ~np.isnan(both).any(axis=0)]
        return float(np.cov(both)[0, 1]) if both.shape[1] > 1 else np.nan

    @cached_property
    def errors(self) -> Floats:
        """The standard error of every series, shape [series]; NaN where there is none."""
        found = np.full(len(self.plan.series), np.nan)
        known: dict[int, float] = {}
        for i, part in self.parts.items():
            if id(part) not in known:
                known[id(part)] = np.sqrt(max(self.covariance(i, i), 0.0))
            found[i] = known[id(part)]
        for i, drawn in self.draws_of.items():
            defined = drawn[1:][~np.isnan(drawn[1:])]
            if 2 * len(defined) >= len(drawn) - 1 and len(defined) > 1:
                found[i] = defined.std(ddof=1)
        return found

    # ---------------------------------------------------------------------------------------------
    # Limits
    # ---------------------------------------------------------------------------------------------

    @cached_property
    def smalls(self) -> list[str | None]:
        """Of each series, why its sample is small; None where it is not."""
        return [self._small(i, series) for i, series in enumerate(self.plan.series)]

    def _small(self, i: int, series: Series) -> str | None:
        if series.metric.per_signal:
            return self._missing(i) or _fewer(series, SCARCE) or _small_size(series.n)
        if series.metric.interval == "open" and self._wrong_before(series) < SCARCE:
            return f"fewer than {SCARCE} wrong answers before"
        return _small_size(self.parts[i].support if i in self.parts else series.n)

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Low and high of every series, shape [series] each; NaN where there is none."""
        low, high = self._scored()
        if not self.resampling.resamples:
            return np.full_like(low, np.nan), np.full_like(high, np.nan)
        special = {"two_shares": self._two_shares, "calibration": self._calibration, "open": self._open}
        for i, series in enumerate(self.plan.series):
            if np.isnan(self.values[i]) or self._unsayable(i):
                low[i], high[i] = NONE
            elif series.metric.interval in special:
                low[i], high[i] = special[series.metric.interval](i)
        spans = np.array([series.metric.span for series in self.plan.series]).reshape(-1, 2)
        return np.maximum(low, spans[:, 0]), np.minimum(high, spans[:, 1])

    def _unsayable(self, i: int) -> bool:
        """Whether nothing honest can be said: too few right or wrong answers."""
        return self._missing(i) is not None

    def _missing(self, i: int) -> str | None:
        """What is missing for an interval; None where there can be one."""
        series, metric = self.plan.series[i], self.plan.series[i].metric
        if not metric.per_signal:
            few = metric.interval == "open" and self._wrong_before(series) < FEW
            return f"fewer than {FEW} wrong answers before" if few else None
        parts = metric.interval == "calibration" and not metric.chance
        if parts and len(series.counted.starts) * PER_CONFIDENCE > series.n:
            return f"fewer than {PER_CONFIDENCE} answers for each confidence"
        if self.values[i] * series.n < metric.rests_on:
            return f"it rests on fewer than {metric.rests_on} answers"
        return _fewer(series, FEW)

    @staticmethod
    def _wrong_before(series: Series) -> int:
        return int((series.counted.rows.before == WRONG).sum())

    def _scored(self) -> tuple[Floats, Floats]:
        """Exact limits at the effective sample size, for metrics between two bounds."""
        series = self.plan.series
        spans = np.array([item.metric.span for item in series], float).reshape(-1, 2)
        width = spans[:, 1] - spans[:, 0]
        with np.errstate(invalid="ignore"):
            share, error = (self.values - spans[:, 0]) / width, self.errors / width
        support = np.array([self._support(i) for i in range(len(series))], float)
        level = self.resampling.level
        shrink = limits.of_freedom(level, np.array([self._freedom(item) for item in series]))
        known = ~np.isnan(share) & ~np.isnan(error)
        size = np.full(len(series), np.nan)
        size[known] = limits.effective_size(
            share[known], error[known], support[known], shrink=shrink[known]
        )
        low, high = limits.exact(np.clip(share, 0, 1), size, level)
        return spans[:, 0] + width * low, spans[:, 0] + width * high

    def _support(self, i: int) -> int:
        """What an estimate without any spread rests on: questions, or groups of them."""
        if i not in self.parts:
            return min(_right_wrong(self.plan.series[i]))
        part = self.parts[i]
        return part.support if part.groups is None else part.groups

    def _freedom(self, series: Series) -> float:
        """Degrees of freedom of a standard error; infinite for sums of questions drawn by themselves."""
        groups = np.inf if self.plan.clusters is None else self.plan.groups - 1
        own = min(_right_wrong(series)) - 1 if series.metric.per_signal else np.inf
        return float(max(min(groups, own), 1))

    def _two_shares(self, i: int) -> Limits:
        """Each share's limits, and how far the metric moves with each of them."""
        places, metric = self.plan.columns.of[i], self.plan.series[i].metric
        sums = self.sums[list(places)]
        value, down, up = self.values[i], 0.0, 0.0
        for first in (0, 2):
            moved = [
                metric.combine(self._with_share(sums, first, end))[0] - value
                for end in self._share(i, first)
            ]
            down += min(moved) ** 2
            up += max(moved) ** 2
        return float(value - np.sqrt(down)), float(value + np.sqrt(up))

    def _share(self, i: int, first: int) -> tuple[float, float]:
        """Exact limits of a share whose two sums are a series' columns ``first`` and ``first + 1``."""
        places = self.plan.columns.of[i][first : first + 2]
        part, whole = self.sums[list(places)]
        share, shrink, size = part / whole, 1.0, whole
        if self.plan.clusters is not None:
            slope = np.array([1.0, -share]) / whole
            error = np.sqrt(max(slope @ self.products[np.ix_(places, places)] @ slope, 0.0) * self._raise)
            shrink = float(limits.of_freedom(self.resampling.level, self.plan.groups - 1))
            size = float(limits.effective_size(share, error, min(whole, self.plan.groups), shrink=shrink))
        low, high = limits.exact(share, size, self.resampling.level)
        return float(low), float(high)

    @staticmethod
    def _with_share(sums: Floats, first: int, share: float) -> Floats:
        moved = sums.copy()
        moved[first] = share * sums[first + 1]
        return moved[None]

    def _calibration(self, i: int) -> Limits:
        """Below the value also by what chance may have added; above by what it may have taken."""
        drawn = self.draws_of[i][1:]
        value, error = self.values[i], self.errors[i]
        added = float(np.nanmean(drawn)) - value
        if i in self.by_chance:
            series = self.plan.series[i]
            added = max(added, self.by_chance[i].mean() * left_by_chance(series.counted))
        taken = max(value - float(np.nanmean(drawn)), 0.0)
        reach = float(limits.t_of(self.resampling.level, self._freedom(self.plan.series[i]))) * error
        return float(value - max(added, 0.0) - reach), float(value + taken + reach)

    @cached_property
    def by_chance(self) -> dict[int, Floats]:
        """The errors of calibrated models for each series that has `Metric.chance`, shape [draws] each."""
        found: dict[int, Floats] = {}
        for counted, members in self.plan.rankings:
            wanted = [i for i in members if self.plan.series[i].metric.chance]
            if not wanted or not len(counted.rows):
                continue
            metrics = {self.plan.series[i].metric.name: self.plan.series[i].metric for i in wanted}
            drawn = calibrated_errors(list(metrics.values()), counted, seed=self.resampling.seed)
            if self.plan.clusters is not None:
                drawn = np.minimum(drawn * spread_by_groups(counted, self.plan.clusters), 1.0)
            by_name = dict(zip(metrics, drawn, strict=True))
            found |= {i: by_name[self.plan.series[i].metric.name] for i in wanted}
        return found

    def _open(self, i: int) -> Limits:
        """The distance to the upper bound, by its logarithm."""
        series = self.plan.series[i]
        bound = series.metric.span[1]
        distance, error = bound - self.values[i], self.errors[i]
        quantile = float(limits.t_of(self.resampling.level, self._freedom(series)))
        if not distance > 0 or not 0 < quantile * error / distance < 700:  # exp(710) overflows
            return NONE
        factor = np.exp(quantile * error / distance)
        return float(bound - distance * factor), float(bound - distance / factor)

    # --- What is reported ---

    def cells(self) -> list[Cell]:
        """Of every series, as in ``metrics.json``."""
        low, high = self.limits
        return [self._cell(i, series, low[i], high[i]) for i, series in enumerate(self.plan.series)]

    def _cell(self, i: int, series: Series, low: float, high: float) -> Cell:
        value = _known(self.values[i])
        cell: Cell = {
            "value": value,
            "low": _known(low),
            "high": _known(high),
            "n": series.n,
            "unscored": series.unscored,
            "small": None if value is None else self.smalls[i],
        }
        if series.metric.chance:
            cell["calibrated"] = self._calibrated(i)
        return cell

    def _calibrated(self, i: int) -> dict[str, Any] | None:
        """What a calibrated model would have here, and whether the value is above its range."""
        if np.isnan(self.values[i]) or not self.resampling.resamples or i not in self.by_chance:
            return None
        tails = (1 - self.resampling.level) / 2, (1 + self.resampling.level) / 2
        low, high = np.quantile(self.by_chance[i], tails)
        return {
            "mean": float(self.by_chance[i].mean()),
            "low": float(low),
            "high": float(high),
            "exceeds": bool(self.values[i] > high),
        }

    def difference(self, item: Difference) -> Cell:
        """Value, low, high and small of a paired difference."""
        ours, theirs = item.ours, item.theirs
        value = self.values[ours] - self.values[theirs]
        small = self.smalls[ours] or self.smalls[theirs]
        low, high = self._gap(ours, theirs, value) if self.resampling.resamples else NONE
        return {
            "value": _known(value),
            "low": _known(low),
            "high": _known(high),
            "small": None if np.isnan(value) else small,
        }

    def _gap(self, ours: int, theirs: int, value: float) -> Limits:
        both = (self.plan.series[ours], self.plan.series[theirs])
        if np.isnan(value) or self._unsayable(ours) or self._unsayable(theirs):
            return NONE
        covariance = self.covariance(ours, theirs)
        error = np.sqrt(max(self.errors[ours] ** 2 + self.errors[theirs] ** 2 - 2 * covariance, 0.0))
        quantile = float(limits.t_of(self.resampling.level, min(self._freedom(series) for series in both)))
        sides = [self.parts.get(i) for i in (ours, theirs)]
        if all(side is not None and side.share for side in sides):
            n = min(side.support for side in sides if side is not None)
            low, high = limits.paired_shares(value, error, n, quantile)
            return float(low), float(high)
        if not error > STEP * self.errors[ours]:  # every draw agrees: the two rank alike
            return NONE
        return self._moved(ours, theirs, value, covariance)

    def _moved(self, ours: int, theirs: int, value: float, covariance: float) -> Limits:
        """MOVER, from the limits of both sides and the correlation between them."""
        low, high = self.limits
        scale = self.errors[ours] * self.errors[theirs]
        correlation = float(np.clip(covariance / scale, -1, 1)) if scale > 0 else 0.0
        down = limits.around(
            value,
            self.values[ours] - low[ours],
            high[theirs] - self.values[theirs],
            correlation=correlation,
        )
        up = limits.around(
            value,
            high[ours] - self.values[ours],
            self.values[theirs] - low[theirs],
            correlation=correlation,
        )
        return float(value - down), float(value + up)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _right_wrong(series: Series) -> tuple[int, int]:
    right = int(series.counted.correct.sum())
    return right, series.n - right


def _fewer(series: Series, least: int) -> str | None:
    right, wrong = _right_wrong(series)
    if min(right, wrong) >= least:
        return None
    return f"fewer than {least} {'wrong' if wrong <= right else 'right'} answers"


def _small_size(n: int) -> str | None:
    return None if n >= SMALL else f"fewer than {SMALL} questions count"
