"""What is fitted to labelled answers of a model: a linear probe, and how it is weighed with token signals.

Everything is fitted and chosen on the labels given, by cross-validation that parts no group. The probe's
part in the weighing is judged by what it says of answers that it was not fitted on. No calibration question
is needed, so all of those are left for a threshold and its promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demur.confidence.logistic import logit, sigmoid
from demur.core.errors import ModelError, TrainingDataError
from demur.core.files import atomic_path, read_object, write_json
from demur.engines.base import States
from demur.signals.base import Said
from demur.signals.likelihood import Likelihood
from demur.signals.linear import Bools, Fit, Folds, Linear, auroc, fit, grouped_folds, logistic
from demur.signals.min import Min
from demur.signals.sum import Sum

WEIGHTS, SETTINGS = "probe.safetensors", "probe.json"
"""Files of a folder that holds what was fitted."""
LEAST = 10
"""Right and wrong labelled answers that a fit needs of each."""
TOKEN_SIGNALS = (Sum, Min)
"""Weighed beside the probe. Not the geometric mean, which forgets how long an answer is: on two models it
carried over worse to other questions than the sum."""
LOWEST = -30.0
"""Log-probabilities below this are as good as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A labelled answer."""

    said: Said
    states: States | None
    """None where the engine gives none."""
    right: bool
    group: str
    """What it shares with others that are likely to fail together; its own id where nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The confidences of an answer: token signals, a probe's, and all of them weighed."""

    layers: tuple[int, ...]
    """Layers whose states the probe reads; empty without a probe."""
    probe: Linear | None
    weights: Mapping[str, float]
    """Weight of each signal's feature in the log-odds of being right."""
    bias: float
    notes: Mapping[str, Any]
    """What was fitted on how many labels, and what cross-validation said of it; JSON values."""

    def __call__(self, said: Said, states: States | None) -> dict[str, float]:
        """The signals of an answer by name; ``learned``, all of them weighed, where none is missing.

        A signal whose numbers overflowed is NaN, and so is then ``learned``.
        """
        found = token_signals(said)
        if self.probe is not None and states is not None:
            found["probe"] = sigmoid_or_nan(float(self.probe(states.answer[None])[0]))
        likelihood = Likelihood()(said)
        if all(name in found for name in self.weights):
            score = sum(weight * feature(name, found[name]) for name, weight in self.weights.items())
            found["learned"] = sigmoid_or_nan(self.bias + score)
        return found if likelihood is None else {**found, "likelihood": likelihood}

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors and the rest as JSON, each atomically."""
        from safetensors.numpy import save_file

        if self.probe is not None:
            with atomic_path(folder / WEIGHTS) as partial:
                save_file({"weights": self.probe.weights, "bias": self.probe.bias}, partial)
        values = {"layers": list(self.layers), "weights": dict(self.weights), "bias": self.bias}
        write_json(folder / SETTINGS, {**values, "notes": dict(self.notes)})

    @classmethod
    def load(cls, folder: Path) -> Fitted:
        """What `save` wrote.

        Raises:
            ModelError: a file is missing, damaged or has other shapes.
        """
        try:
            values = read_object(folder / SETTINGS)
            layers = tuple(int(layer) for layer in values["layers"])
            probe = _load_probe(folder, len(layers)) if layers else None
            weights = {str(name): float(weight) for name, weight in values["weights"].items()}
            if not np.isfinite([*weights.values(), float(values["bias"])]).all():
                raise ValueError("weights that are no numbers")
            return cls(
                layers=layers,
                probe=probe,
                weights=weights,
                bias=float(values["bias"]),
                notes=dict(values["notes"]),
            )
        except Exception as error:
            raise ModelError(
                expected=f"a fitted probe: {SETTINGS}, and {WEIGHTS} where it reads hidden states",
                found=f"{type(error).__name__}: {error}",
                where=str(folder),
                fix="take the folder from a copy of the run, or delete it and run the same command again",
            ) from error


def _load_probe(folder: Path, layers: int) -> Linear:
    from safetensors.numpy import load_file

    held = load_file(folder / WEIGHTS)
    weights, bias = held["weights"], held["bias"]
    if weights.ndim != 2 or len(weights) != layers or bias.shape != (layers,):
        raise ValueError(f"weights of shape {weights.shape} and {bias.shape} for {layers} layers")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError("weights that are no numbers")
    return Linear(weights=weights.astype(np.float32), bias=bias.astype(np.float32))


def token_signals(said: Said) -> dict[str, float]:
    """The token signals of an answer by name; none where the engine gave no log-probabilities."""
    found = {kind.info.name: kind()(said) for kind in TOKEN_SIGNALS}
    return {name: value for name, value in found.items() if value is not None}


def feature(name: str, value: float) -> float:
    """A signal as it is weighed: the probe as log-odds, token signals as log-probabilities."""
    if not np.isfinite(value):
        return value
    return logit(value, clip=True) if name == "probe" else max(value, LOWEST)


def sigmoid_or_nan(score: float) -> float:
    """The probability with these log-odds; NaN of NaN."""
    return score if np.isnan(score) else sigmoid(score)


def fit_to(answers: Sequence[Answered], *, layers: tuple[int, ...], seed: int) -> Fitted:
    """Fit to labelled answers.

    Args:
        answers: with states of ``layers``, or all without.
        layers: empty for a fit without a probe.
        seed: of the folds.

    Raises:
        TrainingDataError: too few right or wrong answers, or no signal at all.
    """
    right = np.array([item.right for item in answers], dtype=bool)
    folds = grouped_folds(right, [item.group for item in answers], seed=seed)
    few = min(int(right.sum()), int((~right).sum())) if len(right) else 0
    if few < LEAST or not folds:
        raise TrainingDataError(
            expected=f"{LEAST} right and {LEAST} wrong labelled answers or more, about several subjects",
            found=f"{int(right.sum())} right and {int((~right).sum())} wrong"
            + ("" if folds or few < LEAST else ", all about one or two subjects"),
            where="the training questions",
            fix="give more labelled questions (`--labels`), of which the model knows some and not others",
        )
    read = [token_signals(item.said) for item in answers]
    columns = {
        name: np.array([feature(name, values[name]) for values in read])
        for name in (kind.info.name for kind in TOKEN_SIGNALS)
        if all(name in values for values in read)
    }
    found = _fit_probe(answers, right, folds) if layers else None
    if found is not None:
        columns["probe"] = found.held_out
    usable = {name: values for name, values in columns.items() if np.isfinite(values).all()}
    if not usable:
        raise TrainingDataError(
            expected="log-probabilities or hidden states of the answers",
            found="neither, from this engine",
            where="model.engine",
            fix="choose an engine that gives them (`--model.engine hf`)",
        )
    weights, bias = logistic(np.column_stack([*usable.values()]), right)
    notes = {
        "labels": len(answers),
        "right": int(right.sum()),
        "folds": len(folds),
        "auroc": {name: auroc(values, right) for name, values in usable.items()},
        "strength": None if found is None else found.strength,
    }
    probe = found.probe if found is not None and "probe" in usable else None
    return Fitted(
        layers=() if probe is None else layers,
        probe=probe,
        weights=dict(zip(usable, map(float, weights), strict=True)),
        bias=bias,
        notes=notes,
    )


def _fit_probe(answers: Sequence[Answered], right: Bools, folds: Folds) -> Fit:
    states = [item.states.answer for item in answers if item.states is not None]
    return fit(np.stack(states), right, folds)
