"""Whether a question is like the labelled ones, so that what was fitted to those holds for it.

A probe fitted to capitals ranks answers about rivers no better than chance. Questions about something else
show in the hidden state after the prompt: the distance of its standardised state to that of the nearest
labelled question, at about a third of the model's depth, where a state holds what is asked rather than
what will be said. A question is unlike where its nearest is further away than for all but `UNLIKE` of the
labelled questions among themselves; their own group does not count.

Source: distance to the nearest neighbour for what lies outside of training, Sun et al. (arXiv 2204.06507).
Deviations: hidden states of a language model after the prompt, standardised and not brought to length 1;
the nearest one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from demur.signals.base import Bools, Floats

UNLIKE = 0.05
"""Share of the labelled questions that would count as unlike."""
MOST = 1000
"""Labelled questions that are kept; of more, evenly spaced ones."""

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Likeness:
    """The labelled questions, and how near another one must be to them."""

    mean: Array
    """Shape ``[hidden size]``."""
    scale: Array
    """Standard deviation, shape ``[hidden size]``; 1 for a unit that never changes."""
    kept: Array
    """Standardised states, shape ``[n, hidden size]``."""
    most: float
    """Distance to the nearest, in standard deviations, above which a question is unlike."""

    def __call__(self, states: Floats) -> Bools:
        """Whether each question is like them, of states of shape ``[n, hidden size]``; not of NaN."""
        return np.asarray(self.distance(states) <= self.most)

    def distance(self, states: Floats) -> Floats:
        """Distance to the nearest labelled question: root mean square over units, shape ``[n]``."""
        return np.asarray(_distances((states - self.mean) / self.scale, self.kept).min(axis=1))

    @classmethod
    def fit(cls, states: Floats, groups: Sequence[str]) -> Likeness | None:
        """Take the labelled questions.

        Args:
            states: shape ``[n, hidden size]``.
            groups: of each question; there must be two or more, else None.
        """
        if len(set(groups)) < 2:
            return None
        chosen = np.unique(np.linspace(0, len(states) - 1, min(MOST, len(states))).round().astype(int))
        some, named = np.asarray(states[chosen], np.float64), np.array(groups)[chosen]
        mean, spread = some.mean(axis=0), some.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        kept = ((some - mean) / scale).astype(np.float32)
        apart = _distances(kept, kept)
        apart[named[:, None] == named[None]] = np.inf
        return cls(
            mean=mean.astype(np.float32),
            scale=scale.astype(np.float32),
            kept=kept,
            most=float(np.quantile(apart.min(axis=1), 1 - UNLIKE)),
        )

    def arrays(self) -> dict[str, Array]:
        """What is stored of it as tensors."""
        return {"mean": self.mean, "scale": self.scale, "kept": self.kept}

    def values(self) -> dict[str, Any]:
        """What is stored of it as JSON."""
        return {"most": self.most}

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> Likeness:
        """What was stored.

        Raises:
            ValueError: with other shapes, or numbers that are none.
            KeyError: some of it is missing.
        """
        mean, scale, kept = arrays["mean"], arrays["scale"], arrays["kept"]
        fits = mean.ndim == 1 and scale.shape == mean.shape and kept.shape[1:] == mean.shape and len(kept)
        most = float(values["most"])
        if not fits or not all(np.isfinite(held).all() for held in (mean, scale, kept, most)):
            raise ValueError(f"states of shape {mean.shape}, {scale.shape} and {kept.shape}")
        return cls(mean=mean, scale=scale, kept=kept, most=most)


def _distances(some: Floats, others: Floats) -> Floats:
    """Root mean square over units of each one's difference to each other one, shape ``[n, m]``."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(some, others)) / math.sqrt(some.shape[1])
