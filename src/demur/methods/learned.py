"""A tuned method read through a learned combination of its signals.

The same answers as the method's, with one confidence: the probability of being right that a logistic
regression on the calibration split gives to its signals. It declines below 0.5, where an answer is more
likely wrong than right; nothing is chosen on test. Not part of any of the papers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from demur.methods.base import MethodInfo
from demur.records import Prediction, Question, Verdict
from demur.selective.combination import Combination, fit

SUFFIX = "-learned"
COMBINED = ("sure", "likelihood")
"""The signals that are combined; methods without both are left as they are."""


def learned_info(method: MethodInfo) -> MethodInfo:
    """What is said of the method's learned reading."""
    return dataclasses.replace(
        method,
        name=method.name + SUFFIX,
        summary=f"{method.name}, answering where its signals, combined on calibration data, "
        "make the answer more likely right than wrong",
        paper="logistic combination of signals",
        cost="none beyond the method's",
        signals=("learned",),
        primary_signal="learned",
        weights=method.weights or method.name,
    )


def learned(
    rows: Sequence[Prediction], questions: Sequence[Question]
) -> tuple[list[Prediction], Combination] | None:
    """The method's predictions with the learned confidence, and the combination.

    Returns:
        None where the calibration split is too small to fit one, or a signal is missing.
    """
    split = {question.id: question.split for question in questions}
    calibration = [(row.signals, row.verdict) for row in rows if split[row.question_id] == "calibration"]
    combine = fit(calibration, COMBINED)
    return None if combine is None else ([_read(row, combine) for row in rows], combine)


def _read(row: Prediction, combine: Combination) -> Prediction:
    value = combine(row.signals)
    signals: Mapping[str, float] = {} if value is None else {"learned": value}
    declines = value is None or value < 0.5 or row.verdict is Verdict.REFUSED
    return dataclasses.replace(row, system=row.system + SUFFIX, abstained=declines, signals=signals)
