"""Agreement: the share of samples that give the greedy answer.

1/k Σ [sample = greedy answer], in [0, 1]; 0 where there is no greedy answer. Source: exact match rate of
Cole et al. (arXiv 2305.14613), as in uqlm. Deviation: answers are equal after normalisation, not to the
letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from demur.core.records import Response
from demur.signals.base import Said, SignalInfo
from demur.signals.clusters import Same, same_answer


@dataclass(frozen=True)
class Agreement:
    """The share of samples equal to the greedy answer, in [0, 1]; None without samples."""

    info: ClassVar = SignalInfo(
        name="agreement",
        summary="share of sampled answers equal to the greedy answer",
        source="Cole et al. (arXiv 2305.14613), exact match after normalisation",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(0.0, 1.0),
    )
    same: Same = same_answer

    def __call__(self, said: Said) -> float | None:
        """The share of samples that give the greedy answer; one sample is enough."""
        return agreement(said.greedy.text, said.samples, self.same)


def agreement(answer: str, samples: Sequence[Response], same: Same = same_answer) -> float | None:
    """The share of samples that give an answer, in [0, 1]; None without samples."""
    return sum(same(answer, sample.text) for sample in samples) / len(samples) if samples else None
