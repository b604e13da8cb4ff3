"""What a claim is, and how its effects over seeds become a verdict.

A seed redraws world, base model and tuning, so the spread over seeds is that of doing everything again. The
interval is Student's over seeds. Each claim states beforehand the smallest effect that would matter.

A claim of *more*, an effect above zero, has the first of these verdicts that applies:

    smaller than matters    the interval lies between minus and plus the smallest effect that matters
    holds                   above zero, by a t test with Holm's correction over all claims of the page
    does not hold           the interval lies below the smallest effect that matters
    undecided               none of these

The interval is not corrected. That something is *kept*, no more than the smallest effect that matters
being lost, *holds* where the effect is above minus that and *does not hold* where it is below, both by the
corrected test; else it is *undecided*. That a target is *reached* is judged alike, with its border at zero.

What cannot come out otherwise is *by construction*: it is shown, not tested, and not counted as holding.
*Power*, before the correction, is how often so many seeds of this spread would find an effect that is the
smallest that matters above the border.

Sources: Student's t test and its noncentral distribution; Holm (Scandinavian Journal of Statistics, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from demur.metrics.multiple import holm

if TYPE_CHECKING:
    from demur.claims.lab import Lab

Kind = Literal["more", "kept", "reached"]
Verdict = Literal[
    "holds", "does not hold", "smaller than matters", "undecided", "by construction", "not measured"
]
LEVEL = 0.95
ALIKE = 3
"""Seeds that have to agree before that counts."""


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
    """``more``: an effect above zero is claimed; ``kept``: that no more than the margin is lost;
    ``reached``: that a target is, of which the effect is the distance."""
    why: str = ""
    """What explains the outcome in this world, or limits it."""
    by_construction: str = ""
    """Why the effect cannot fall the other way; then nothing is tested."""
    quick: bool = True
    """Whether `--quick` checks it: its runs need no further base model."""

    @property
    def border(self) -> float:
        """The effect that has to be surpassed."""
        return -self.margin if self.kind == "kept" else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of a claim."""

    effects: tuple[float | None, ...]
    """In each seed."""
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    """Two-sided, of no difference from the border; None where nothing is tested."""
    corrected: float | None
    """``p`` by Holm's correction over all claims that were judged together."""
    power: float | None
    """In [0, 1]: how often so many seeds would find an effect a margin above the border, uncorrected."""
    verdict: Verdict


def judge_claims(
    claims: Sequence[Claim], effects: Mapping[str, Sequence[float | None]]
) -> dict[str, Finding]:
    """The verdict on each claim of a page, by name.

    Args:
        effects: of each claim in each seed, by the claim's name.
    """
    measured = {claim.name: _measured(claim, effects[claim.name]) for claim in claims}
    corrected = holm([finding.p for finding in measured.values()])
    found = {}
    for claim, p in zip(claims, corrected, strict=True):
        finding = replace(measured[claim.name], corrected=p)
        found[claim.name] = replace(finding, verdict=_verdict(claim, finding))
    return found


def _measured(claim: Claim, effects: Sequence[float | None]) -> Finding:
    """The figures of a claim, without a verdict."""
    known = np.array([effect for effect in effects if effect is not None and math.isfinite(effect)])
    mean = float(known.mean()) if len(known) else None
    bare = Finding(
        effects=tuple(effects),
        mean=mean,
        low=None,
        high=None,
        p=None,
        corrected=None,
        power=None,
        verdict="not measured",
    )
    if mean is None or len(known) < 2:
        return bare
    error = float(known.std(ddof=1)) / math.sqrt(len(known))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(known) - 1)) * error
    found = replace(bare, low=mean - half, high=mean + half)
    if claim.by_construction:
        return found
    return replace(
        found,
        p=_p_value(mean - claim.border, error, len(known)),
        power=_power(claim.margin, error, len(known)),
    )


def _verdict(claim: Claim, finding: Finding) -> Verdict:
    if finding.mean is None:
        return "not measured"
    if claim.by_construction:
        return "by construction"
    if finding.low is None or finding.high is None or finding.corrected is None:
        return "undecided"
    clear = finding.corrected <= 1 - LEVEL
    if claim.kind != "more":
        if not clear:
            return "undecided"
        return "holds" if finding.mean > claim.border else "does not hold"
    if -claim.margin < finding.low and finding.high < claim.margin:
        return "smaller than matters"
    if clear and finding.mean > 0:
        return "holds"
    return "does not hold" if finding.high < claim.margin else "undecided"


def _p_value(gap: float, error: float, n: int) -> float | None:
    """Two-sided, by Student's t; without any spread 0 or 1, and None of fewer than `ALIKE` seeds."""
    if error == 0:
        return None if n < ALIKE else float(gap == 0)
    return float(2 * stats.t.sf(abs(gap) / error, n - 1))


def _power(margin: float, error: float, n: int) -> float:
    """How often a two-sided t test finds a gap of ``margin``; exactly, by the noncentral distribution."""
    if error == 0:
        return 1.0
    least = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    above = stats.nct.sf(least, n - 1, margin / error)
    below = stats.nct.cdf(-least, n - 1, margin / error)
    return float(np.clip(np.nan_to_num(above, nan=1.0) + np.nan_to_num(below), 0, 1))
