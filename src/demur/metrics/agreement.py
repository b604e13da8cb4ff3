"""How far two judges agree on the same responses: their table, the share of agreement, Cohen's kappa.

Over the responses that both judged as correct, wrong or refused. Agreement is the share with the same
verdict, in [0, 1]; kappa is (agreement - chance) / (1 - chance), with the agreement by chance from how
often each judge gives each verdict (Cohen 1960; by scikit-learn), in [-1, 1] and undefined where both give
one and the same verdict only. Neither says who is right. Whole questions are drawn for the intervals.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from demur.core.records import Verdict
from demur.metrics.base import CODES, UNSCORED, Floats, verdict_codes
from demur.metrics.bootstrap import chunks, draw, intervals

VERDICTS = 3
"""Correct, wrong and refused, the first three codes."""
FIRST, SECOND = (side.ravel() for side in np.indices((VERDICTS, VERDICTS)))
"""The two verdicts of each of the nine cells."""


def agreement(
    first: Sequence[Verdict],
    second: Sequence[Verdict],
    keys: Sequence[str],
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """The agreement of two judges, as JSON values.

    Args:
        first: verdicts of one judge, one for each response.
        second: of the other.
        keys: the question of each response; responses to one question are drawn together.

    Returns:
        ``n`` responses judged by both, ``agreement`` and ``kappa`` (``value``, ``low``, ``high``; null
        where undefined), and ``table``: the first judge's verdict, then the second's, to the number of
        responses, the unscored ones included.
    """
    one, other = verdict_codes(first), verdict_codes(second)
    both = (one != UNSCORED) & (other != UNSCORED)
    n = int(both.sum())
    questions, numbers = np.unique(np.array(keys, dtype=object)[both], return_inverse=True)
    cells = np.zeros((len(questions), VERDICTS**2))
    np.add.at(cells, (numbers, one[both].astype(np.intp) * VERDICTS + other[both]), 1)
    drawn = np.concatenate(
        [
            draw(len(questions), part, seed=seed, key="agreement").counts @ cells
            for part in chunks(len(questions), resamples)
        ]
    )
    found = intervals(np.array([[_share(c) for c in drawn], [_kappa(c) for c in drawn]]), level)
    return {
        "n": n,
        **{
            name: dict(zip(("value", "low", "high"), interval, strict=True))
            for name, interval in zip(("agreement", "kappa"), found, strict=True)
        },
        "table": {
            str(a): {str(b): int(((one == i) & (other == j)).sum()) for b, j in CODES.items()}
            for a, i in CODES.items()
        },
    }


def _share(cells: Floats) -> float:
    """The share of the responses in nine cells on which both agree; NaN without any."""
    total = cells.sum()
    return float(cells[FIRST == SECOND].sum() / total) if total else np.nan


def _kappa(cells: Floats) -> float:
    """Cohen's kappa of nine cells; NaN where it is undefined."""
    from sklearn.metrics import cohen_kappa_score

    filled = cells > 0
    if len(set(FIRST[filled]) | set(SECOND[filled])) < 2:
        return np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(cohen_kappa_score(FIRST[filled], SECOND[filled], sample_weight=cells[filled]))
