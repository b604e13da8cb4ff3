"""A confidence as a probability: a map fitted on a run's calibration split, looked at on its test ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from demur.confidence.probability import KINDS, Kind, Recalibration, cross_validated, fit
from demur.core.config import Config
from demur.core.errors import UnknownNameError
from demur.core.names import group_of_key
from demur.core.records import Prediction, Question, Verdict
from demur.metrics import evaluate, splits_of

Rows = Sequence[tuple[Question, Prediction]]
CHOICES = ("none", *KINDS, "choose")
SHOWN = ("ece", "brier", "auroc")
COUNTS = ("familiarity",)
"""Signals that count something and are no probability, even where their values lie in [0, 1]."""


def recalibrate(
    rows: Rows, signal: str, kind: str, config: Config, thresholds: Mapping[str, float | None]
) -> dict[str, Any]:
    """Fit a map from a signal to the probability of being right, and compare before and after on test.

    Fitted on the answerable calibration questions that were judged, refusals in words as not right: the
    rows that calibration errors count. No test question takes part, and neither does the map in a
    guarantee: a threshold stands on the signal as it is.

    Args:
        kind: of `CHOICES`, not ``none``; ``choose`` takes the lowest log loss, cross-validated within the
            calibration split.
        thresholds: promised ones, by group, to be shown as probabilities.

    Returns:
        JSON values; ``map`` is None where all calibration answers are right, or none; ``reason`` says so.

    Raises:
        UnknownNameError: no such kind.
        ConfigError: a temperature for what is no probability.
        DataError: too few calibration answers, or a signal that falls as answers get better.
    """
    if kind not in CHOICES:
        raise UnknownNameError("recalibration", kind, CHOICES, "--recalibrate")
    judged = [
        (row.signals[signal], row.verdict is Verdict.CORRECT)
        for question, row in rows
        if question.split == "calibration" and question.answerable and row.verdict is not Verdict.UNSCORED
        if signal in row.signals
    ]
    values, right = [value for value, _ in judged], [is_right for _, is_right in judged]
    probability = signal not in COUNTS and all(0 <= value <= 1 for value in values)
    losses: dict[Kind, float] = {}
    if kind == "choose":
        losses = cross_validated(values, right, probability=probability, seed=config.seed)
        kind = min(losses, key=losses.__getitem__, default="platt")
    found = fit(cast(Kind, kind), values, right, probability=probability)
    result: dict[str, Any] = {"kind": kind, "signal": signal, "log_loss": losses}
    if found is None:
        what = "none" if not values else "only right ones" if any(right) else "only wrong ones"
        result |= {"map": None, "reason": f"of judged calibration answers there are {what}", "test": {}}
    else:
        result |= {
            "map": found.to_json(),
            "thresholds": {
                group: None if threshold is None else found(threshold)
                for group, threshold in thresholds.items()
            },
            "test": _compared(rows, signal, found, config),
        }
    return result | {"sentences": list(_sentences(result))}


def _compared(rows: Rows, signal: str, found: Recalibration, config: Config) -> dict[str, dict[str, Any]]:
    """By test split and metric: before, after, and the difference with its paired interval."""
    tested = [(question, row) for question, row in rows if question.split not in ("train", "calibration")]
    raw = [
        dataclasses.replace(
            row, signals={name: value for name, value in row.signals.items() if name == signal}
        )
        for _, row in tested
    ]
    mapped = [
        dataclasses.replace(row, signals={name: found(value) for name, value in row.signals.items()})
        for row in raw
    ]
    settings = config.evaluation
    measured = evaluate(
        [question for question, _ in tested],
        {"before": raw, "after": mapped},
        primary={"before": signal, "after": signal},
        reference="before",
        metrics=SHOWN,
        level=settings.level,
        resamples=settings.resamples,
        seed=config.seed,
        ece_bins=settings.ece_bins,
    )
    differences = {(item["split"], item["metric"]): item for item in measured["differences"]}
    whole = dict.fromkeys(splits_of(question)[0] for question, _ in tested if question.answerable)
    return {
        split: {
            name: {
                "before": measured["metrics"]["before"][split][name],
                "after": measured["metrics"]["after"][split][name],
                "difference": {key: differences[split, name][key] for key in ("value", "low", "high", "n")},
            }
            for name in SHOWN
        }
        for split in whole
    }


def _sentences(result: Mapping[str, Any]) -> Iterator[str]:
    """What was found, to read."""
    if result["map"] is None:
        yield f"No probability can be fitted to {result['signal']}: {result['reason']}."
        return
    made = f"{result['kind']} on {result['map']['n']:,} calibration answers"
    yield f"Recalibrated by {made}, {result['signal']} on the test splits:"
    for split, metrics in result["test"].items():
        for name, label in (("ece", "ECE"), ("brier", "Brier score")):
            yield f"  {split}: {label} {_change(metrics[name])}"
    for group, probability in result["thresholds"].items():
        if probability is not None:
            whose = "" if group == "all" else f" of {group_of_key(group)}"
            yield f"The promised threshold{whose} is a probability of {probability:.1%} of being right."
    yield "The promise is one of the signal as it is; the map takes no part in it."


def _change(cell: Mapping[str, Any]) -> str:
    before, after, gap = (cell[name] for name in ("before", "after", "difference"))
    if after["value"] is None:
        return "undefined: nothing was judged"
    if before["value"] is None:
        return f"{after['value']:.4f} (before, it was no probability)"
    interval = "" if gap["low"] is None else f" [{gap['low']:+.4f}, {gap['high']:+.4f}]"
    return f"{before['value']:.4f} → {after['value']:.4f} ({gap['value']:+.4f}{interval})"
