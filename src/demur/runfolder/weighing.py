"""A learned signal under a promise: weighed on one half of the calibration questions, tested on the other.

A run weighs its signals on all of its calibration questions. A threshold tested on the very answers that
chose the weights would look better than it is, and its promise would not hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from demur.confidence.combination import MIN_OF_EACH, Combination, fit
from demur.core.errors import DataError
from demur.core.names import unread
from demur.core.records import AnsweredQuestion, Prediction
from demur.methods import learned
from demur.runfolder.finished import FinishedRun
from demur.runfolder.grouping import Grouping


def refit_on_half(
    run: FinishedRun, system: str, rows: Sequence[AnsweredQuestion], *, seed: int, grouping: Grouping
) -> tuple[list[AnsweredQuestion], Combination]:
    """A system's rows with its signals weighed anew, without the questions that weighed them.

    Args:
        seed: of the division into halves.
        grouping: questions that share a group stay in one half.

    Raises:
        DataError: a half of the calibration split is too small to weigh on.
    """
    signals = _combined_signals(run, system, rows)
    units = grouping.units([question.id for question, _ in rows if question.split == "calibration"])
    half = np.random.default_rng(seed).permutation(list(units))[: len(units) // 2]
    chosen = {name for first in half.tolist() for name in units[first]}
    combine = fit(
        [(signals[question.id], row.verdict) for question, row in rows if question.id in chosen],
        learned.COMBINED,
    )
    if combine is None:
        raise DataError(
            expected=f"{MIN_OF_EACH} right and {MIN_OF_EACH} wrong answers in a half of the calibration "
            "split, to weigh the signals apart from the promise",
            found=f"fewer, of {len(chosen):,} questions",
            where=f"the learned signal of {system}",
            fix="set data.calibration higher, or promise on --signal sure or likelihood",
        )
    kept = [(question, row) for question, row in rows if question.id not in chosen]
    return [(question, _read(row, combine(signals[question.id]))) for question, row in kept], combine


def _combined_signals(
    run: FinishedRun, system: str, rows: Sequence[AnsweredQuestion]
) -> dict[str, dict[str, float]]:
    """The signals behind the learned one: the system's own, or those of the method that it reads anew."""
    method = unread(system)
    source = run.predictions[method] if method != system else [row for _, row in rows]
    return {row.question_id: dict(row.signals) for row in source}


def _read(row: Prediction, value: float | None) -> Prediction:
    others = {name: own for name, own in row.signals.items() if name != "learned"}
    return dataclasses.replace(row, signals=others if value is None else {**others, "learned": value})
