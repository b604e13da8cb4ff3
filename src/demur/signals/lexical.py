"""Lexical similarity: how many words the samples share, in order.

Mean ROUGE-L F-measure over all pairs of samples, in [0, 1]: 2 LCS / (m + n) over the m and n words of two
texts, LCS the length of their longest common subsequence. Source: Kuhn et al. (arXiv 2302.09664),
section 6, after Fomicheva et al. (TACL 2020); as in LM-Polygraph. Deviations: words are those of
`demur.judging.normalise`, of any script, and are not stemmed; two texts without words score 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar

from demur.judging.normalise import words
from demur.signals.base import Said, SignalInfo


class Lexical:
    """Mean ROUGE-L over pairs, in [0, 1]; None for fewer than two samples."""

    info: ClassVar = SignalInfo(
        name="lexical",
        summary="mean ROUGE-L between pairs of sampled answers",
        source="Kuhn et al. (arXiv 2302.09664), lexical similarity, without stemming",
        needs=("samples",),
        cost="k sampled answers",
        bounds=(0.0, 1.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The mean over all pairs of samples."""
        pairs = list(combinations([words(sample.text) for sample in said.samples], 2))
        return math.fsum(rouge_l(first, second) for first, second in pairs) / len(pairs) if pairs else None


def rouge_l(first: Sequence[str], second: Sequence[str]) -> float:
    """ROUGE-L F-measure of two lists of words, in [0, 1]; 0 where one is empty."""
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    return 2.0 * _common(first, second) / (len(first) + len(second))


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, row by row of the usual table."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for place, other in enumerate(second):
            row.append(above[place] + 1 if word == other else max(above[place + 1], row[place]))
    return row[-1]
