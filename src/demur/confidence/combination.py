"""A learned combination of confidence signals, fitted on the calibration split only.

R-Tuning's published combination is the mean of `sure` and `likelihood`, whatever each is worth. Here a
logistic regression on their log-odds weighs them by what they were worth on questions that were neither
trained nor tested on. Log-odds, because two independent pieces of evidence add up there; the result is a
probability of being right, so 0.5 is a threshold that nobody has to choose.

Source: logistic combination of scores, also known as stacking or multivariate Platt scaling
(Platt 1999). Not part of R-Tuning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.confidence.logistic import logit, sigmoid
from demur.core.errors import DataError
from demur.core.records import Verdict

MIN_OF_EACH = 10
"""Right and wrong answers that a fit needs of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """P(right) = sigmoid(bias + sum of weight x log-odds of the signal)."""

    weights: Mapping[str, float]
    """Weight of each signal, by name."""
    bias: float
    n: int
    """Calibration answers it was fitted on."""

    def __call__(self, signals: Mapping[str, float]) -> float | None:
        """The probability of being right, in [0, 1]; None where a signal is missing or no number."""
        if not all(_is_number(signals, name) for name in self.weights):
            return None
        score = sum(w * logit(signals[name], clip=True) for name, w in self.weights.items())
        return sigmoid(self.bias + score)


def _is_number(signals: Mapping[str, float], name: str) -> bool:
    return name in signals and not math.isnan(signals[name])


def fit(rows: Sequence[tuple[Mapping[str, float], Verdict]], names: Sequence[str]) -> Combination | None:
    """Fit a combination of the named signals.

    Args:
        rows: signals and verdict of each calibration answer; left out are answers neither right nor wrong,
            and those with a signal that is missing or no number.

    Returns:
        None where fewer than `MIN_OF_EACH` answers are right, or wrong.
    """
    from sklearn.linear_model import LogisticRegression

    usable = [
        (signals, verdict is Verdict.CORRECT)
        for signals, verdict in rows
        if verdict in (Verdict.CORRECT, Verdict.WRONG) and all(_is_number(signals, name) for name in names)
    ]
    right = [is_right for _, is_right in usable]
    if min(sum(right), len(right) - sum(right)) < MIN_OF_EACH:
        return None
    features = [[logit(signals[name], clip=True) for name in names] for signals, _ in usable]
    model = LogisticRegression().fit(features, right)
    weights = {name: float(weight) for name, weight in zip(names, model.coef_[0], strict=True)}
    return Combination(weights=weights, bias=float(model.intercept_[0]), n=len(usable))


def most_honest(rows: Sequence[tuple[float | None, Verdict]]) -> float:
    """The threshold at which honesty is highest: the mean of wrong answers declined and right ones given.

    Thresholds lie half way between neighbouring confidences; where no number lies there, the upper one of
    them is the threshold. Many do nearly as well on a small sample, so the middle one of those within one
    hundredth of the best is taken. Confidences that are missing or no number, and answers that are neither
    right nor wrong, are left out. Where all confidences are equal, or all answers right, the lowest is
    given, at which everything is answered; where all are wrong, infinity, at which nothing is.

    Raises:
        DataError: no answer is left.
    """
    import numpy as np

    right, wrong = (np.sort(values) for values in _sides(rows))
    steps = np.unique(np.concatenate([right, wrong]))
    if not len(steps):
        raise DataError(
            expected="calibration answers with a confidence, right or wrong, to choose a threshold on",
            found="none",
            fix="set data.calibration higher, or set a threshold yourself",
        )
    if len(steps) < 2 or not len(wrong):
        return float(steps[0])
    if not len(right):
        return math.inf
    honesty = _honesty(right, wrong, thresholds := _between(steps))
    best = thresholds[honesty >= honesty.max() - 0.01]
    return float(best[len(best) // 2] if len(best) % 2 else _between(best[len(best) // 2 - 1 :][:2])[0])


def _between(steps: Any) -> Any:
    """A number above each step but the last, at most the next one: half way where it can be; [n - 1]."""
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        half = steps[:-1] / 2 + steps[1:] / 2
    fits = np.isfinite(half) & (half > steps[:-1])
    return np.where(fits, half, steps[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A threshold chosen on calibration answers, and what it did there."""

    value: float
    n: int
    """Answers that it was chosen on."""
    right: int
    """How many of them were right; the others were wrong."""
    honesty: float
    """Mean of the shares of wrong answers declined and of right ones given, in [0, 1], on these answers."""


def choose(rows: Sequence[tuple[float | None, Verdict]]) -> Chosen | None:
    """`most_honest` where the answers can carry a choice.

    Returns:
        None where fewer than `MIN_OF_EACH` answers with a confidence are right, or wrong, or all
        confidences are equal.
    """
    import numpy as np

    right, wrong = (np.sort(values) for values in _sides(rows))
    if min(len(right), len(wrong)) < MIN_OF_EACH or len(np.unique(np.concatenate([right, wrong]))) < 2:
        return None
    value = most_honest(rows)
    [honesty] = _honesty(right, wrong, np.array([value]))
    return Chosen(value=value, n=len(right) + len(wrong), right=len(right), honesty=float(honesty))


def _sides(rows: Sequence[tuple[float | None, Verdict]]) -> tuple[list[float], list[float]]:
    """The confidences of right and of wrong answers."""
    right, wrong = (
        [v for v, verdict in rows if v is not None and not math.isnan(v) and verdict is side]
        for side in (Verdict.CORRECT, Verdict.WRONG)
    )
    return right, wrong


def _honesty(right: Any, wrong: Any, thresholds: Any) -> Any:
    """Honesty at each threshold, [n]; ``right`` and ``wrong`` are sorted confidences."""
    import numpy as np

    kept = (len(right) - np.searchsorted(right, thresholds)) / len(right)
    declined = np.searchsorted(wrong, thresholds) / len(wrong)
    return (kept + declined) / 2
