"""What a confidence signal is: what it needs, its range, and how it is called."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from demur.core.records import Question, Response

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


class Signal(Protocol):
    """A confidence of one answer. Higher is more confident, for every signal."""

    info: ClassVar[SignalInfo]

    def __call__(self, said: Said) -> float | None:
        """The confidence; None where what it needs is missing, NaN where a number overflowed."""
        ...


def overflowed(values: Iterable[float]) -> bool:
    """Whether one of these log-probabilities, entropies or margins is not a number, or infinitely large."""
    return not all(value < math.inf for value in values)
