"""The bootstrap: whole questions are drawn with replacement, and every system sees the same draws.

Draw number i of a split depends on (seed, split, i) alone, so neither chunk size nor threads change it, and
differences between systems are paired. `demur.metrics.uncertainty` makes intervals of the draws;
`intervals` gives plain percentile intervals (Efron and Tibshirani 1993, chapter 13) for the rest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from demur.metrics.base import Floats, Index
from demur.metrics.sample import Weights, Workspace

CHUNK_ELEMENTS = 200_000
"""Row weights that are in memory at a time (for each thread); small enough for a processor's cache."""

LEAST_DEFINED = 0.5
"""An interval needs this share of the draws to have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How intervals are computed."""

    level: float = 0.95
    """Of the intervals, in (0, 1)."""
    resamples: int = 1000
    """Draws; 0 gives values without intervals."""
    seed: int = 0
    threads: int | None = None
    """None: one for each of up to four processors. No result depends on it."""


def chunks(n: int, resamples: int) -> Iterator[range]:
    """Draws 0 … ``resamples`` in pieces; draw 0 is the data itself."""
    step = max(1, CHUNK_ELEMENTS // max(n, 1))
    for start in range(0, resamples + 1, step):
        yield range(start, min(start + step, resamples + 1))


def group_numbers(groups: Sequence[str | None]) -> Index:
    """The number of each question's group, from 0; a question without one is a group of its own."""
    known: dict[object, int] = {}
    keys = (group or (place,) for place, group in enumerate(groups))
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), np.intp, len(groups))


def draw(n: int, draws: range, *, seed: int, key: str, workspace: Workspace | None = None) -> Weights:
    """How often each of n questions stands in each draw: multinomial counts, all ones in draw 0.

    Args:
        draws: numbers of the draws, from `chunks`.
        key: what is drawn from, such as a split's name.
        workspace: memory to use again; earlier weights in it are overwritten.

    Returns:
        Weights of shape [len(draws), n].
    """
    bits = np.random.PCG64(int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], "big"))
    generator, start = np.random.Generator(bits), bits.state
    workspace = workspace or Workspace()
    counts = workspace.counts("counts", (len(draws), n))
    counts[:] = 1
    for row, number in enumerate(draws):
        if number and n:
            bits.state = start
            bits.advance(number << 64)  # far beyond what one draw uses
            counts[row] = np.bincount(generator.integers(0, n, n), minlength=n)
    return Weights(counts, workspace)


def intervals(values: Floats, level: float) -> list[tuple[float | None, float | None, float | None]]:
    """Value, low and high of each metric.

    Args:
        values: shape [metrics, 1 + resamples]; the first column is the data itself; NaN where undefined.
        level: such as 0.95.

    Returns:
        Three numbers for each metric; all None where the value is undefined, the last two where fewer than
        half of the draws have a value.
    """
    value, drawn = values[:, 0], np.sort(values[:, 1:], axis=1)  # NaN last
    defined = np.count_nonzero(~np.isnan(drawn), axis=1)
    enough = (defined > 0) & (defined >= LEAST_DEFINED * drawn.shape[1])
    low, high = (_quantile(drawn, defined, tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    return [
        (None, None, None)
        if math.isnan(value[i])
        else (float(value[i]), *((float(low[i]), float(high[i])) if enough[i] else (None, None)))
        for i in range(len(values))
    ]


def _quantile(drawn: Floats, defined: Index, tail: float) -> Floats:
    """The quantile of the first ``defined`` values of each sorted row, linear between neighbours."""
    if not drawn.shape[1]:
        return np.full(len(drawn), np.nan)
    place = np.maximum(defined - 1, 0) * tail
    below = np.floor(place).astype(np.intp)[:, None]
    left = np.take_along_axis(drawn, below, axis=1)[:, 0]
    right = np.take_along_axis(drawn, np.minimum(below + 1, np.maximum(defined - 1, 0)[:, None]), axis=1)[
        :, 0
    ]
    return np.asarray(left + (right - left) * (place - below[:, 0]))
