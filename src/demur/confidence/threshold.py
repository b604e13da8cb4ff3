"""A threshold with a promise: of what is answered, at most so much is wrong, with so much confidence.

Candidate thresholds are the confidences of a pilot part of the calibration rows, which is not used again.
On the other rows the thresholds are tested in a fixed order, from the one that looks safest in the pilot
down to lower and lower ones: the hypothesis "more than ``max_error`` of what it answers is wrong" is
rejected where so few errors would be that unlikely, by the exact binomial distribution. Testing stops at
the first that is not rejected, so one error probability serves for the whole sequence (fixed-sequence
testing): the chance that the chosen threshold breaks the promise is at most 1 - ``confidence``, whatever
the model and the signal.

It holds for questions drawn like the calibration rows, and for those only. The rows must be independent of
each other: of questions that share an entity or document, one is taken (`demur.confidence.independent`).

Sources: Learn then Test (Angelopoulos et al., arXiv 2110.01052), fixed-sequence testing, its section 3;
selective guaranteed risk (Geifman and El-Yaniv, arXiv 1705.08500), which tests by halving and pays for it
with a union bound. Deviation from both: the pilot, which chooses where to begin.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

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
Ints = npt.NDArray[np.intp]


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
    questions: int | None = None
    """Calibration questions of which the n rows are one of each group; None where they are all of them."""
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
    thresholds = Thresholds.of(signal, wrong, seed=seed)
    found = thresholds.find(max_error, confidence, risk=risk)
    if found.threshold is not None:
        return found
    return dataclasses.replace(found, needed=thresholds.needed(max_error, confidence, risk=risk))


@dataclass(frozen=True)
class Thresholds:
    """Calibration rows in order, from which the threshold of any promise is looked up.

    All that does not depend on the promise is done once: one look-up takes well below a millisecond.
    """

    whole: _Sorted
    pilot: _Sorted
    tested: _Sorted
    levels: Floats
    """Candidates, confidences of the pilot from the highest down, shape [at most MOST_CANDIDATES]."""

    @classmethod
    def of(cls, signal: Floats, wrong: Bools, *, seed: int = 0) -> Thresholds:
        """Sort calibration rows; arguments as of `find_threshold`."""
        order = np.random.default_rng(seed).permutation(len(signal))
        cut = round(PILOT * len(signal))
        pilot, tested = (_Sorted.of(signal[rows], wrong[rows]) for rows in (order[:cut], order[cut:]))
        return cls(_Sorted.of(signal, wrong), pilot, tested, pilot.levels()[::-1])

    def find(self, max_error: float, confidence: float, *, risk: Risk = "selective") -> Guarantee:
        """As `find_threshold`, without how many rows would be needed where there is no threshold.

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
        common: dict[str, Any] = {
            "max_error": max_error, "confidence": confidence, "risk": risk, "n": self.whole.n,
        }  # fmt: skip
        chosen = self._descend(_Test(max_error, risk), 1 - confidence)
        if chosen is None:
            return Guarantee(**common, threshold=None, reason=self._why_none(_Test(max_error, risk)))
        answered, errors = map(int, self.tested.at(chosen))
        return Guarantee(
            **common,
            threshold=chosen,
            coverage=answered / self.tested.n,
            error=errors / (answered if risk == "selective" else self.tested.n),
            answered=answered,
        )

    def needed(self, max_error: float, confidence: float, *, risk: Risk = "selective") -> int | None:
        """Rows with which there would be a threshold at this rate of errors; None where none would do."""
        test = _Test(max_error, risk)
        below = self._below(test)
        if not below:
            return None
        needed = min(_rows_needed(self.whole, level, test, 1 - confidence) for level in below)
        return needed if needed < MOST_ROWS else None

    def _descend(self, test: _Test, alpha: float) -> float | None:
        """The last threshold before the first that cannot be promised, from the one surest to pass down."""
        if not len(self.levels):
            return None
        start = int(np.argmin(test.expected(self.pilot, self.levels, self.tested.n, doubt=0.5)))
        falling = self.levels[start:]
        failing = np.flatnonzero(test.p_values(self.tested, falling) > alpha)
        passed = int(failing[0]) if len(failing) else len(falling)
        return float(falling[passed - 1]) if passed else None

    def _below(self, test: _Test) -> list[float]:
        """Thresholds whose rate of errors is below the limit on all rows."""
        levels = self.whole.levels()
        return [float(level) for level in levels[test.rates(self.whole, levels)[1] < test.max_error]]

    def _why_none(self, test: _Test) -> str:
        if not len(self.whole.levels()):
            return "nothing is answered"
        if not self._below(test):
            return f"no threshold leaves an error rate below {test.max_error:g}"
        return "too few calibration questions"


@dataclass(frozen=True)
class _Sorted:
    """Rows in falling confidence."""

    signal: Floats
    errors_to: Ints
    """Errors among the first rows, shape [n + 1]."""
    n: int

    @classmethod
    def of(cls, signal: Floats, wrong: Bools) -> _Sorted:
        falling = np.argsort(-signal, kind="stable")
        errors = np.concatenate([[0], np.cumsum(wrong[falling])]).astype(np.intp)
        return cls(signal[falling], errors, len(signal))

    def at(self, thresholds: Floats | float) -> tuple[Ints, Ints]:
        """How many rows each threshold answers, and how many of them are wrong."""
        answered = np.searchsorted(-self.signal, -np.asarray(thresholds), side="right")
        return answered, self.errors_to[answered]

    def levels(self) -> Floats:
        """Its confidences, each once and rising, evenly thinned to `MOST_CANDIDATES`."""
        levels = np.unique(self.signal[np.isfinite(self.signal)])
        if len(levels) > MOST_CANDIDATES:
            levels = levels[np.linspace(0, len(levels) - 1, MOST_CANDIDATES).round().astype(int)]
        return levels


@dataclass(frozen=True)
class _Test:
    """The hypothesis that more than the allowed risk is wrong, for many thresholds at once."""

    max_error: float
    risk: Risk

    def p_values(self, rows: _Sorted, thresholds: Floats) -> Floats:
        """How likely so few errors are if more than the allowed risk is wrong; 1 without any trial."""
        answered, errors = rows.at(thresholds)
        trials = answered if self.risk == "selective" else np.full(len(answered), rows.n)
        return self._cdf(errors, trials)

    def rates(self, rows: _Sorted, thresholds: Floats, *, doubt: float = 0.0) -> tuple[Floats, Floats]:
        """Coverage and risk of thresholds.

        Args:
            doubt: errors to add, so that no error among few is not taken for certainty.
        """
        answered, errors = rows.at(thresholds)
        whole = answered if self.risk == "selective" else np.full(len(answered), rows.n)
        return answered / max(rows.n, 1), (errors + doubt) / (whole + 2 * doubt)

    def expected(self, rows: _Sorted, thresholds: Floats, n: int, *, doubt: float = 0.0) -> Floats:
        """The p-values that thresholds would have on n rows like these."""
        coverage, rates = self.rates(rows, thresholds, doubt=doubt)
        trials = np.round(n * coverage) if self.risk == "selective" else np.full(len(coverage), n)
        return self._cdf(np.floor(rates * trials), trials)

    def _cdf(self, errors: npt.ArrayLike, trials: npt.ArrayLike) -> Floats:
        found = stats.binom.cdf(errors, trials, self.max_error)
        return np.where(np.asarray(trials) > 0, found, 1.0)


def _rows_needed(rows: _Sorted, threshold: float, test: _Test, alpha: float) -> int:
    """Calibration rows with which a threshold would pass, at the rate that it has here."""

    def fails(count: int) -> bool:
        trials = round(count * (1 - PILOT))
        return float(test.expected(rows, np.array([threshold]), trials)[0]) > alpha

    low, high = rows.n, rows.n
    while high < MOST_ROWS and fails(high):
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if fails(middle):
            low = middle
        else:
            high = middle
    return high
