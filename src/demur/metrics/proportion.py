"""Wilson's interval for a share, for counts that stand outside the bootstrap.

(p + z^2/2n ± z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n): unlike a percentile interval it has a width where
all or none of the few cases count.
Source: Wilson (Journal of the American Statistical Association, 1927).
"""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(count: float, n: int, level: float = 0.95) -> tuple[float, float] | None:
    """Low and high, both in [0, 1], of the share ``count / n``; None where n is 0."""
    if not n:
        return None
    z, p = NormalDist().inv_cdf((1 + level) / 2), count / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    # At the ends the formula gives exactly 0 and 1, and floating point nearly so.
    low = 0.0 if count == 0 else (middle - half) / whole
    return low, 1.0 if count == n else (middle + half) / whole
