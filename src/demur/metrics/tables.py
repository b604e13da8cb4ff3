"""Tables of 1/k, of the harmonic numbers and of k H(k): ranks are whole numbers, so sums over ranks are
looked up.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from demur.metrics.base import Floats


def inverses(up_to: int) -> Floats:
    """1/k for k = 1 … at least ``up_to``, and 0 for k = 0."""
    return _tables(_power_of_two(up_to))[0]


def harmonic(up_to: int) -> Floats:
    """Harmonic numbers H(k) = 1 + 1/2 + … + 1/k for k = 0 … at least ``up_to``."""
    return _tables(_power_of_two(up_to))[1]


def harmonic_products(up_to: int) -> Floats:
    """K H(k) = k + sum of H(i) for i < k, for k = 0 … at least ``up_to``."""
    return _tables(_power_of_two(up_to))[2]


@lru_cache(maxsize=32)
def _tables(up_to: int) -> tuple[Floats, Floats, Floats]:
    k = np.arange(up_to + 1, dtype=np.float64)
    inverse = np.concatenate([[0.0], 1 / k[1:]])
    numbers = np.cumsum(inverse)
    return inverse, numbers, k * numbers


def _power_of_two(at_least: int) -> int:
    """Few sizes, so that the tables are made once."""
    return 1 << max(at_least, 1).bit_length()
