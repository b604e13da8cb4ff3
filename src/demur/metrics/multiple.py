"""Many comparisons at once: Holm's correction, and the p value that goes with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction; a missing value stays missing and does not count.

    Each is the smallest family-wise error rate at which its comparison stands beside all the others.
    Source: Holm (Scandinavian Journal of Statistics, 1979).
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, i) in enumerate(order):
        worst = max(worst, min(1.0, p * (len(order) - rank)))
        corrected[i] = worst
    return corrected


def p_of_interval(
    value: float | None, low: float | None, high: float | None, level: float = 0.95
) -> float | None:
    """Two-sided p value of "no difference", read off an interval by the normal approximation.

    The distance from zero is measured on the side of the interval that faces zero, so that p is below
    ``1 - level`` exactly where the interval leaves zero out. None where something is undefined, or where
    the interval has no width: all resamples agreed, which is no probability.
    """
    if value is None or low is None or high is None or high <= low:
        return None
    reach = value - low if value > 0 else high - value
    if reach <= 0:
        return None
    z = abs(value) / reach * NormalDist().inv_cdf((1 + level) / 2)
    return math.erfc(z / math.sqrt(2))
