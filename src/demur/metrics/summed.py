"""Metrics of weighted sums: what one rests on, and how it changes with its sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demur.metrics.base import Floats, first_over_second, guarded_quotient

QUOTIENTS = (first_over_second, guarded_quotient)
"""The first sum over the second."""
STEP = 1e-6
"""Of the sums, relative, for derivatives."""


@dataclass(frozen=True)
class Summed:
    """A metric of weighted sums on one set of rows."""

    places: tuple[int, ...]
    """Its columns in the plan."""
    slope: Floats
    """How it changes with each of its sums."""
    support: int
    """The questions that it is about: of a share, its denominator; of two shares, the smaller one."""
    groups: int | None
    """Their groups, where groups are drawn."""
    share: bool
    """Whether it is a share of questions: columns of 0 and 1, the first over the second."""


def slope_of(sums: Floats, combine: Callable[[Floats], Floats]) -> Floats:
    """The derivatives of a metric by each of its sums, shape of ``sums``; NaN where it is undefined."""
    if combine in QUOTIENTS:
        slope = np.zeros(len(sums))
        with np.errstate(invalid="ignore", divide="ignore"):
            slope[:2] = np.array([1.0, -sums[0] / sums[1]]) / sums[1]
        return slope
    steps = np.diag(STEP * np.maximum(np.abs(sums), 1.0))
    return np.asarray((combine(sums + steps) - combine(sums - steps)) / (2 * np.diag(steps)))
