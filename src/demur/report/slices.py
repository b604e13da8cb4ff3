"""Where a system fails: its test questions cut by what they are like, each slice with n and intervals.

A slice of fewer than `LEAST` questions is counted and not shown, and an accuracy of fewer answers than that
is not given. A slice is marked where it is worse than the rest of the same questions by Fisher's exact
test, one-sided, after Holm's correction over all slices of that system and split: among many slices some
look bad by chance. Tenths of the confidence are meant to differ and are not marked. Slices overlap, and a
mark says where to look, not why.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from demur.core.records import AnsweredQuestion, Question, Verdict
from demur.metrics.multiple import holm
from demur.metrics.proportion import wilson

LEAST = 30
"""Fewest questions of a slice that is shown, and fewest answers of an accuracy that is given."""
LEVEL = 0.05
"""Family-wise error rate of the marks."""
TENTHS = 10

Interval = tuple[float, float, float]
"""Value, low, high."""

SIGNAL = "confidence"
"""The dimension that is meant to tell right from wrong, so that its slices are not marked."""
DIMENSIONS = {
    "dataset": "Dataset",
    "group": "Group",
    "task": "Task",
    "answerable": "Has an answer",
    "length": "Words in the question",
    "answer": "Accepted answer",
    SIGNAL: "Confidence, tenths",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some questions of one split and what a system did with them."""

    dimension: str
    """A key of `DIMENSIONS`."""
    value: str
    n: int
    """Questions that were refused, or answered and judged."""
    unscored: int
    answered: int
    right: int
    accuracy: Interval | None
    """Right among the answered, with Wilson's interval; None below `LEAST` answers."""
    refusal: Interval
    """Refused among n."""
    p_accuracy: float | None
    """Of "right as often as the rest", corrected; None where it is not tested."""
    p_refusal: float | None
    """Of "refused as often as the rest", corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """All slices of one system and split."""

    slices: tuple[Slice, ...]
    """By dimension, in the order of `DIMENSIONS`."""
    small: int
    """Slices that are too small to show."""


def slices(pairs: Sequence[AnsweredQuestion], signal: str | None, *, level: float = 0.95) -> Sliced:
    """Cut one system's questions of one split.

    Args:
        signal: the confidence whose tenths are slices; None for none.
        level: of the intervals.
    """
    parts = [
        (dimension, value, members)
        for dimension, found in _cuts(pairs, signal).items()
        if len(found) > 1
        for value, members in found.items()
    ]
    counted = [(dimension, value, _Counts.of(members)) for dimension, value, members in parts]
    large = [item for item in counted if item[2].n >= LEAST]
    whole = _Counts.of(pairs)
    p_accuracy = holm(
        [whole.worse(c) if name != SIGNAL and c.answered >= LEAST else None for name, _, c in large]
    )
    p_refusal = holm([whole.refused_more(c) if name != SIGNAL else None for name, _, c in large])
    return Sliced(
        slices=tuple(
            Slice(
                dimension=dimension,
                value=value,
                n=c.n,
                unscored=c.unscored,
                answered=c.answered,
                right=c.right,
                accuracy=_interval(c.right, c.answered, level) if c.answered >= LEAST else None,
                refusal=_interval(c.n - c.answered, c.n, level),
                p_accuracy=accuracy,
                p_refusal=refusal,
            )
            for (dimension, value, c), accuracy, refusal in zip(large, p_accuracy, p_refusal, strict=True)
        ),
        small=len(counted) - len(large),
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    n: int
    answered: int
    right: int
    unscored: int

    @classmethod
    def of(cls, pairs: Sequence[AnsweredQuestion]) -> _Counts:
        ends = [row.outcome for _, row in pairs]
        right, wrong, refused, unscored = (ends.count(end) for end in Verdict)
        return cls(right + wrong + refused, right + wrong, right, unscored)

    def worse(self, part: _Counts) -> float | None:
        """Chance that so few of a part's answers are right, were they drawn from all; None for all."""
        if part.answered == self.answered:
            return None
        from scipy.stats import hypergeom

        return float(hypergeom.cdf(part.right, self.answered, self.right, part.answered))

    def refused_more(self, part: _Counts) -> float | None:
        """Chance that so many of a part are refused, were they drawn from all; None for all."""
        if part.n == self.n:
            return None
        from scipy.stats import hypergeom

        refused = part.n - part.answered
        return float(hypergeom.sf(refused - 1, self.n, self.n - self.answered, part.n))


def _interval(count: int, n: int, level: float) -> Interval:
    low, high = wilson(count, n, level) or (0.0, 1.0)
    return count / n, low, high


def _cuts(
    pairs: Sequence[AnsweredQuestion], signal: str | None
) -> dict[str, dict[str, list[AnsweredQuestion]]]:
    lengths = _thirds([len(question.text.split()) for question, _ in pairs])
    by_question: dict[str, Callable[[Question], str]] = {
        "dataset": lambda question: question.dataset or "none",
        "group": lambda question: question.group or "none",
        "task": lambda question: question.task,
        "answerable": lambda question: "yes" if question.answerable else "no",
        "length": lambda question: lengths(len(question.text.split())),
        "answer": _answer_kind,
    }
    found: dict[str, dict[str, list[AnsweredQuestion]]] = {name: {} for name in DIMENSIONS}
    for pair in pairs:
        for name, value_of in by_question.items():
            found[name].setdefault(value_of(pair[0]), []).append(pair)
    found[SIGNAL] = _tenths(pairs, signal)
    return {name: dict(sorted(values.items(), key=_in_order)) for name, values in found.items()}


def _in_order(item: tuple[str, object]) -> tuple[float, str]:
    """Values that begin with a number by that number, the others by name."""
    number = re.match(r"[\d.]+", item[0])
    return (float(number[0]) if number else float("inf"), item[0])


def _thirds(lengths: Sequence[int]) -> Callable[[int], str]:
    """A name for a length: in which third of these questions it lies; fewer than three where many tie."""
    ordered = sorted(lengths) or [0]
    cuts = sorted({ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]} - {ordered[-1]})
    bounds = [-1, *cuts, ordered[-1]]

    def name(length: int) -> str:
        low, high = next((a, b) for a, b in itertools.pairwise(bounds) if a < length <= b)
        if high == ordered[-1]:
            return f"{low + 1} or more" if low >= 0 else "any"
        return f"{max(low + 1, ordered[0])} to {high}" if max(low + 1, ordered[0]) < high else f"{high}"

    return name


def _answer_kind(question: Question) -> str:
    """What the first accepted answer looks like."""
    if not question.answers:
        return "none"
    answer = question.answers[0].strip()
    if question.task == "choice":
        return "a letter"
    if answer.casefold() in ("yes", "no", "true", "false"):
        return "yes or no"
    if re.fullmatch(r"[12]\d{3}", answer):
        return "a year"
    if re.fullmatch(r"[-+]?[\d.,]+%?", answer):
        return "a number"
    words = len(answer.split())
    return {0: "empty", 1: "one word", 2: "two words"}.get(words, "three words or more")


def _tenths(pairs: Sequence[AnsweredQuestion], signal: str | None) -> dict[str, list[AnsweredQuestion]]:
    """The questions in ten parts by rising confidence; equal confidences stay in one part."""
    having = [pair for pair in pairs if signal is not None and signal in pair[1].signals]
    values = np.array([row.signals[signal or ""] for _, row in having])
    below = np.searchsorted(np.sort(values), values, side="left")
    parts: dict[int, list[AnsweredQuestion]] = {}
    for pair, rank in zip(having, below, strict=True):
        parts.setdefault(int(TENTHS * rank / len(having)) + 1, []).append(pair)
    return {f"{part} of {TENTHS} ({_span(members, signal)})": members for part, members in parts.items()}


def _span(pairs: Sequence[AnsweredQuestion], signal: str | None) -> str:
    found = [row.signals[signal or ""] for _, row in pairs]
    return f"{min(found):.2f}–{max(found):.2f}"
