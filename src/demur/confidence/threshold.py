"""A threshold with a promise: of what is answered, at most so much is wrong, with so much confidence.

Candidate thresholds are the confidences of a pilot part of the calibration rows, which is not used again.
On the other rows the thresholds are tested in a fixed order, from the one that looks safest in the pilot
down to lower and lower ones: the hypothesis "more than ``max_error`` of what it answers is wrong" is
rejected where so few errors would be that unlikely, by the exact binomial distribution. Testing stops at
the first that is not rejected, so one error probability serves for the whole sequence (fixed-sequence
testing): the chance that the chosen threshold breaks the promise is at most 1 - ``confidence``, whatever
the model and the signal.

It holds for questions drawn like the calibration rows, and for those only.

Sources: Learn then Test (Angelopoulos et al., arXiv 2110.01052), fixed-sequence testing, its section 3;
selective guaranteed risk (Geifman and El-Yaniv, arXiv 1705.08500), which tests by halving and pays for it
with a union bound. Deviation from both: the pilot, which chooses where to begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from demur.core.errors import ConfigError

Risk = Literal["selective", "joint"]
"""``selective``: wrong among what is answered. ``joint``: wrong and answered among all."""
PILOT = 0.2
"""Share of the rows that choose the thresholds and their order."""
MOST_CANDIDATES = 300
MOST_ROWS = 10_000_000
"""Beyond so many calibration rows no number is named."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """A threshold and what is promised of it, or why there is none."""

    max_error: float
    """The largest risk that is allowed, in (0, 1)."""
    confidence: float
    """The probability with which the promise is kept, in (0, 1)."""
    risk: Risk
    n: int
    """Calibration rows, the pilot included."""
    threshold: float | None
    """What is answered has at least this confidence; None where nothing can be promised."""
    coverage: float | None = None
    """Share of the tested rows that it answers, in [0, 1]."""
    error: float | None = None
    """Their risk, in [0, 1]."""
    answered: int | None = None
    """Tested rows that it answers."""
    reason: str | None = None
    """Why there is no threshold."""
    needed: int | None = None
    """Calibration rows with which there would be one at this rate of errors; None where none would do."""


def find_threshold(
    signal: Floats,
    wrong: Bools,
    *,
    max_error: float = 0.05,
    confidence: float = 0.95,
    risk: Risk = "selective",
    seed: int = 0,
) -> Guarantee:
    """The lowest threshold that the calibration rows can promise something of.

    Args:
        signal: the confidence of each calibration answer, shape [n]; -inf where it is declined anyway.
        wrong: whether the answer is wrong, shape [n].
        seed: of the division into pilot and tested rows.

    Raises:
        ConfigError: an allowed error or a confidence outside (0, 1).
    """
    if not (0 < max_error < 1 and 0 < confidence < 1):
        raise ConfigError(
            expected="an allowed error and a confidence between 0 and 1, such as 0.05 and 0.95",
            found=f"{max_error} and {confidence}",
            where="--max-error, --confidence",
            fix="give both as shares",
        )
    order = np.random.default_rng(seed).permutation(len(signal))
    cut = round(PILOT * len(signal))
    pilot, tested = (
        _Sorted.of(signal[rows], wrong[rows], max_error, risk) for rows in (order[:cut], order[cut:])
    )
    chosen = _descend(_sequence(pilot, tested.n), tested, 1 - confidence)
    common = {"max_error": max_error, "confidence": confidence, "risk": risk, "n": len(signal)}
    if chosen is None:
        whole = _Sorted.of(signal, wrong, max_error, risk)
        reason, needed = _why_none(whole, 1 - confidence)
        return Guarantee(**common, threshold=None, reason=reason, needed=needed)  # type: ignore[arg-type]
    answered, errors = tested.at(chosen)
    return Guarantee(
        **common,  # type: ignore[arg-type]
        threshold=chosen,
        coverage=answered / tested.n,
        error=errors / (answered if risk == "selective" else tested.n),
        answered=answered,
    )


@dataclass(frozen=True)
class _Sorted:
    """Rows in falling confidence."""

    signal: Floats
    errors_to: npt.NDArray[np.intp]
    """Errors among the first rows, shape [n + 1]."""
    n: int
    max_error: float
    risk: Risk

    @classmethod
    def of(cls, signal: Floats, wrong: Bools, max_error: float, risk: Risk) -> _Sorted:
        falling = np.argsort(-signal, kind="stable")
        errors = np.concatenate([[0], np.cumsum(wrong[falling])]).astype(np.intp)
        return cls(signal[falling], errors, len(signal), max_error, risk)

    def at(self, threshold: float) -> tuple[int, int]:
        """How many rows a threshold answers, and how many of them are wrong."""
        answered = int(np.searchsorted(-self.signal, -threshold, side="right"))
        return answered, int(self.errors_to[answered])

    def p_value(self, threshold: float) -> float:
        """How likely so few errors are if more than the allowed risk is wrong."""
        answered, errors = self.at(threshold)
        trials = answered if self.risk == "selective" else self.n
        return float(stats.binom.cdf(errors, trials, self.max_error)) if trials else 1.0

    def rates(self, threshold: float, *, doubt: float = 0.0) -> tuple[float, float]:
        """Coverage and risk of a threshold.

        Args:
            doubt: errors to add, so that no error among few is not taken for certainty.
        """
        answered, errors = self.at(threshold)
        whole = answered if self.risk == "selective" else self.n
        return answered / max(self.n, 1), (errors + doubt) / (whole + 2 * doubt)


def _sequence(pilot: _Sorted, n: int) -> list[float]:
    """Thresholds in the order of testing: falling, from the one that looks surest to pass."""
    levels = np.unique(pilot.signal[np.isfinite(pilot.signal)])[::-1]
    if len(levels) > MOST_CANDIDATES:
        levels = levels[np.linspace(0, len(levels) - 1, MOST_CANDIDATES).round().astype(int)]
    if not len(levels):
        return []
    start = int(np.argmin([_expected_p(pilot, float(level), n, doubt=0.5) for level in levels]))
    return [float(level) for level in levels[start:]]


def _expected_p(rows: _Sorted, threshold: float, n: int, *, doubt: float = 0.0) -> float:
    """The p-value that a threshold would have on n rows like these."""
    coverage, rate = rows.rates(threshold, doubt=doubt)
    trials = round(n * coverage) if rows.risk == "selective" else n
    return float(stats.binom.cdf(np.floor(rate * trials), trials, rows.max_error)) if trials else 1.0


def _descend(thresholds: list[float], tested: _Sorted, alpha: float) -> float | None:
    """The last threshold before the first that cannot be promised."""
    chosen = None
    for threshold in thresholds:
        if tested.p_value(threshold) > alpha:
            break
        chosen = threshold
    return chosen


def _why_none(rows: _Sorted, alpha: float) -> tuple[str, int | None]:
    """Why nothing can be promised, and how many rows would do."""
    levels = np.unique(rows.signal[np.isfinite(rows.signal)])
    if not len(levels):
        return "nothing is answered", None
    if len(levels) > MOST_CANDIDATES:
        levels = levels[np.linspace(0, len(levels) - 1, MOST_CANDIDATES).round().astype(int)]
    below = [float(level) for level in levels if rows.rates(float(level))[1] < rows.max_error]
    if not below:
        return f"no threshold leaves an error rate below {rows.max_error:g}", None
    needed = min(_rows_needed(rows, level, alpha) for level in below)
    return "too few calibration questions", needed if needed < MOST_ROWS else None


def _rows_needed(rows: _Sorted, threshold: float, alpha: float) -> int:
    """Calibration rows with which a threshold would pass, at the rate that it has here."""
    low, high = rows.n, rows.n
    while high < MOST_ROWS and _expected_p(rows, threshold, round(high * (1 - PILOT))) > alpha:
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if _expected_p(rows, threshold, round(middle * (1 - PILOT))) > alpha:
            low = middle
        else:
            high = middle
    return high
