"""Sampled, learned and token confidence on the same answers: which one can be believed?

`agreement` is how often the base model's own samples say what the system answers; `sure` was learned;
`likelihood` is the probability of the answer's tokens. All are held against the same verdicts on the same
questions, so that nothing but the signal differs.

Source: R-Tuning (arXiv 2311.09677), sections 4 and 5, where sampled and learned uncertainty each speak of
another model's answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from demur.core.records import AnsweredQuestion, Prediction, Probe, Verdict
from demur.metrics import evaluate
from demur.signals.agreement import agreement

METRICS_SHOWN = ("ece", "brier", "auroc", "ap")
BINS = 10
"""Of the reliability table."""


def with_agreement(row: Prediction, probe: Probe | None) -> Prediction:
    """The prediction with the share of the base model's samples that say its answer, in [0, 1].

    Unchanged where nothing was sampled, or the system has an agreement of its own.
    """
    if probe is None or "agreement" in row.signals:
        return row
    share = agreement(row.answer, probe.samples)
    if share is None:
        return row
    return dataclasses.replace(row, signals={**row.signals, "agreement": share})


def side_by_side(
    rows: Sequence[AnsweredQuestion],
    names: Sequence[str],
    *,
    level: float,
    resamples: int,
    seed: int,
    bins: int,
) -> dict[str, Any]:
    """Each signal's calibration and ranking over the same rows, and every pair's differences.

    Args:
        rows: answerable test questions of one split.
        names: signals; rows that lack one, or were not judged, are left out and counted.
        bins: of the calibration error.
    """
    kept = [
        (question, row)
        for question, row in rows
        if row.verdict is not Verdict.UNSCORED and all(name in row.signals for name in names)
    ]
    result: dict[str, Any] = {
        "n": len(kept),
        "left_out": len(rows) - len(kept),
        "signals": {},
        "differences": [],
    }
    if not kept:
        return result
    predictions = {
        name: [dataclasses.replace(row, signals={"confidence": row.signals[name]}) for _, row in kept]
        for name in names
    }
    measured = evaluate(
        [dataclasses.replace(question, split="rows") for question, _ in kept],
        predictions,
        primary=dict.fromkeys(names, "confidence"),
        reference=names[0],
        compare=list(combinations(names, 2)),
        metrics=METRICS_SHOWN,
        level=level,
        resamples=resamples,
        seed=seed,
        ece_bins=bins,
    )
    right = np.array([row.verdict is Verdict.CORRECT for _, row in kept])
    for name in names:
        [cells] = measured["metrics"][name].values()
        values = np.array([row.signals[name] for _, row in kept])
        result["signals"][name] = {metric: cells[metric] for metric in METRICS_SHOWN}
        result["signals"][name]["reliability"] = reliability(values, right)
    result["differences"] = [
        {key: item[key] for key in ("metric", "system", "against", "value", "low", "high", "n")}
        for item in measured["differences"]
    ]
    return result


def reliability(values: Any, right: Any) -> list[Mapping[str, float | int]] | None:
    """Rows, mean confidence and accuracy of each bin that has any; None where a value is no probability."""
    if ((values < 0) | (values > 1)).any():
        return None
    place = np.minimum((values * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "n": int((place == number).sum()),
            "confidence": float(values[place == number].mean()),
            "accuracy": float(right[place == number].mean()),
        }
        for number in range(BINS)
        if (place == number).any()
    ]
