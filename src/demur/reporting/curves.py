"""The points behind the report's figures, for the tables that go with them; the page draws the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demur.metrics.proportion import wilson
from demur.records import Prediction, Verdict

STEPS = 50
"""A curve is written at so many equal steps of coverage."""


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
