"""What a claim is, and how its effects over seeds become a verdict at each place.

Each claim states beforehand the smallest effect that would matter. The standard error of the mean over
seeds is that of the seeds where a seed redraws everything (the pocket world). Where a seed draws questions
and tuning for one given model, it has two parts:

    groups    the spread of the mean over bootstrap draws of whole groups (entities, else relations), each
              group drawn alike in all seeds
    seeds     the spread over seeds

Their squares are added, though the second holds some of the first: of three seeds its estimate is often far
too small. Intervals are Student's, with the degrees of freedom that both parts have together
(Satterthwaite). In simulations of three seeds they held the truth in 92 to 99 of 100 cases.

A claim of *more*, an effect above zero, has the first of these verdicts that applies:

    smaller than matters    the interval lies between minus and plus the smallest effect that matters
    holds                   above zero, by a t test with Holm's correction over all claims and places
    does not hold           the interval lies below the smallest effect that matters
    undecided               none of these

The interval is not corrected. That something is *kept*, no more than the smallest effect that matters
being lost, *holds* where the effect is above minus that and *does not hold* where it is below, both by the
corrected test; else it is *undecided*. That a target is *reached* is judged alike, with its border at zero.

What cannot come out otherwise is *by construction*: it is shown, not tested, and not counted as holding.
*Power*, before the correction, is how often as much data of this spread would find an effect that is the
smallest that matters above the border. Of one seed at a place that plans more, and of systems that are made
for one seed only, nothing is decided: *one seed*.

Sources: Student's t test and its noncentral distribution; Holm (Scandinavian Journal of Statistics, 1979);
Satterthwaite (Biometrics Bulletin, 1946).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from demur.metrics.multiple import holm

if TYPE_CHECKING:
    from demur.claims.lab import Effect, Figure
    from demur.claims.places import LabName

Kind = Literal["more", "kept", "reached"]
Verdict = Literal[
    "holds",
    "does not hold",
    "smaller than matters",
    "undecided",
    "by construction",
    "one seed",
    "not measured",
]
LEVEL = 0.95
ALIKE = 3
"""Seeds that have to agree before that counts."""
LEAST_DEFINED = 0.9
"""Share of the draws that must have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim."""

    name: str
    text: str
    """The claim in a sentence."""
    source: str
    effect: Effect
    """The effect in one seed, positive where the claim says so; NaN where undefined."""
    unit: str
    """What the effect is a difference of."""
    margin: float
    """The smallest effect that would matter."""
    kind: Kind = "more"
    """``more``: an effect above zero is claimed; ``kept``: that no more than the margin is lost;
    ``reached``: that a target is, of which the effect is the distance."""
    labs: tuple[LabName, ...] = ("pocket",)
    """Where it can be put to the test."""
    contextual: bool = False
    """Whether it is about questions with a passage."""
    primary: bool = False
    """Whether it is one of the few comparisons that were named as the main ones."""
    why: Mapping[LabName, str] | str = ""
    """What explains the outcome, or limits it, by lab; a text is of the pocket world."""
    by_construction: str = ""
    """Why the effect cannot fall the other way; then nothing is tested."""
    quick: bool = True
    """Whether `--quick` checks it: its runs need no further base model."""
    revision: int = 1
    """To be raised when the effect is computed otherwise: what was kept of before then counts no more."""

    @property
    def key(self) -> str:
        """The name under which its effects are kept."""
        return self.name if self.revision == 1 else f"{self.name}@{self.revision}"

    @property
    def border(self) -> float:
        """The effect that has to be surpassed."""
        return -self.margin if self.kind == "kept" else 0.0

    def reason(self, lab: LabName) -> str:
        """What explains the outcome in a lab; empty where nothing is known."""
        found = {"pocket": self.why} if isinstance(self.why, str) else self.why
        return found.get(lab, "")


@dataclass(frozen=True, slots=True)
class Measured:
    """A claim's effects at one place."""

    seeds: tuple[Figure, ...]
    """Of each seed: the effect, and under each draw of groups where there are any."""
    groups: int = 0
    """Groups of questions, in the part with fewest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of a claim at a place."""

    effects: tuple[float | None, ...]
    """In each seed."""
    mean: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Two-sided, of no difference from the border; None where nothing is tested."""
    corrected: float | None = None
    """``p`` by Holm's correction over all claims and places that were judged together."""
    power: float | None = None
    """In [0, 1]: how often as much data would find an effect a margin above the border, uncorrected."""
    verdict: Verdict = "not measured"


def judge_claims(
    claims: Mapping[str, Claim], measured: Mapping[tuple[str, str], Measured]
) -> dict[tuple[str, str], Finding]:
    """The verdict on each claim at each place, all corrected together.

    Args:
        measured: by claim and place.
    """
    found = {key: _figures(claims[key[0]], effects) for key, effects in measured.items()}
    corrected = holm([finding.p for finding in found.values()])
    result = {}
    for (key, finding), p in zip(found.items(), corrected, strict=True):
        whole = replace(finding, corrected=p)
        result[key] = replace(whole, verdict=_verdict(claims[key[0]], whole))
    return result


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard error of a mean, and its degrees of freedom."""

    error: float
    freedom: float


def spread(seeds: Sequence[Figure], groups: int) -> Spread:
    """The standard error of the mean of two seeds or more; see the top of this file."""
    values = np.array([figure[0] for figure in seeds])
    n = len(values)
    of_seeds = float(values.var(ddof=1)) / n
    if len(seeds[0]) == 1:
        return Spread(math.sqrt(of_seeds), n - 1)
    if groups < 2:  # one group has no spread
        return Spread(math.nan, math.nan)
    drawn = np.stack([figure[1:] for figure in seeds])  # seeds x draws
    few = groups / (groups - 1)  # a bootstrap of few groups is too narrow by as much
    of_groups = _variance(drawn.mean(axis=0)) * few
    total = of_groups + of_seeds
    if total == 0:
        return Spread(0.0, n - 1)
    return Spread(math.sqrt(total), total**2 / (of_groups**2 / (groups - 1) + of_seeds**2 / (n - 1)))


def _variance(drawn: npt.NDArray[np.float64]) -> float:
    known = drawn[~np.isnan(drawn)]
    return float(known.var(ddof=1)) if len(known) >= LEAST_DEFINED * len(drawn) else math.nan


def _figures(claim: Claim, measured: Measured) -> Finding:
    """The figures of a claim, without a verdict."""
    known = [figure for figure in measured.seeds if math.isfinite(figure[0])]
    effects = tuple(float(f[0]) if math.isfinite(f[0]) else None for f in measured.seeds)
    bare = Finding(effects=effects, mean=float(np.mean([f[0] for f in known])) if known else None)
    if bare.mean is None or len(known) < 2:
        return bare
    found = spread(known, measured.groups)
    if math.isnan(found.error):
        return bare
    half = float(stats.t.ppf((1 + LEVEL) / 2, found.freedom)) * found.error
    interval = replace(bare, low=bare.mean - half, high=bare.mean + half)
    if claim.by_construction:
        return interval
    return replace(
        interval,
        p=_p_value(bare.mean - claim.border, found, len(known)),
        power=_power(claim.margin, found),
    )


def _verdict(claim: Claim, finding: Finding) -> Verdict:
    if finding.mean is None:
        return "not measured"
    if claim.by_construction:
        return "by construction"
    if sum(effect is not None for effect in finding.effects) == 1:
        return "one seed"
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


def _p_value(gap: float, found: Spread, n: int) -> float | None:
    """Two-sided, by Student's t; without any spread 0 or 1, and None of fewer than `ALIKE` seeds."""
    if found.error == 0:
        return None if n < ALIKE else float(gap == 0)
    return float(2 * stats.t.sf(abs(gap) / found.error, found.freedom))


def _power(margin: float, found: Spread) -> float:
    """How often a two-sided t test finds a gap of ``margin``; exactly, by the noncentral distribution."""
    if found.error == 0:
        return 1.0
    least = stats.t.ppf((1 + LEVEL) / 2, found.freedom)
    above = stats.nct.sf(least, found.freedom, margin / found.error)
    below = stats.nct.cdf(-least, found.freedom, margin / found.error)
    return float(np.clip(np.nan_to_num(above, nan=1.0) + np.nan_to_num(below), 0, 1))
