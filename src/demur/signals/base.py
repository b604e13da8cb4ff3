"""What a confidence signal is: what it needs, its range, and how it is called."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from demur.core.questions import shared_by
from demur.core.records import Question, Response
from demur.engines.base import States

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Folds = Sequence[tuple[Places, Places]]
"""Training and held-out places."""

NEEDS: dict[str, str] = {
    "logprobs": "log-probability of each token of the answer",
    "top": "entropy and margin of each token of the answer",
    "samples": "sampled answers, two or more",
    "sample-logprobs": "log-probability of each token of every sample",
    "scores": "a model that scores continuations",
    "states": "hidden states of the model",
    "labels": "questions with accepted answers, to fit it on",
    "words": "confidence that the model states in words",
}
"""What a signal may need, and what that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInfo:
    """What lists and documentation say of a signal."""

    name: str
    summary: str
    """What the number is, as a noun phrase."""
    source: str
    """Paper or project that the definition comes from, with each deviation."""
    needs: tuple[str, ...]
    """Names of `NEEDS`."""
    cost: str
    """What it takes beyond the greedy answer."""
    bounds: tuple[float, float]
    """The least and the largest value; infinite where there is none. A signal in (0, 1) has calibration
    errors, others only rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one model said to one question."""

    question: Question
    greedy: Response
    samples: tuple[Response, ...] = ()
    states: States | None = None
    """Of the greedy answer; None where the engine gives none."""
    verbal: float | None = None
    """The confidence that the model stated in the greedy answer, in [0, 1], if it was asked for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A labelled answer: what signals are fitted to."""

    said: Said
    right: bool
    group: str
    """What it shares with others that are likely to fail together; its own id where nothing."""

    @classmethod
    def of(cls, said: Said, *, right: bool) -> Answered:
        """An answer in the group of its question."""
        return cls(said=said, right=right, group=shared_by(said.question) or said.question.id)


class Signal(Protocol):
    """A confidence of one answer. Higher is more confident, for every signal."""

    info: ClassVar[SignalInfo]

    def __call__(self, said: Said) -> float | None:
        """The confidence; None where what it needs is missing, NaN where a number overflowed."""
        ...


class Learnt(Signal, Protocol):
    """A signal that is fitted to labelled answers. Called before it is fitted, it gives None."""

    @classmethod
    def fit(cls, answers: Sequence[Answered], folds: Folds) -> tuple[Self, Floats] | None:
        """Fit it.

        Args:
            answers: labelled answers, some of them right.
            folds: training and held-out places, as `demur.signals.linear.grouped_folds` makes them.

        Returns:
            The signal, and for each answer its confidence by a signal that was fitted without it and its
            group, shape ``[n]``; None where what it needs is missing from an answer.
        """
        ...

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """What is stored of it as tensors."""
        ...

    def values(self) -> dict[str, Any]:
        """What is stored of it as JSON."""
        ...

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[np.float32]], values: Mapping[str, Any]) -> Self:
        """What was stored.

        Raises:
            ValueError: with other shapes, or numbers that are none.
            KeyError: some of it is missing.
        """
        ...


def overflowed(values: Iterable[float]) -> bool:
    """Whether one of these log-probabilities, entropies or margins is not a number, or infinitely large."""
    return not all(value < math.inf for value in values)
