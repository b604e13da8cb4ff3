"""Measuring work on more and more questions, and what that says of larger batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demur.pipeline.dryrun.spent import Seconds, Spent, busy, resident, spending

WARM, FEW, MORE = 8, 16, 48
"""Questions of the first call, which warms up, of the second, and of the third at least."""
MOST_SAVED = 0.7
"""At most this share of a call is taken not to grow with the questions, whatever two noisy times say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What some questions took, in as few batches as the engine makes of them."""

    questions: int
    spent: Spent
    held: float = 0.0
    """Bytes that the process held before."""
    fixed: float = 0.0
    """Share of the time that does not grow with the questions: weights are read once for a whole batch."""

    def peak(self, batch_bytes: float) -> float:
        """The peak, in bytes, where a whole batch takes so many.

        What was measured alone would be too little: the few questions of a trial find room in memory that
        the process holds from before, a whole batch does not.
        """
        return max(self.spent.peak, self.held + batch_bytes)

    def each(self, batch: int) -> Seconds:
        """Of one question in batches of so many questions."""
        shared = self.fixed * self.questions / max(batch, self.questions)
        return self.spent.seconds * ((1 - self.fixed + shared) / self.questions)


def ladder(
    work: Callable[[int], Any], total: int, budget: float, *, warm: bool = True
) -> tuple[Any, Asked, Spent]:
    """Do a little, then more, then as much as a time budget allows.

    Args:
        work: does the first so many items.
        total: how many items there are, at least 1.
        budget: seconds for the last call, see `busy`.
        warm: whether a first call is to warm up what is measured.

    Returns:
        What the last call gave, what it took beside the call before it, and what the first call took.
    """
    held, calls = resident(), list[Spent]()
    if warm:
        with spending() as spent:
            work(min(WARM, total))
        calls.append(spent)
    with spending() as spent:
        result = work(min(FEW, total))
    calls.append(spent)
    asked = Asked(min(FEW, total), spent, held)
    rate = busy(spent.seconds) / asked.questions
    size = min(total, max(MORE, int(budget / max(1e-6, rate))))
    if size > asked.questions:
        before = asked
        with spending() as spent:
            result = work(size)
        asked = _beside(before, size, spent)
    return result, asked, calls[0]


def _beside(before: Asked, size: int, spent: Spent) -> Asked:
    """What a call took, beside a call on fewer questions."""
    more, time = size - before.questions, busy(spent.seconds)
    slope = (time - busy(before.spent.seconds)) / more
    fixed = 1 - slope * size / max(1e-9, time)
    return Asked(
        questions=size,
        spent=spent,
        held=before.held,
        fixed=min(MOST_SAVED, max(0.0, fixed)),
    )
