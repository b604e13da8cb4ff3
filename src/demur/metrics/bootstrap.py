"""The bootstrap: whole questions are drawn with replacement, and every system sees the same draws.

Draw number i of a split depends on (seed, split, i) alone, so neither chunk size nor threads change it, and
differences between systems are paired. Intervals are percentile intervals (Efron and Tibshirani 1993,
chapter 13): of a share that is 0 or 1 in the data they have no width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from demur.metrics.base import Floats
from demur.metrics.sample import Weights

CHUNK_ELEMENTS = 64_000
"""Row weights that are in memory at a time (for each thread); small enough for a processor's cache."""

LEAST_DEFINED = 0.5
"""An interval needs this share of the draws to have a value."""


def chunks(n: int, resamples: int) -> Iterator[range]:
    """Draws 0 … ``resamples`` in pieces; draw 0 is the data itself."""
    step = max(1, CHUNK_ELEMENTS // max(n, 1))
    for start in range(0, resamples + 1, step):
        yield range(start, min(start + step, resamples + 1))


def draw(n: int, draws: range, *, seed: int, key: str) -> Weights:
    """How often each of n questions stands in each draw: multinomial counts, all ones in draw 0.

    Args:
        draws: numbers of the draws, from `chunks`.
        key: what is drawn from, such as a split's name.

    Returns:
        Weights of shape [len(draws), n].
    """
    words = np.frombuffer(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], np.uint64)
    counts = np.ones((len(draws), n), np.intp)
    for row, number in enumerate(draws):
        if number and n:
            generator = np.random.Generator(np.random.Philox(key=words, counter=[0, 0, number, 0]))
            counts[row] = np.bincount(generator.integers(0, n, n), minlength=n)
    return Weights(counts)


def intervals(values: Floats, level: float) -> list[tuple[float | None, float | None, float | None]]:
    """Value, low and high of each metric.

    Args:
        values: shape [metrics, 1 + resamples]; the first column is the data itself; NaN where undefined.
        level: such as 0.95.

    Returns:
        Three numbers for each metric; all None where the value is undefined, the last two where fewer than
        half of the draws have a value.
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    found = [(_number(row[0]), *_ends(row[1:], tails)) for row in values]
    return [(None, None, None) if value is None else (value, low, high) for value, low, high in found]


def _ends(draws: Floats, tails: list[float]) -> tuple[float | None, float | None]:
    defined = draws[~np.isnan(draws)]
    if not len(defined) or len(defined) < LEAST_DEFINED * len(draws):
        return None, None
    low, high = np.quantile(defined, tails)
    return float(low), float(high)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
