"""SEP, semantic entropy probe: the hidden states foretell whether sampled answers would agree.

1 - P(high semantic entropy), in [0, 1], by a linear probe on the states after the answer. It is fitted to
the semantic entropy of sampled answers and needs no accepted answers; asked later, it needs no samples.
Entropies are parted in high and low at the value that leaves the least squared error within the two
parts. Source: Kossen et al. (arXiv 2406.15927), section 4. Deviations: discrete semantic entropy, with
answers that are the same after normalisation; the mean over layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from scipy.special import expit

from demur.signals.base import Answered, Bools, Floats, Folds, SignalInfo
from demur.signals.linear import fit, grouped_folds
from demur.signals.probe import Probe
from demur.signals.semantic_entropy import SemanticEntropy


class SEP(Probe):
    """A linear probe that is fitted to semantic entropy."""

    info: ClassVar = SignalInfo(
        name="sep",
        summary="linear probe on the hidden states after the answer for low semantic entropy",
        source="Kossen et al. (arXiv 2406.15927), discrete entropy, mean over layers",
        needs=("states", "samples"),
        cost="samples of the questions that it is fitted to; then a product per layer",
        bounds=(0.0, 1.0),
    )

    @classmethod
    def fit(cls, answers: Sequence[Answered], folds: Folds) -> tuple[Self, Floats] | None:
        """Fit it to the samples of the answers; their labels are not looked at.

        None where an answer has no samples or states, or all have the same entropy.
        """
        agreed = [SemanticEntropy()(item.said) for item in answers]
        states = [item.said.states.answer for item in answers if item.said.states is not None]
        known = np.array([value for value in agreed if value is not None])
        if len(states) < len(answers) or len(known) < len(answers):
            return None
        low = known > split(known)
        own = grouped_folds(low, [item.group for item in answers], seed=0)
        if low.all() or not low.any() or not own:
            return None
        found = fit(np.stack(states), low, own)
        return cls(found.probe), expit(found.held_out)


def split(values: Floats) -> float:
    """The value that parts others with the least squared error within the parts; it belongs to the lower.

    Args:
        values: one or more, shape ``[n]``.
    """
    places = np.unique(values)[:-1]
    if not len(places):
        return float(values[0])
    return float(min(places, key=lambda place: _within(values, values > place)))


def _within(values: Floats, high: Bools) -> float:
    return float(sum(((part - part.mean()) ** 2).sum() for part in (values[high], values[~high])))
