"""What a claim is, and how its effects over seeds become a verdict.

A seed redraws world, base model and tuning, so the spread over seeds is that of doing everything again. The
interval is Student's over seeds. Each claim states beforehand the smallest effect that would matter; a
claim *holds* where the interval lies above zero (for a claim that something is kept: above minus that
effect), does *not hold* where it lies below the smallest effect that matters (below minus it), and is
*undecided* otherwise; then the number of seeds is given at which an interval of this spread would decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from demur.claims.lab import Lab

Kind = Literal["more", "kept"]
Verdict = Literal["holds", "does not hold", "undecided", "not measured"]
LEVEL = 0.95
MOST_SEEDS = 10_000
"""Beyond so many seeds no number is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim."""

    name: str
    text: str
    """The claim in a sentence."""
    source: str
    effect: Callable[[Lab], float | None]
    """The effect in one seed's laboratory, positive where the claim says so; None where undefined."""
    unit: str
    """What the effect is a difference of."""
    margin: float
    """The smallest effect that would matter."""
    kind: Kind = "more"
    """``more``: an effect above zero is claimed; ``kept``: that no more than the margin is lost."""
    why: str = ""
    """What explains the outcome in this world, or limits it."""
    quick: bool = True
    """Whether `--quick` checks it: its runs need no further base model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came out."""

    effects: tuple[float | None, ...]
    """By seed."""
    mean: float | None
    low: float | None
    high: float | None
    detectable: float | None
    """The smallest effect that so many seeds of this spread would have shown four times out of five."""
    verdict: Verdict
    seeds_needed: int | None
    """Seeds at which the interval would decide; None where it does, or where no number would help."""


def judge_claim(claim: Claim, effects: Sequence[float | None]) -> Finding:
    """The verdict on a claim from its effect in each seed."""
    found = np.array([effect for effect in effects if effect is not None])
    if len(found) < 2:
        mean = float(found[0]) if len(found) else None
        return Finding(
            effects=tuple(effects),
            mean=mean,
            low=None,
            high=None,
            detectable=None,
            verdict="not measured" if mean is None else "undecided",
            seeds_needed=None,
        )
    mean, spread = float(found.mean()), float(found.std(ddof=1))
    half = _half_width(spread, len(found))
    floor = -claim.margin if claim.kind == "kept" else 0.0
    ceiling = 0.0 if claim.kind == "kept" else claim.margin
    verdict: Verdict = "undecided"
    if mean - half > floor:
        verdict = "holds"
    elif mean + half < (floor if claim.kind == "kept" else ceiling):
        verdict = "does not hold"
    return Finding(
        effects=tuple(effects),
        mean=mean,
        low=mean - half,
        high=mean + half,
        detectable=_detectable(spread, len(found)),
        verdict=verdict,
        seeds_needed=_needed(mean, spread, floor, ceiling, claim.kind) if verdict == "undecided" else None,
    )


def _half_width(spread: float, n: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * spread / math.sqrt(n)


def _detectable(spread: float, n: int) -> float:
    """The true effect at which a two-sided t test succeeds with probability .8, approximately."""
    both = stats.t.ppf((1 + LEVEL) / 2, n - 1) + stats.t.ppf(0.8, n - 1)
    return float(both) * spread / math.sqrt(n)


def _needed(mean: float, spread: float, floor: float, ceiling: float, kind: Kind) -> int | None:
    """Seeds at which the interval around this mean would be clear of a border."""
    below = floor if kind == "kept" else ceiling
    gap = max(mean - floor, below - mean)
    if gap <= 0:
        return None
    for n in range(2, MOST_SEEDS):
        if _half_width(spread, n) < gap:
            return n
    return None
