"""A linear probe: how likely an answer is right, read off the hidden states of the model that gave it.

A logistic regression on the standardised states of each of some layers; their log-odds are averaged. One
layer chosen by its score on few labels is fragile, and the choice costs labels; the mean needs no choice.
Of the strengths of regularisation the strongest is taken whose ranking, cross-validated on the labels, is
within one standard error of the best: strong regularisation carries over better to other questions.

Sources: probes on hidden states, Azaria and Mitchell 2023 (arXiv 2304.13734) and Orgad et al. 2024 (arXiv
2410.02707); the one-standard-error rule, Breiman et al. 1984, section 3.4.3. Deviations: the mean over
layers; a logistic regression in place of a neural network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demur.signals.base import Answered, Bools, Floats, Folds

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Inverse strengths of regularisation (scikit-learn's C), the strongest first."""
MOST_LAYERS = 8
ITERATIONS = 500


def layers_of(count: int) -> tuple[int, ...]:
    """The layers that are read, evenly spaced from a third of a model's depth to its last.

    Args:
        count: layers of the model; none where it is 0.
    """
    if not count:
        return ()
    first = max(1, math.ceil(count / 3))
    wanted = np.linspace(first, count, min(MOST_LAYERS, count - first + 1))
    return tuple(sorted({int(layer) for layer in wanted.round()}))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Linear:
    """Log-odds of being right: the mean over layers of weights x state + bias."""

    weights: npt.NDArray[np.float32]
    """Shape ``[layers, hidden size]``."""
    bias: npt.NDArray[np.float32]
    """Shape ``[layers]``."""

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """What is stored of it."""
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[np.float32]], *, layers: int) -> Linear:
        """What was stored.

        Args:
            layers: how many there must be.

        Raises:
            ValueError: with other shapes, or numbers that are none.
            KeyError: some of it is missing.
        """
        weights, bias = arrays["weights"], arrays["bias"]
        if weights.ndim != 2 or len(weights) != layers or bias.shape != (layers,):
            raise ValueError(f"weights of shape {weights.shape} and {bias.shape} for {layers} layers")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ValueError("weights that are no numbers")
        return cls(weights=weights.astype(np.float32), bias=bias.astype(np.float32))

    def __call__(self, states: Floats) -> Floats:
        """Log-odds of some answers, shape ``[n]``, of states of shape ``[n, layers, hidden size]``."""
        found = np.einsum("nlh,lh->nl", states.astype(np.float64), self.weights.astype(np.float64))
        return np.asarray((found + self.bias).mean(axis=1))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fit:
    """A probe and what cross-validation said of it."""

    probe: Linear
    strength: float
    held_out: Floats
    """Log-odds of each labelled answer by a probe that was not fitted on it or its group; shape ``[n]``."""
    auroc: float
    """Of ``held_out``."""


def fit(states: Floats, right: Bools, folds: Folds) -> Fit:
    """Fit a probe.

    Args:
        states: shape ``[n, layers, hidden size]``.
        right: whether each answer is right, shape ``[n]``; each fold must train on both kinds.
        folds: training and held-out places.
    """
    from threadpoolctl import threadpool_limits

    # Many small products: threads that wait for one another made this up to sixteen times slower
    with threadpool_limits(1, user_api="blas"):
        tried = {strength: np.zeros(len(right)) for strength in STRENGTHS}
        for train, held in folds:
            for strength, probe in _fitted(states[train], right[train], STRENGTHS).items():
                tried[strength][held] = probe(states[held])
        scores = {strength: auroc(values, right) for strength, values in tried.items()}
        best = max(scores.values())
        allowed = best - standard_error(best, right)
        strength = next(strength for strength in STRENGTHS if scores[strength] >= allowed)
        probe = _fitted(states, right, [strength])[strength]
    return Fit(probe=probe, strength=strength, held_out=tried[strength], auroc=scores[strength])


def rightness(answers: Sequence[Answered]) -> Bools:
    """Whether each labelled answer is right, shape ``[n]``."""
    return np.array([item.right for item in answers], dtype=bool)


def auroc(scores: Floats, right: Bools) -> float:
    """How often a right answer has the higher score than a wrong one, ties counted half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(right, scores))


def standard_error(area: float, right: Bools) -> float:
    """Of an area under the ROC curve. Source: Hanley and McNeil 1982."""
    m, n = int(right.sum()), int((~right).sum())
    q1, q2, squared = area / (2 - area), 2 * area**2 / (1 + area), area**2
    variance = (area * (1 - area) + (m - 1) * (q1 - squared) + (n - 1) * (q2 - squared)) / (m * n)
    return math.sqrt(max(variance, 0.0))


def grouped_folds(right: Bools, groups: Sequence[str], *, seed: int, count: int = 5) -> Folds:
    """Folds that part no group, each with right and wrong answers to train on.

    Returns:
        None at all where no such folds can be made.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    most = min(count, len(set(groups)), int(right.sum()), int((~right).sum()))
    if most < 2:
        return []
    splitter = StratifiedGroupKFold(most, shuffle=True, random_state=seed)
    folds = list(splitter.split(np.zeros(len(right)), right, groups))
    usable = all(0 < right[train].sum() < len(train) and len(held) for train, held in folds)
    return folds if usable else []


def held_out(
    make: Callable[[npt.NDArray[np.intp]], Callable[[npt.NDArray[np.intp]], Floats]], n: int, folds: Folds
) -> Floats:
    """What is said of each row by what was made without it, shape ``[n]``."""
    found = np.zeros(n)
    for train, held in folds:
        found[held] = make(train)(held)
    return found


def _fitted(states: Floats, right: Bools, strengths: Sequence[float]) -> dict[float, Linear]:
    """A probe for each strength."""
    by_layer = [
        logistics(states[:, layer].astype(np.float64), right, strengths) for layer in range(states.shape[1])
    ]
    return {
        strength: Linear(
            weights=np.stack([fits[place][0] for fits in by_layer]).astype(np.float32),
            bias=np.array([fits[place][1] for fits in by_layer], np.float32),
        )
        for place, strength in enumerate(strengths)
    }


def rising(values: Floats, right: Bools) -> tuple[Floats, float]:
    """A logistic regression without weights below 0: columns that get one are left out, one after another.

    For columns that should all rise with the odds of being right. On few labels a signal can by chance
    seem to fall, and a weight below 0 would turn it round on all later questions.

    Args:
        values: shape ``[n, columns]``.

    Returns:
        Weights of shape ``[columns]``, at least 0, and the bias of the log-odds.
    """
    kept = list(range(values.shape[1]))
    while kept:
        weights, bias = logistic(values[:, kept], right)
        if weights.min() >= 0:
            found = np.zeros(values.shape[1])
            found[kept] = weights
            return found, bias
        kept.pop(int(np.argmin(weights * values[:, kept].std(axis=0))))
    share = right.mean()
    return np.zeros(values.shape[1]), math.log(share / (1 - share))


def logistic(values: Floats, right: Bools, *, strength: float = 1.0) -> tuple[Floats, float]:
    """One logistic regression, see `logistics`."""
    return logistics(values, right, [strength])[0]


def logistics(values: Floats, right: Bools, strengths: Sequence[float]) -> list[tuple[Floats, float]]:
    """Logistic regressions on standardised columns, as weights and bias for the columns as they are.

    Args:
        values: shape ``[n, columns]``; a column that never changes gets no weight.
        strengths: inverse strengths of regularisation; each begins where the one before it ended.

    Returns:
        For each strength, weights of shape ``[columns]`` and the bias of the log-odds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(values)
    columns = scaler.transform(values)
    model = LogisticRegression(max_iter=ITERATIONS, warm_start=True)
    found = []
    for strength in strengths:
        model.set_params(C=strength).fit(columns, right)
        weights = model.coef_[0] / scaler.scale_
        found.append((weights, float(model.intercept_[0] - weights @ scaler.mean_)))
    return found
