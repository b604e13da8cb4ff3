"""Sampled answers that say the same, and the entropy over them.

Answers are the same where they agree after normalisation (`demur.judging.extraction.answer_name`). Any
other rule can take its place, such as an entailment model or the model itself: a function of two texts.
Answers are assigned in order, each to the first cluster whose first member it equals (semantic entropy,
arXiv 2302.09664). An answer that is missing (an empty text) equals none, not even another missing one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from demur.judging.extraction import answer_name

Same = Callable[[str, str], bool]
"""Whether two responses give the same answer."""


def same_answer(first: str, second: str) -> bool:
    """Whether two responses give the same answer, after extraction and normalisation."""
    name = answer_name(first)
    return name is not None and name == answer_name(second)


def clusters(texts: Sequence[str], same: Same = same_answer) -> list[list[int]]:
    """The positions of the texts, those that say the same together; in order of the first member."""
    found: list[list[int]] = []
    for place, text in enumerate(texts):
        mine = next((cluster for cluster in found if same(texts[cluster[0]], text)), None)
        if mine is None:
            found.append([place])
        else:
            mine.append(place)
    return found


def entropy(masses: Sequence[float]) -> float:
    """-Σ p ln p of masses that need not sum to 1, in nats; NaN where they sum to nothing."""
    total = math.fsum(masses)
    if not 0.0 < total < math.inf:
        return math.nan
    shares = [mass / total for mass in masses]
    return -math.fsum(share * math.log(share) for share in shares if share > 0.0)


def evenness(masses: Sequence[float], answers: int) -> float:
    """1 - entropy / ln(answers), in [0, 1]: 1 where all answers are one, 0 where all differ.

    Args:
        answers: how many there are, at least 2; uqlm's scale.
    """
    value = 1.0 - entropy(masses) / math.log(answers)
    return value if math.isnan(value) else min(1.0, max(0.0, value))  # rounding, at either end
