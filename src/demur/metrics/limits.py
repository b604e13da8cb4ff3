"""Confidence limits from an estimate and its standard error: exact for shares, like them for the rest.

Shares have the limits of Clopper and Pearson (1934). Where the standard error is not that of n independent
questions, as with groups or for another metric between two bounds, n is the effective sample size: the
number of questions whose share would have this standard error (Korn and Graubard, Survey Methodology 24,
1998). Such limits never leave the range, lean to the side that has room, and have a width at 0 and 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from demur.metrics.base import Bools, Floats, Index

ROUNDING = 1e-9
"""A variance that is smaller than that of a share by this factor is taken for 0."""

Numbers = float | Floats | npt.NDArray[np.intp]


def effective_size(share: Numbers, error: Numbers, most: Numbers, *, shrink: Numbers = 1.0) -> Floats:
    """How many independent questions would give a share this standard error.

    Args:
        share: in [0, 1].
        error: its standard error; where it is 0, ``most`` is taken.
        most: the questions (or groups) that it rests on.
        shrink: factor for the degrees of freedom of the standard error, `of_freedom`.
    """
    share, error = np.asarray(share, float), np.asarray(error, float)
    # What is left of a variance by rounding is none.
    seen = error**2 > ROUNDING * share * (1 - share) / np.maximum(most, 1)
    seen &= (share > 0) & (share < 1)
    size = np.where(seen, share * (1 - share) / np.where(seen, error, 1.0) ** 2, most)
    return np.asarray(size * np.asarray(shrink, float))


def of_freedom(level: float, freedom: Numbers) -> Floats:
    """By what the effective size is multiplied where the error has few degrees of freedom; in (0, 1]."""
    return np.asarray((z_of(level) / t_of(level, freedom)) ** 2)


def z_of(level: float) -> float:
    """The normal quantile of a two-sided interval."""
    return float(special.ndtri((1 + level) / 2))


def t_of(level: float, freedom: Numbers) -> Floats:
    """Student's quantile of a two-sided interval; at least one degree of freedom is taken."""
    return np.asarray(stats.t.ppf((1 + level) / 2, np.maximum(freedom, 1)))


def exact(share: Numbers, size: Numbers, level: float) -> tuple[Floats, Floats]:
    """The limits of Clopper and Pearson for a share of ``size`` questions, which need not be whole.

    Returns:
        Low and high; NaN where the share is, or where the size is 0.
    """
    share, size = np.broadcast_arrays(np.asarray(share, float), np.asarray(size, float))
    # Many figures of a run are the same ones, and these functions are slow.
    pairs, where = np.unique(np.stack([share.ravel(), size.ravel()]), axis=1, return_inverse=True)
    low, high = _exact(pairs[0], pairs[1], level)
    return low[where].reshape(share.shape), high[where].reshape(share.shape)


def clustered(hits: Bools, counted: Bools, clusters: Index, level: float) -> tuple[float, float]:
    """Limits of a share of questions that come in independent groups.

    The standard error is that of a ratio of sums over groups, raised by G / (G - 1), the size the effective
    one, with the degrees of freedom of the groups.

    Args:
        hits: the questions of the numerator, shape [n]; each is counted too.
        counted: those of the denominator, at least one.
        clusters: the group of each question.

    Returns:
        Low and high.
    """
    groups, numbers = np.unique(clusters[counted], return_inverse=True)
    share, n, count = float(hits[counted].mean()), int(counted.sum()), len(groups)
    left = np.bincount(numbers, hits[counted] - share)
    error = np.sqrt((left**2).sum() * count / max(count - 1, 1)) / n
    size = effective_size(share, error, count, shrink=of_freedom(level, count - 1))
    low, high = exact(share, np.minimum(size, n), level)
    return float(low), float(high)


def _exact(share: Floats, size: Floats, level: float) -> tuple[Floats, Floats]:
    tail, hits = (1 - level) / 2, share * size
    misses = size - hits
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(hits > 0, special.betaincinv(hits, misses + 1, tail), 0.0)
        high = np.where(misses > 0, special.betaincinv(hits + 1, misses, 1 - tail), 1.0)
    undefined = np.isnan(share) | ~(size > 0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def around(value: Numbers, down: Numbers, up: Numbers, *, correlation: Numbers) -> Floats:
    """How far a difference reaches to one side, from how far its two estimates do (MOVER; Zou 2007).

    Args:
        value: unused where nothing is undefined; NaN makes the distance NaN.
        down: how far the first estimate reaches to that side.
        up: how far the second one reaches to the other side.
        correlation: between the two estimates, in [-1, 1].
    """
    down, up = np.asarray(down, float), np.asarray(up, float)
    square = down**2 + up**2 - 2 * np.asarray(correlation, float) * down * up
    return np.where(np.isnan(value), np.nan, np.sqrt(np.maximum(square, 0.0)))


def paired_shares(
    difference: Numbers, error: Numbers, n: Numbers, quantile: Numbers
) -> tuple[Floats, Floats]:
    """Limits of a difference of two shares of the same n questions (Bonett and Price 2012).

    One question that only the first system gets right and one that only the second does are added, so that
    a difference without any question that moved has limits too.

    Args:
        error: standard error of the difference.
        quantile: of the normal or of Student's distribution.
    """
    difference, error, n = (np.asarray(item, float) for item in (difference, error, n))
    middle = difference * n / (n + 2)
    square = (n * (n * error**2 + difference**2) + 2) / (n + 2)
    reach = np.asarray(quantile) * np.sqrt(np.maximum(square - middle**2, 0.0) / (n + 2))
    return np.maximum(middle - reach, -1.0), np.minimum(middle + reach, 1.0)
