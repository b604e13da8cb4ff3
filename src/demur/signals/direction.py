"""Direction: how far the hidden state lies towards the states of right answers.

The difference of the mean state of right and of wrong answers, of length 1, times the standardised state
after the answer; the mean over layers, without bounds. It has no strength to choose, so it is steadier on
few labels than a regression. Source: mass-mean probes, Marks and Tegmark (arXiv 2310.06824), section 5.1.
Deviations: standardised states in place of a tilt by their covariance; the mean over layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from demur.signals.base import Answered, Bools, Floats, Folds, Said, SignalInfo
from demur.signals.linear import Linear, held_out, rightness
from demur.signals.probe import Probe


class Direction(Probe):
    """The state's part in the direction from wrong to right answers."""

    info: ClassVar = SignalInfo(
        name="direction",
        summary="hidden state after the answer along the difference of right and wrong answers' means",
        source="Marks and Tegmark (arXiv 2310.06824), on standardised states, mean over layers",
        needs=("states", "labels"),
        cost="a product per layer",
        bounds=(-math.inf, math.inf),
    )

    def __call__(self, said: Said) -> float | None:
        """The mean over layers."""
        if self.linear is None or said.states is None:
            return None
        return float(self.linear(self.read(said.states)[None])[0])

    @classmethod
    def fit(cls, answers: Sequence[Answered], folds: Folds) -> tuple[Self, Floats] | None:
        """Take the means of labelled answers' states."""
        read = [cls.read(item.said.states) for item in answers if item.said.states is not None]
        if len(read) < len(answers):
            return None
        states, right = np.stack(read).astype(np.float64), rightness(answers)
        inside = held_out(
            lambda train: lambda held: _direction(states[train], right[train])(states[held]),
            len(right),
            folds,
        )
        return cls(_direction(states, right)), inside


def _direction(states: Floats, right: Bools) -> Linear:
    """Weights for the states as they are, ``[n, layers, size]``; of length 1 for standardised ones."""
    mean, spread = states.mean(axis=0), states.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)  # a unit that never changes tells nothing
    between = (states[right].mean(axis=0) - states[~right].mean(axis=0)) / scale
    length = np.linalg.norm(between, axis=1, keepdims=True)
    weights = between / np.where(length > 0, length, 1.0) / scale
    bias = -(weights * mean).sum(axis=1)
    return Linear(weights=weights.astype(np.float32), bias=bias.astype(np.float32))
