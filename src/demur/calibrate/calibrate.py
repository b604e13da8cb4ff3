"""A guarantee for a system of a run: found on its calibration split, shown on its test splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from demur.calibrate import recalibrate as recalibration
from demur.calibrate.sentences import sentences
from demur.confidence.threshold import Guarantee, Risk, find_threshold
from demur.core.config import Config
from demur.core.files import write_json
from demur.core.names import unread
from demur.core.records import Prediction, Question, Verdict
from demur.core.signing import kept_signed
from demur.metrics import splits_of
from demur.runfolder import provenance
from demur.runfolder.calibration import Rows, arrays, calibration_rows, promisable
from demur.runfolder.finished import FinishedRun


def calibrate_run(
    root: Path,
    *,
    max_error: float = 0.05,
    confidence: float = 0.95,
    risk: Risk = "selective",
    system: str | None = None,
    signal: str | None = None,
    by_group: bool = False,
    recalibrate: str = "none",
) -> dict[str, Any]:
    """Find the threshold of a system that keeps its error below a limit, and look at it on the test splits.

    Writes ``guarantee.json`` to the run folder and, where the system has weights of its
    own, ``guarantee`` to its ``demur.json``. No test question takes part in choosing.

    Args:
        system: by default the run's method.
        signal: by default the system's primary one.
        by_group: one threshold for each group of questions, each with the promise for itself.
        recalibrate: also fit a map from the signal to the probability of being right, one of
            `recalibration.CHOICES`; it takes no part in the guarantee.

    Raises:
        RunFolderError: this is no finished run folder.
        UnknownNameError: the run has no such system, or the system no such signal.
        DataError: the run has no calibration split, or too small a one for the map or for learned signals.
        RunFolderError: its weights have changed since its predictions were made.
        ConfigError: shares outside (0, 1), or a map that does not suit the signal.
    """
    run = FinishedRun.open(root)
    config = run.config
    system = system or config.method
    known = run.system(system)
    signal = signal or known["primary_signal"]
    origin = _origin(run, config, system)
    rows, weighed = promisable(run, config, system, signal)
    found = {
        group: find_threshold(
            *arrays(members, signal),
            max_error=max_error,
            confidence=confidence,
            risk=risk,
            seed=config.seed,
        )
        for group, members in calibration_rows(rows, by_group, root).items()
    }
    guarantees = {group: dataclasses.asdict(item) for group, item in found.items()}
    shown = _shown(rows, signal, found, risk)
    result = {
        "schema_version": provenance.SCHEMA_VERSION,
        provenance.KEY: origin,
        "system": system,
        "signal": signal,
        "guarantees": guarantees,
        "test": shown,
    }
    if weighed is not None:
        result["combination"] = dataclasses.asdict(weighed)
    result["sentences"] = list(sentences(result))
    card: dict[str, Any] = {
        "guarantee": {
            "signal": signal,
            "threshold": guarantees.get("all", {}).get("threshold"),
            "groups": guarantees,
            "test": shown,
            provenance.KEY: origin,
        }
    }
    if weighed is not None:
        card["guarantee"]["combination"] = result["combination"]
    if recalibrate != "none":
        thresholds = {group: item.threshold for group, item in found.items()}
        fitted = recalibration.recalibrate(rows, signal, recalibrate, config, thresholds)
        result["recalibration"] = fitted
        card["recalibration"] = {name: fitted[name] for name in ("kind", "signal", "map")}
    write_json(run.folder.guarantee, result)
    _to_card(run, system, card)
    return result


def _origin(run: FinishedRun, config: Config, system: str) -> dict[str, Any]:
    """What a guarantee of a system is computed from: a derived reading has the signals of its method."""
    names = dict.fromkeys([system, unread(system)])
    files = [run.folder.questions, *(run.folder.predictions(name) for name in names)]
    return provenance.computed_from(
        run.path,
        [file for file in files if file.exists()],
        owner=provenance.owner_of(config, system),
        base=provenance.base_folder(config),
    )


def _shown(
    rows: Rows, signal: str, found: Mapping[str, Guarantee], risk: Risk
) -> dict[str, dict[str, float | int | None]]:
    """By test split: what the threshold answers, and its error with an exact 95 % interval."""
    splits: dict[str, list[tuple[Question, Prediction]]] = {}
    for question, row in rows:
        if question.split not in ("train", "calibration") and row.verdict is not Verdict.UNSCORED:
            splits.setdefault(splits_of(question)[0], []).append((question, row))
    return {split: _on(members, signal, found, risk) for split, members in splits.items()}


def _on(
    rows: Rows, signal: str, found: Mapping[str, Guarantee], risk: Risk
) -> dict[str, float | int | None]:
    thresholds = [_threshold(question, found) for question, _ in rows]
    values, wrong = arrays(rows, signal)
    given = np.array([limit is not None for limit in thresholds])
    answered = given & (values >= np.array([np.inf if limit is None else limit for limit in thresholds]))
    errors = int((wrong & answered).sum())
    whole = int(answered.sum()) if risk == "selective" else len(rows)
    interval = stats.binomtest(errors, whole).proportion_ci() if whole else None
    return {
        "n": len(rows),
        "answered": int(answered.sum()),
        "coverage": float(answered.mean()),
        "error": errors / whole if whole else None,
        "low": float(interval.low) if interval else None,
        "high": float(interval.high) if interval else None,
    }


def _threshold(question: Question, found: Mapping[str, Guarantee]) -> float | None:
    guarantee = found.get("all") or found.get(question.group or "none")
    return guarantee.threshold if guarantee else None


def _to_card(run: FinishedRun, system: str, found: Mapping[str, Any]) -> None:
    """The promise and the map travel with the weights; those of an earlier calibration do not stay."""
    if not run.has_card(system):
        return
    kept = {name: value for name, value in run.card(system).items() if name != "recalibration"}
    with kept_signed(run.folder.model(system), run.path):
        write_json(run.folder.card(system), {**kept, **found})
