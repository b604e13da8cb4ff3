"""Answer rate: how often the same answer was right to other questions.

The smoothed share right among the labelled answers that are equal after normalisation, in (0, 1):
(right + 2 m) / (n + 2) with m the share right among all. Models repeat themselves, and an answer such as
"English" that is often given is often right. It needs no log-probabilities and no hidden states, so it
works for any model; and it knows nothing of the question, so it is a control for the others. No source;
the smoothing is that of an m-estimate (Cestnik 1990) with m = 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from demur.judging.extraction import answer_name
from demur.signals.base import Answered, Floats, Folds, Said, SignalInfo

PRIOR = 2.0
"""Answers of the mean share right that each share is smoothed with."""
EDGE = 0.01
"""No share is nearer to 0 or 1."""


@dataclass(frozen=True)
class AnswerRate:
    """The share right per answer, of a labelled set."""

    info: ClassVar = SignalInfo(
        name="answer-rate",
        summary="share right of the same answer among labelled answers, smoothed",
        source="Demur; m-estimate (Cestnik 1990)",
        needs=("labels",),
        cost="none",
        bounds=(0.0, 1.0),
    )
    mean: float | None = None
    """Share right among all; None where nothing was fitted."""
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Labelled answers and right ones, by the name of an answer."""

    def __call__(self, said: Said) -> float | None:
        """The share for the greedy answer; the mean for one that was not labelled."""
        if self.mean is None:
            return None
        n, right = self.counts.get(answer_name(said.greedy.text) or "", (0, 0))
        return min(1 - EDGE, max(EDGE, (right + PRIOR * self.mean) / (n + PRIOR)))

    @classmethod
    def fit(cls, answers: Sequence[Answered], folds: Folds) -> tuple[AnswerRate, Floats]:
        """Count."""
        # One mean for all folds: that of the others alone would be low where a fold has many right answers.
        mean = sum(item.right for item in answers) / len(answers)
        inside = np.zeros(len(answers))
        for train, held in folds:
            counted = cls._counted([answers[place] for place in train], mean)
            inside[held] = [counted(answers[place].said) for place in held]
        return cls._counted(answers, mean), inside

    @classmethod
    def _counted(cls, answers: Sequence[Answered], mean: float) -> AnswerRate:
        names = [answer_name(item.said.greedy.text) or "" for item in answers]
        given = Counter(names)
        right = Counter(name for name, item in zip(names, answers, strict=True) if item.right)
        return cls(mean, {name: (n, right[name]) for name, n in sorted(given.items()) if name})

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """No tensors."""
        return {}

    def values(self) -> dict[str, Any]:
        """The counts."""
        return {"mean": self.mean, "counts": {name: list(pair) for name, pair in self.counts.items()}}

    @classmethod
    def restored(
        cls,
        arrays: Mapping[str, npt.NDArray[np.float32]],
        values: Mapping[str, Any],
    ) -> AnswerRate:
        """What was stored."""
        mean, counts = float(values["mean"]), {}
        for name, (n, right) in values["counts"].items():
            if not 0 <= int(right) <= int(n):
                raise ValueError(f"{right} of {n} right")
            counts[str(name)] = (int(n), int(right))
        if not 0 <= mean <= 1:
            raise ValueError(f"a mean of {mean}")
        return cls(mean, counts)
