"""How well scores rank right answers above wrong ones, also within strata, and how far two differ.

The area under the ROC curve is the share of pairs of a right and a wrong answer that are ranked rightly,
ties counted half. Within strata only pairs of one stratum count, so that a score which merely knows which
kind of question is hard has .5. Intervals of differences are those of a bootstrap over clusters of
questions that fail together (Efron and Tibshirani 1993, chapter 13), the same draws for both scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demur.signals.base import Bools, Floats, Places

RESAMPLES = 1000


def area(scores: Floats, right: Bools, strata: Sequence[Places] | None = None) -> float | None:
    """The share of pairs that are ranked rightly, in [0, 1]; None where there is no pair.

    Args:
        scores: shape ``[n]``, higher is surer.
        right: shape ``[n]``.
        strata: places of rows; pairs are taken within each. None: all are one.
    """
    won = pairs = 0.0
    for places in (np.arange(len(scores)),) if strata is None else strata:
        wins, of = _pairs(scores[places], right[places])
        won, pairs = won + wins, pairs + of
    return won / pairs if pairs else None


def _pairs(scores: Floats, right: Bools) -> tuple[float, float]:
    """Pairs won, and all pairs. Source: Mann and Whitney 1947, by ranks."""
    from scipy.stats import rankdata

    n = int(right.sum())
    wins = float(rankdata(scores)[right].sum() - n * (n + 1) / 2)
    return wins, float(n * (len(right) - n))


def strata_of(keys: Sequence[str | None]) -> list[Places]:
    """The places of each key."""
    found: dict[str | None, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        found[key].append(place)
    return [np.array(places, np.intp) for places in found.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far one score ranks better than another."""

    value: float
    """Difference of their areas."""
    low: float
    high: float
    """A 95% interval."""
    p: float
    """Two-sided, of no difference; no smaller than 2 / `RESAMPLES`."""


def gap(
    scores: Sequence[Floats],
    others: Sequence[Floats],
    right: Bools,
    clusters: Sequence[str],
    *,
    seed: int = 0,
) -> Gap | None:
    """The difference of areas, a mean over draws of what was fitted; None where areas are undefined.

    Args:
        scores: one for each draw, shape ``[n]`` each.
        others: the same of what it is compared with.
        clusters: of each question; those of one cluster are drawn together.
    """

    def mean(places: Places) -> float:
        chosen = right[places]
        apart = [
            (area(one[places], chosen) or 0.0) - (area(other[places], chosen) or 0.0)
            for one, other in zip(scores, others, strict=True)
        ]
        return float(np.mean(apart))

    if not 0 < right.sum() < len(right):
        return None
    members = strata_of(clusters)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        places = np.concatenate([members[at] for at in rng.integers(len(members), size=len(members))])
        if 0 < right[places].sum() < len(places):
            drawn.append(mean(places))
    low, high = np.quantile(drawn, [0.025, 0.975])
    beyond = min(np.mean(np.array(drawn) <= 0), np.mean(np.array(drawn) >= 0))
    p = min(1.0, 2 * max(float(beyond), 1 / RESAMPLES))
    return Gap(value=mean(np.arange(len(right))), low=float(low), high=float(high), p=p)
