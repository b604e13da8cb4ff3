"""Degenerate policies: what anyone can get from a system's answers without knowing anything.

A score that one of them wins says nothing. ``always-answer`` gives every answer, and what declines in words
counts as wrong; ``always-refuse`` declines everything; ``random-refusal`` declines at the system's own rate
without looking, and its metrics are those of the expected counts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demur.metrics.base import REFUSED, WRONG, Rows

POLICIES = ("always-answer", "always-refuse", "random-refusal")


def degenerate(rows: Rows) -> dict[str, Rows]:
    """The rows of each policy, from those of a real system."""
    n = len(rows)
    answers = np.where(rows.verdict == REFUSED, WRONG, rows.verdict).astype(np.int8)
    rate = rows.refused.mean() if n else 0.0
    return {
        "always-answer": replace(rows, verdict=answers, refused=np.zeros(n)),
        "always-refuse": replace(rows, refused=np.ones(n)),
        "random-refusal": replace(rows, verdict=answers, refused=np.full(n, rate)),
    }
