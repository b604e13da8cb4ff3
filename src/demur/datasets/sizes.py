"""How many questions a part needs before its figures say something, and before anything can be promised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

FEW = 30
"""Fewer questions than this make a part whose figures say little."""
MAX_ERROR, CONFIDENCE = 0.05, 0.95
"""What `demur calibrate` promises where nothing else is asked for."""


def fewest_for_promise(max_error: float, confidence: float) -> int:
    """The answers that must all be right before at most ``max_error`` wrong ones can be promised.

    Were a share ``max_error`` of the answers wrong, n right ones in a row would have the probability
    (1 - max_error)^n; the promise holds once that is at most 1 - ``confidence``. This is the exact binomial
    bound of `demur.confidence.threshold` without an error.

    Args:
        max_error: in (0, 1).
        confidence: in (0, 1).
    """
    n = max(1, math.ceil(math.log(1 - confidence) / math.log1p(-max_error)))
    # Logarithms may round to the wrong side of a whole number.
    while (1 - max_error) ** n > 1 - confidence:
        n += 1
    while n > 1 and (1 - max_error) ** (n - 1) <= 1 - confidence:
        n -= 1
    return n


def calibration_needed(max_error: float, confidence: float) -> int:
    """The calibration questions that hold so many answers to be tested: a share of them chooses thresholds.

    All of them must be answered, and rightly; each question that is declined or wrong needs more.
    """
    from demur.confidence.threshold import PILOT

    needed = rows = fewest_for_promise(max_error, confidence)
    while rows - round(PILOT * rows) < needed:
        rows += 1
    return rows


def small_parts(counts: Mapping[str, int]) -> Iterator[str]:
    """Which parts are small once a run has divided the questions, as a sentence."""
    small = [f"{part} {count:,}" for part, count in counts.items() if count < FEW]
    if small:
        yield f"parts of fewer than {FEW} questions, whose figures say little: {', '.join(small)}"


def promise_needs(counts: Mapping[str, int]) -> Iterator[str]:
    """How many calibration questions a promise takes, as a sentence, where a run has fewer."""
    needed, own = calibration_needed(MAX_ERROR, CONFIDENCE), counts.get("calibration", 0)
    if own < needed:
        yield (
            f"calibration has {own:,} questions: to promise at most {MAX_ERROR:.0%} wrong answers "
            f"({CONFIDENCE:.0%} guarantee) takes {fewest_for_promise(MAX_ERROR, CONFIDENCE)} answers "
            f"without an error, so at least {needed} questions there"
        )
