"""From a confidence signal to the probability of being right: one rising map, fitted on calibration rows.

`temperature` divides the log-odds by one number; `platt` is a line through the log-odds, or through the
value itself where the signal is no probability; `isotonic` is the best rising steps of all, joined by
lines. The first two rise strictly, so no ranking changes; isotonic has level stretches, on which what was
apart is tied. A map is plain numbers, and applying it needs no library.

Log-odds are taken of the signal drawn towards the middle by `EDGE`, so that 0 and 1 have some too and
nothing below or above a limit becomes equal. The targets are Platt's, a little inside 0 and 1: answers
that a signal separates perfectly would otherwise ask for an infinite slope.

Sources: Guo et al. (arXiv 1706.04599), section 4.2, for temperature; Platt 1999; Zadrozny and Elkan 2002
for isotonic regression. Deviation: Platt's targets for temperature too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from demur.confidence.logistic import EDGE, logit, sigmoid
from demur.core.errors import ConfigError, DataError

Kind = Literal["temperature", "platt", "isotonic"]
KINDS: tuple[Kind, ...] = ("temperature", "platt", "isotonic")
LEAST: Mapping[Kind, int] = {"temperature": 10, "platt": 10, "isotonic": 50}
"""Right and wrong answers that a fit needs of each; isotonic regression has as many parameters as steps."""
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """P(right) from a signal: sigmoid(slope x feature + bias), or the line through points."""

    kind: Kind
    n: int
    """Calibration answers it was fitted on."""
    log_odds: bool = True
    """Whether the feature is the signal's log-odds, else the signal itself."""
    slope: float = 1.0
    """Above 0; 1 / temperature."""
    bias: float = 0.0
    signals: tuple[float, ...] = ()
    """Of isotonic regression: rising places, and the probability at each; level beyond the ends."""
    probabilities: tuple[float, ...] = ()

    def __call__(self, value: float) -> float:
        """The probability of being right, in [0, 1]; never falls as the value rises."""
        if self.kind == "isotonic":
            return _between(self.signals, self.probabilities, value)
        return sigmoid(self.slope * (logit(value) if self.log_odds else value) + self.bias)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recalibration:
        """The map that `to_json` wrote, such as ``recalibration.map`` of a model's ``demur.json``."""
        lists = {name: tuple(values[name]) for name in ("signals", "probabilities")}
        return cls(**{**values, **lists})

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return dataclasses.asdict(self) | {
            "signals": list(self.signals),
            "probabilities": list(self.probabilities),
        }


def fit(
    kind: Kind, values: Sequence[float], right: Sequence[bool], *, probability: bool
) -> Recalibration | None:
    """Fit a map on calibration rows.

    Args:
        values: the signal of each answer.
        right: whether the answer is right.
        probability: whether the signal is one already, in [0, 1].

    Returns:
        None where all answers are right, or none: how often they are right is then the same at every value.

    Raises:
        ConfigError: `temperature` of a signal that is no probability.
        DataError: too few answers; or a signal that falls as answers get better, which no rising map mends.
    """
    if kind == "temperature" and not probability:
        raise ConfigError(
            expected="a signal that is a probability, whose log-odds a temperature can divide",
            found="values outside [0, 1], or a signal that counts something else",
            where="--recalibrate temperature",
            fix="use --recalibrate platt or isotonic, which take any number",
        )
    if len(set(right)) < 2:
        return None
    fewer = min(sum(right), len(right) - sum(right))
    if fewer < LEAST[kind]:
        raise DataError(
            expected=f"{LEAST[kind]} right and {LEAST[kind]} wrong calibration answers or more, for {kind}",
            found=f"{sum(right)} right and {len(right) - sum(right)} wrong",
            where="the calibration split",
            fix="set data.calibration higher"
            + (", or use --recalibrate platt" if fewer >= LEAST["platt"] else ""),
        )
    if kind == "isotonic":
        return _isotonic(values, right)
    return _logistic(kind, values, right, log_odds=probability)


def cross_validated(
    values: Sequence[float], right: Sequence[bool], *, probability: bool, seed: int = 0
) -> dict[Kind, float]:
    """Log loss in nats of each map that can be fitted, cross-validated within the calibration rows.

    The lowest is the one to take. Empty where there are too few rows for any, or no rising map serves.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    signal, truth = np.asarray(values, float), np.asarray(right, bool)
    kept = min(int(truth.sum()), int((~truth).sum())) * (FOLDS - 1) // FOLDS
    losses: dict[Kind, float] = {}
    for kind in KINDS:
        if kept < LEAST[kind] or (kind == "temperature" and not probability):
            continue
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(signal, truth)
        held: list[float] = []
        with contextlib.suppress(DataError):  # a falling signal: this map is none
            for rest, out in folds:
                made = fit(kind, signal[rest].tolist(), truth[rest].tolist(), probability=probability)
                assert made is not None, "stratified folds hold both classes"
                held += _log_losses(made, signal[out], truth[out])
            losses[kind] = math.fsum(held) / len(held)
    return losses


def _log_losses(recalibrate: Recalibration, values: Any, right: Any) -> list[float]:
    """-log of the probability of what happened, kept finite by `EDGE`."""
    given = [min(max(recalibrate(value), EDGE), 1 - EDGE) for value in values.tolist()]
    return [-math.log(p if is_right else 1 - p) for p, is_right in zip(given, right.tolist(), strict=True)]


def _logistic(
    kind: Kind, values: Sequence[float], right: Sequence[bool], *, log_odds: bool
) -> Recalibration:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    feature = np.array([logit(value) if log_odds else value for value in values])
    truth = np.asarray(right, bool)
    hits, misses = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (hits + 1) / (hits + 2), 1 / (misses + 2))
    # A row with target t is one right row of weight t and one wrong row of weight 1 - t.
    centre, spread = (0.0, 1.0) if kind == "temperature" else (feature.mean(), feature.std() or 1.0)
    scaled = (np.concatenate([feature, feature]) - centre) / spread
    model = LogisticRegression(C=np.inf, fit_intercept=kind == "platt", tol=1e-10, max_iter=1000).fit(
        scaled[:, None],
        np.repeat([True, False], len(feature)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope = float(model.coef_[0, 0]) / spread
    if slope <= 0:
        raise DataError(
            expected="a signal that is higher where answers are right",
            found=f"one that is not, on {len(values):,} calibration answers: the best slope is {slope:.3g}",
            where="the calibration split",
            fix="choose another signal; no rising map can make this one a probability",
        )
    bias = float(model.intercept_[0]) - slope * centre if kind == "platt" else 0.0
    return Recalibration(kind=kind, n=len(values), log_odds=log_odds, slope=slope, bias=float(bias))


def _isotonic(values: Sequence[float], right: Sequence[bool]) -> Recalibration:
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0, y_max=1).fit(list(values), [float(is_right) for is_right in right])
    return Recalibration(
        kind="isotonic",
        n=len(values),
        signals=tuple(map(float, model.X_thresholds_)),
        probabilities=tuple(map(float, model.y_thresholds_)),
    )


def _between(places: Sequence[float], heights: Sequence[float], value: float) -> float:
    """The line through points of rising places, level beyond the ends."""
    after = bisect_right(places, value)
    if after == 0 or after == len(places):
        return heights[0 if after == 0 else -1]
    left, right = places[after - 1], places[after]
    share = (value - left) / (right - left)
    # Rounding must not lift a value above the next point.
    return min(heights[after - 1] + share * (heights[after] - heights[after - 1]), heights[after])
