"""The points behind the report's figures, for the tables that go with them; the page draws the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from demur.core.records import Prediction, Verdict
from demur.metrics.proportion import wilson

STEPS = 50
"""A curve is written at so many equal steps of coverage."""
COLUMNS = 30
"""The histogram of the confidence has so many columns, on the page too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The answers of at least a confidence."""

    threshold: float
    answered: int
    right: int
    coverage: float
    risk: float
    """Wrong among the answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The answers whose confidence lies between two edges."""

    low_edge: float
    high_edge: float
    n: int
    confidence: float
    """Mean."""
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The answers whose confidence lies between two edges, by what the untuned model knows."""

    low_edge: float
    high_edge: float
    known: int
    unknown: int


def risk_coverage(rows: Sequence[Prediction], signal: str, *, steps: int = STEPS) -> list[Point]:
    """The last point at or below each step of coverage, each once.

    Coverage is of the scored questions. An answer that is a refusal, or has no confidence, is never among
    the answered; equal confidences are answered together.
    """
    total = sum(row.verdict is not Verdict.UNSCORED for row in rows)
    values, right = _ranked(rows, signal)
    if not len(values):
        return []
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    answered, correct = ends + 1, np.cumsum(right)[ends]
    # In whole numbers: 7 of 70 questions are exactly a tenth.
    reached = [
        int(np.searchsorted(answered * steps, step * total, side="right")) for step in range(1, steps + 1)
    ]
    chosen = sorted({at - 1 for at in reached if at})
    return [
        Point(
            threshold=float(values[ends[at]]),
            answered=int(answered[at]),
            right=int(correct[at]),
            coverage=float(answered[at] / total),
            risk=float(1 - correct[at] / answered[at]),
        )
        for at in chosen
    ]


def reliability(rows: Sequence[Prediction], signal: str, *, bins: int, level: float = 0.95) -> list[Bin]:
    """The bins of equal width that hold an answer; none where a confidence is no probability."""
    values, right = _ranked(rows, signal)
    if not len(values) or values.min() < 0 or values.max() > 1:
        return []
    numbers = np.minimum(bins - 1, np.floor(values * bins)).astype(int)
    found = []
    for number in np.unique(numbers):
        here = numbers == number
        n, correct = int(here.sum()), int(right[here].sum())
        low, high = wilson(correct, n, level) or (0.0, 1.0)
        found.append(
            Bin(
                low_edge=float(number / bins),
                high_edge=float((number + 1) / bins),
                n=n,
                confidence=float(values[here].mean()),
                accuracy=correct / n,
                low=low,
                high=high,
            )
        )
    return found


def known_and_unknown(
    rows: Sequence[Prediction], before: Mapping[str, Verdict], signal: str, *, bins: int = COLUMNS
) -> list[Column]:
    """How the confidence lies on questions that the untuned model knows and on those it does not.

    Args:
        before: the untuned model's verdict by question.

    Returns:
        Every column that holds a question; none where a confidence is no probability.
    """
    counts: dict[int, dict[Verdict, int]] = {}
    for row in rows:
        value, was = row.signals.get(signal), before.get(row.question_id)
        if value is None or row.verdict not in (Verdict.CORRECT, Verdict.WRONG):
            continue
        if not 0 <= value <= 1:
            return []
        if was in (Verdict.CORRECT, Verdict.WRONG):
            column = counts.setdefault(min(bins - 1, int(value * bins)), {})
            column[was] = column.get(was, 0) + 1
    return [
        Column(
            low_edge=number / bins,
            high_edge=(number + 1) / bins,
            known=column.get(Verdict.CORRECT, 0),
            unknown=column.get(Verdict.WRONG, 0),
        )
        for number, column in sorted(counts.items())
    ]


def _ranked(rows: Sequence[Prediction], signal: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and correctness of the answers that have both, by falling confidence; shape [n] each."""
    given = [
        (row.signals[signal], row.verdict is Verdict.CORRECT)
        for row in rows
        if signal in row.signals and row.verdict in (Verdict.CORRECT, Verdict.WRONG)
    ]
    values = np.array([value for value, _ in given], float)
    right = np.array([correct for _, correct in given], int)
    order = np.argsort(-values, kind="stable")
    return values[order], right[order]
