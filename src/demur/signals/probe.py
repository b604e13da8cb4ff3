"""Probe: what the hidden states at the end of an answer say of it.

The probability that the answer is right, in [0, 1], by a linear probe (`demur.signals.linear`, with its
sources) on the states of some layers after the last token of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from demur.engines.base import States
from demur.signals.base import Answered, Floats, Folds, Said, SignalInfo
from demur.signals.linear import Linear, fit, rightness


@dataclass(frozen=True)
class Probe:
    """A linear probe on the states after the answer."""

    info: ClassVar = SignalInfo(
        name="probe",
        summary="linear probe on the hidden states after the answer",
        source="Azaria and Mitchell (arXiv 2304.13734), a logistic regression, mean over layers",
        needs=("states", "labels"),
        cost="a product per layer",
        bounds=(0.0, 1.0),
    )
    linear: Linear | None = None

    @staticmethod
    def read(states: States) -> npt.NDArray[np.float32]:
        """The states that it reads, shape ``[layers, hidden size]``."""
        return states.answer

    def __call__(self, said: Said) -> float | None:
        """The probability that the answer is right."""
        return None if said.states is None else self.chance(self.read(said.states))

    def chance(self, states: npt.NDArray[np.float32]) -> float | None:
        """The same of the states that it reads, shape ``[layers, hidden size]``."""
        return None if self.linear is None else float(expit(self.linear(states[None])[0]))

    @classmethod
    def fit(cls, answers: Sequence[Answered], folds: Folds) -> tuple[Self, Floats] | None:
        """Fit it to the states of labelled answers."""
        states = [cls.read(item.said.states) for item in answers if item.said.states is not None]
        if len(states) < len(answers):
            return None
        found = fit(np.stack(states), rightness(answers), folds)
        return cls(found.probe), expit(found.held_out)

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Its weights."""
        return {} if self.linear is None else self.linear.arrays()

    def values(self) -> dict[str, Any]:
        """How many layers it reads."""
        return {"layers": 0 if self.linear is None else len(self.linear.bias)}

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[np.float32]], values: Mapping[str, Any]) -> Self:
        """What was stored."""
        return cls(Linear.restored(arrays, layers=int(values["layers"])))
