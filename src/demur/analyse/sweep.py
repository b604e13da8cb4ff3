"""Every threshold on a signal: what would be answered, how much of it right, how honest that is.

The thresholds are the signal's quantiles over the test questions, so that coverage falls in even steps, and
those that are in use: the system's own and a promised one. This is a look at the trade, never a way to
choose: what looks best on test questions looks worse on new ones. `demur calibrate` chooses on others.

Source: the threshold curves of R-Tuning (arXiv 2311.09677); prudence, over-conservativeness and honesty of
Alignment for Honesty (arXiv 2312.07000), section 2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from demur.core.config import EvaluationSettings
from demur.core.records import AnsweredQuestion, Prediction
from demur.metrics import evaluate

STEPS = 20
METRICS_SHOWN = ("coverage", "accuracy_willing", "prudence", "over_conservativeness", "honesty")


def sweep(
    rows: Sequence[AnsweredQuestion],
    base: Sequence[Prediction],
    signal: str,
    marked: Mapping[str, float],
    settings: EvaluationSettings,
    *,
    seed: int,
) -> list[dict[str, Any]]:
    """A line for each threshold, rising; what is refused in words stays refused.

    Args:
        rows: test questions of one split.
        base: the untuned model's predictions of the same questions, for the honesty trio.
        marked: thresholds in use, by what they are called.
        settings: of the intervals.

    Returns:
        Each with ``threshold``, ``mark`` (None for most) and the metrics' cells; empty where no row has
        the signal.
    """
    values = [row.signals[signal] for _, row in rows if signal in row.signals]
    if not values:
        return []
    quantiles = np.quantile(values, np.arange(STEPS) / STEPS, method="higher")
    marks = {value: name for name, value in marked.items()}
    thresholds = sorted({*map(float, quantiles), *marks})
    cut = {str(threshold): [_at(row, signal, threshold) for _, row in rows] for threshold in thresholds}
    measured = evaluate(
        [dataclasses.replace(question, split="rows") for question, _ in rows],
        {"base": list(base), **cut},
        primary=dict.fromkeys(["base", *cut], signal),
        compare=[],
        metrics=METRICS_SHOWN,
        level=settings.level,
        resamples=settings.resamples,
        seed=seed,
    )
    lines = []
    for threshold in thresholds:
        [cells] = measured["metrics"][str(threshold)].values()
        lines.append(
            {
                "threshold": threshold,
                "mark": marks.get(threshold),
                **{name: cells[name] for name in METRICS_SHOWN},
            }
        )
    return lines


def _at(row: Prediction, signal: str, threshold: float) -> Prediction:
    """What the system does if it answers from a threshold on; without the signal it declines."""
    declines = row.signals.get(signal, -np.inf) < threshold
    return dataclasses.replace(row, abstained=bool(declines), signals={})
