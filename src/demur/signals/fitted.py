"""What is fitted to labelled answers of a model: signals of their own, and how all are weighed.

Everything is fitted and chosen on the labels given, by cross-validation that parts no group. A fitted
signal's part in the weighing is judged by what it says of answers that it was not fitted on. No calibration
question is needed, so all of those are left for a threshold and its promise.

What was learned of some questions need not hold for others. For a question that is not like the labelled
ones (`demur.signals.likeness`), the log-odds are therefore the mean of two: of all signals weighed, and of
the log-probability of the answer alone, of which the labels only set the scale.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demur.confidence.logistic import logit, sigmoid
from demur.core.errors import DemurError, ModelError, TrainingDataError
from demur.core.files import atomic_path, read_object, write_json
from demur.signals.agreement import Agreement
from demur.signals.answer_rate import AnswerRate
from demur.signals.base import Answered, Bools, Floats, Learnt, Said, Signal
from demur.signals.likelihood import Likelihood
from demur.signals.likeness import Likeness
from demur.signals.linear import auroc, grouped_folds, rightness, rising
from demur.signals.min import Min
from demur.signals.p_ik import PIK
from demur.signals.probe import Probe
from demur.signals.sum import Sum
from demur.signals.verbal import Verbal

WEIGHTS, SETTINGS = "probe.safetensors", "probe.json"
"""Files of a folder that holds what was fitted."""
LEAST = 10
"""Right and wrong labelled answers that a fit needs of each."""
TOKENS: tuple[type[Signal], ...] = (Sum, Min)
"""Token signals that are reported. Only the sum is weighed. Adding the smallest one ranked other questions
worse, and so did the geometric mean, which ignores how long an answer is."""
BESIDE: tuple[type[Signal], ...] = (Agreement, Verbal)
"""Signals for which the model is asked more than the answer. They are weighed wherever they are given, and
not asked for again where they get no weight."""
IN_ADDITION = frozenset(kind.info.name for kind in BESIDE)
LEARNT: tuple[type[Learnt], ...] = (Probe, AnswerRate, PIK)
"""Signals that are fitted."""
WEIGHED = (Probe.info.name, Sum.info.name)
WITHOUT_STATES = (AnswerRate.info.name, Sum.info.name)
"""What is weighed where the engine gives no hidden states; beside a probe an answer's rate adds nothing."""
WITHOUT_TOKENS = (AnswerRate.info.name,)
"""What is weighed where it gives no log-probabilities either, beside what is asked for."""
ALONE = (Sum.info.name,)
"""What questions that are not like the labelled ones are judged by too."""
PROBABILITIES = frozenset(kind.info.name for kind in (*LEARNT, *BESIDE))
MOST = 0.9
"""Share of the answers that must have a signal; then the others are left out. With fewer the signal is."""
LOWEST = -30.0
"""Log-probabilities below this are as good as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """Log-odds of being right: weights times features + bias."""

    weights: Mapping[str, float]
    """By signal."""
    bias: float

    def __call__(self, signals: Mapping[str, float]) -> float | None:
        """The log-odds; None where a signal is missing, NaN where one is."""
        if not self.weights.keys() <= signals.keys():
            return None
        return self.bias + sum(
            weight * feature(name, signals[name]) for name, weight in self.weights.items()
        )

    @classmethod
    def of(cls, columns: Mapping[str, Floats], right: Bools) -> Weighing:
        """A logistic regression on features without weights below 0, since higher is surer for each."""
        weights, bias = rising(np.column_stack([*columns.values()]), right)
        found = dict(zip(columns, map(float, weights), strict=True))
        idle = {name for name in IN_ADDITION if not found.get(name)}
        return cls(weights={name: found[name] for name in found if name not in idle}, bias=bias)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"weights": dict(self.weights), "bias": self.bias}

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Weighing:
        """What `to_json` gave.

        Raises:
            ValueError: numbers that are none.
        """
        weights = {str(name): float(weight) for name, weight in values["weights"].items()}
        if not np.isfinite([*weights.values(), float(values["bias"])]).all():
            raise ValueError("weights that are no numbers")
        return cls(weights=weights, bias=float(values["bias"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The confidences of an answer: token signals, fitted ones, and all of them weighed."""

    layers: tuple[int, ...]
    """Layers whose states are read; empty where none are."""
    learnt: Mapping[str, Learnt]
    """The fitted signals by name."""
    weighing: Weighing
    """Of all signals."""
    bare: Weighing | None = None
    """The same without `BESIDE`, for an answer of which the model did not give all of those; fitted to
    answers that have them. None where they are not weighed."""
    apart: Weighing | None
    """Of `ALONE`; its log-odds are half of those of a question that is not like the labelled ones. None
    where there is nothing to tell such a question by, or no log-probability."""
    likeness: Likeness | None
    """None without hidden states."""
    samples: int = 0
    """Sampled answers that it needs of a question."""
    notes: Mapping[str, Any]
    """What was fitted on how many labels, and what cross-validation said of it; JSON values."""

    def __call__(self, said: Said) -> dict[str, float]:
        """The signals of an answer by name; ``learned``, all of them weighed, or those that came with it.

        A signal whose numbers overflowed is NaN, and so is then ``learned``.
        """
        found = _values(said, [kind() for kind in (*TOKENS, *BESIDE)] + [*self.learnt.values()])
        score = self._score(said, found)
        learned = {} if score is None else {"learned": score if np.isnan(score) else sigmoid(score)}
        return found | learned | _values(said, [Likelihood()])

    def _score(self, said: Said, found: Mapping[str, float]) -> float | None:
        whole = self.weighing(found)
        if whole is None and self.bare is not None:
            whole = self.bare(found)
        if whole is None or self.apart is None or self.like(said):
            return whole
        alone = self.apart(found)
        return None if alone is None else (whole + alone) / 2

    @property
    def verbal(self) -> bool:
        """Whether the model has to be asked how sure it is."""
        return Verbal.info.name in self.weighing.weights

    def before(self, prompt: npt.NDArray[np.float32]) -> float | None:
        """`p-ik` of the states after a prompt, ``[layers, hidden size]``; None if it was not fitted."""
        signal = self.learnt.get(PIK.info.name)
        return signal.chance(prompt) if isinstance(signal, PIK) else None

    def like(self, said: Said) -> bool:
        """Whether a question is like the labelled ones; so is each where there is nothing to tell it by."""
        if self.likeness is None or said.states is None:
            return True
        return bool(self.likeness(said.states.prompt[:1])[0])

    def save(self, folder: Path) -> None:
        """Write tensors as safetensors and the rest as JSON, each atomically."""
        from safetensors.numpy import save_file

        parts = self._parts()
        arrays = {
            f"{name}.{key}": value for name, part in parts.items() for key, value in part.arrays().items()
        }
        if arrays:
            with atomic_path(folder / WEIGHTS) as partial:
                save_file(arrays, partial)
        values = {
            "layers": list(self.layers),
            "samples": self.samples,
            "parts": {name: part.values() for name, part in parts.items()},
            "weighing": self.weighing.to_json(),
            "bare": None if self.bare is None else self.bare.to_json(),
            "apart": None if self.apart is None else self.apart.to_json(),
        }
        write_json(folder / SETTINGS, {**values, "notes": dict(self.notes)})

    def _parts(self) -> dict[str, Learnt | Likeness]:
        return {**self.learnt} | ({} if self.likeness is None else {"likeness": self.likeness})

    @classmethod
    def load(cls, folder: Path) -> Fitted:
        """What `save` wrote.

        Raises:
            ModelError: a file is missing, damaged or has other shapes.
        """
        try:
            return cls._loaded(folder)
        except Exception as error:
            raise ModelError(
                expected=f"a fitted probe: {SETTINGS}, and {WEIGHTS} where it reads hidden states",
                found=_found(error),
                where=str(folder),
                fix="take the folder from a copy of the run, or delete it and run the same command again",
            ) from error

    @classmethod
    def _loaded(cls, folder: Path) -> Fitted:
        from safetensors.numpy import load_file

        values = read_object(folder / SETTINGS)
        layers = tuple(int(layer) for layer in values["layers"])
        if layers and not (folder / WEIGHTS).is_file():  # the library's own error does not name the file
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), WEIGHTS)
        arrays = load_file(folder / WEIGHTS) if layers else {}
        kinds = {kind.info.name: kind for kind in LEARNT}
        learnt = {}
        likeness = None
        for name, held in values["parts"].items():
            own = {
                key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(name)
            }
            if name == "likeness":
                likeness = Likeness.restored(own, held)
            else:
                learnt[name] = kinds[name].restored(own, held)
            if held.get("layers", len(layers)) != len(layers):
                raise ValueError(f"{name} reads other layers than {layers}")
        weighings = {
            name: None if values.get(name) is None else Weighing.restored(values[name])
            for name in ("weighing", "bare", "apart")
        }
        named = {name for one in weighings.values() if one is not None for name in one.weights}
        unknown = named - {*learnt, *(kind.info.name for kind in (*TOKENS, *BESIDE))}
        weighing = weighings["weighing"]
        if weighing is None:
            raise KeyError("weighing")
        if unknown:
            raise ValueError(f"no part {', '.join(sorted(unknown))}, which is weighed")
        return cls(
            layers=layers,
            learnt=learnt,
            weighing=weighing,
            bare=weighings["bare"],
            apart=weighings["apart"],
            likeness=likeness,
            samples=int(values.get("samples", 0)),
            notes=dict(values["notes"]),
        )


def _found(error: Exception) -> str:
    """What is wrong with a folder, for people."""
    if isinstance(error, DemurError):
        return error.found
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(error.filename).name}: {error.strerror}"
    return f"nothing at {error}" if isinstance(error, KeyError) else f"a damaged file: {error}"


def _values(said: Said, signals: Sequence[Signal]) -> dict[str, float]:
    found = {signal.info.name: signal(said) for signal in signals}
    return {name: value for name, value in found.items() if value is not None}


def feature(name: str, value: float) -> float:
    """A signal as it is weighed: a probability as log-odds, token signals as log-probabilities."""
    if np.isnan(value) or value == np.inf:
        return value
    return logit(value, clip=True) if name in PROBABILITIES else max(value, LOWEST)


def fit_to(
    answers: Sequence[Answered],
    *,
    layers: tuple[int, ...],
    seed: int,
    kinds: Sequence[type[Learnt]] = LEARNT,
) -> Fitted:
    """Fit to labelled answers.

    Args:
        answers: with states of ``layers``, or all without.
        layers: empty for a fit without hidden states.
        seed: of the folds.
        kinds: the signals that are fitted; without those that are not weighed it is faster.

    Raises:
        TrainingDataError: too few right or wrong answers, or no signal at all.
    """
    given = len(answers)
    answers = _complete(answers)
    right = rightness(answers)
    folds = grouped_folds(right, [item.group for item in answers], seed=seed)
    few = min(int(right.sum()), int((~right).sum())) if len(right) else 0
    if few < LEAST or not folds:
        raise TrainingDataError(
            expected=f"{LEAST} right and {LEAST} wrong labelled answers or more, about several subjects",
            found=f"{int(right.sum())} right and {int((~right).sum())} wrong"
            + ("" if folds or few < LEAST else ", all about one or two subjects"),
            where="the training questions",
            fix="give more labelled questions (`--labels`), of which the model knows some and not others"
            if few < LEAST
            else "give questions about more subjects; the field `group` says what each is about",
        )
    found = {kind.info.name: kind.fit(answers, folds) for kind in kinds}
    fits = {name: fit for name, fit in found.items() if fit is not None and np.isfinite(fit[1]).all()}
    columns = _free_columns(answers) | {
        name: np.array([feature(name, value) for value in inside]) for name, (_, inside) in fits.items()
    }
    chosen = {name: columns[name] for name in _weighed(columns) if name in columns}
    if not chosen.keys() - {AnswerRate.info.name}:
        raise TrainingDataError(
            expected="log-probabilities, hidden states or samples of the answers",
            found="none of them, from this engine",
            where="model.engine",
            fix="choose an engine that gives them (`--model.engine hf`)",
        )
    weighing = Weighing.of(chosen, right)
    drawn = Agreement.info.name in weighing.weights
    own = {name: values for name, values in chosen.items() if name not in IN_ADDITION}
    likeness = _likeness(answers) if Probe.info.name in fits else None
    alone = {name: columns[name] for name in ALONE if name in columns}
    return Fitted(
        layers=layers if Probe.info.name in fits else (),
        learnt={name: signal for name, (signal, _) in fits.items()},
        weighing=weighing,
        bare=Weighing.of(own, right) if own and IN_ADDITION & weighing.weights.keys() else None,
        apart=Weighing.of(alone, right) if alone and likeness is not None else None,
        likeness=likeness,
        samples=min(len(item.said.samples) for item in answers) if drawn else 0,
        notes={
            "labels": len(answers),
            "incomplete": given - len(answers),
            "right": int(right.sum()),
            "folds": len(folds),
            "auroc": {name: auroc(values, right) for name, values in columns.items()},
        },
    )


def _weighed(columns: Mapping[str, Floats]) -> tuple[str, ...]:
    beside = tuple(kind.info.name for kind in BESIDE)
    if Probe.info.name in columns:
        return WEIGHED + beside
    return (WITHOUT_STATES if Sum.info.name in columns else WITHOUT_TOKENS) + beside


def _complete(answers: Sequence[Answered]) -> Sequence[Answered]:
    """The answers that have all that `MOST` of them have: a server may fail to name an answer's tokens."""
    signals = [kind() for kind in (*TOKENS, *BESIDE)]
    held = np.array(
        [
            [item.said.states is not None]
            + [(value := signal(item.said)) is not None and np.isfinite(value) for signal in signals]
            for item in answers
        ],
        dtype=bool,
    ).reshape(len(answers), len(signals) + 1)
    usual = held.mean(axis=0) >= MOST if len(answers) else np.zeros(0, dtype=bool)
    return [item for item, has in zip(answers, held, strict=True) if has[usual].all()]


def _free_columns(answers: Sequence[Answered]) -> dict[str, Floats]:
    """The signals that every answer has and that nothing is fitted for, as they are weighed."""
    kinds = (*TOKENS, *BESIDE)
    read = [_values(item.said, [kind() for kind in kinds]) for item in answers]
    names = [kind.info.name for kind in kinds if all(kind.info.name in values for values in read)]
    found = {name: np.array([feature(name, values[name]) for values in read]) for name in names}
    return {name: values for name, values in found.items() if np.isfinite(values).all()}


def _likeness(answers: Sequence[Answered]) -> Likeness | None:
    """By the first of the layers."""
    states = [item.said.states.prompt[0] for item in answers if item.said.states is not None]
    if len(states) < len(answers) or not np.isfinite(states).all():
        return None
    return Likeness.fit(np.stack(states), [item.group for item in answers])
