"""Signals weighed on the calibration split, instead of mixed half and half.

A logistic regression gives the probability that an answer is right from a system's signals. Read so, a
tuned method becomes a second system, ``METHOD-learned``, that declines below 0.5, where an answer is more
likely wrong than right. Nothing is chosen on test. Not part of any of the papers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from demur.confidence.combination import Combination, fit
from demur.core.names import LEARNED
from demur.core.records import Prediction, Question, Verdict
from demur.methods.base import MethodInfo

SUFFIX = LEARNED
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
        weights=method.owner(method.name),
    )


def learned(
    rows: Iterable[Prediction], questions: Iterable[Question]
) -> tuple[Iterator[Prediction], Combination] | None:
    """The method's predictions with the learned confidence, and the combination.

    Args:
        rows: read twice.

    Returns:
        None where the calibration split is too small to fit one, or a signal is missing.
    """
    combine = fit(calibration_rows(rows, questions), COMBINED)
    if combine is None:
        return None
    read = (_read(row, combine, 0.5) for row in rows)
    renamed = (
        dataclasses.replace(row, system=row.system + SUFFIX, signals=_only_learned(row)) for row in read
    )
    return renamed, combine


def calibration_rows(
    rows: Iterable[Prediction], questions: Iterable[Question]
) -> list[tuple[Mapping[str, float], Verdict]]:
    """Signals and verdict of each answer to a calibration question."""
    kept = {question.id for question in questions if question.split == "calibration"}
    return [(row.signals, row.verdict) for row in rows if row.question_id in kept]


def _read(row: Prediction, combine: Combination, threshold: float) -> Prediction:
    value = combine(row.signals)
    signals = dict(row.signals) if value is None else {**row.signals, "learned": value}
    declines = value is None or value < threshold or row.verdict is Verdict.REFUSED
    return dataclasses.replace(row, abstained=declines, signals=signals)


def _only_learned(row: Prediction) -> Mapping[str, float]:
    return {name: value for name, value in row.signals.items() if name == "learned"}
