"""A guarantee for a system of a run: found on its calibration split, shown on its test splits."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from demur import provenance
from demur.config import Config
from demur.errors import DataError, RunFolderError, UnknownNameError
from demur.files import write_json
from demur.guarantees import recalibration
from demur.guarantees.sentences import sentences
from demur.guarantees.weighing import weigh_anew
from demur.methods import learned
from demur.metrics import splits_of
from demur.records import Prediction, Question, Verdict, from_table
from demur.reporting import write_report
from demur.runfolder import RunFolder
from demur.selective.combination import Combination
from demur.selective.guarantee import Guarantee, Risk, find_threshold
from demur.trust import kept_signed, settings_of

FILE = provenance.GUARANTEE
Rows = Sequence[tuple[Question, Prediction]]


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

    Writes ``guarantee.json`` to the run folder, the report anew and, where the system has weights of its
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
    run = RunFolder.finished(root)
    config = settings_of(run.root)
    system = system or config.method
    systems = run.systems(system)
    signal = signal or systems[system]["primary_signal"]
    origin = _origin(run, config, system)
    rows, weighed = _promisable(run, config, system, signal)
    found = {
        group: find_threshold(
            *_arrays(members, signal),
            max_error=max_error,
            confidence=confidence,
            risk=risk,
            seed=config.seed,
        )
        for group, members in _calibration(rows, by_group, root).items()
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
    write_json(root / FILE, result)
    _to_card(run, system, card)
    write_report(root)
    return result


def calibration_of(root: Path, system: str, signal: str) -> tuple[Any, Any, Combination | None]:
    """What a threshold of a signal is found on: the calibration answers of a finished run's system.

    Returns:
        Confidence of each answer (-inf where it declines in words), whether it is wrong, and how signals
        were weighed apart from these answers where the signal is ``learned``.

    Raises:
        DataError, UnknownNameError: as `calibrate_run`.
    """
    run = RunFolder.finished(root)
    rows, weighed = _promisable(run, settings_of(run.root), system, signal, split="calibration")
    return *_arrays(_calibration(rows, False, root)["all"], signal), weighed


def _promisable(
    run: RunFolder, config: Config, system: str, signal: str, *, split: str | None = None
) -> tuple[Rows, Combination | None]:
    """A system's answers whose signal something can be promised of, and its weighing if it is learned."""
    _require_own_weights(run, config, system)
    rows = _rows(run, system, split)
    names = {name for _, row in rows for name in row.signals}
    if signal not in names:
        raise UnknownNameError("signal", signal, names, "--signal")
    if signal == "learned":
        return weigh_anew(run, system, rows, seed=config.seed)
    return rows, None


def _origin(run: RunFolder, config: Config, system: str) -> dict[str, Any]:
    """What a guarantee of a system is computed from: a learned reading has the signals of its method."""
    names = dict.fromkeys([system, system.removesuffix(learned.SUFFIX)])
    files = [run.questions, *(run.predictions(name) for name in names)]
    return provenance.computed_from(
        run.root,
        [file for file in files if file.exists()],
        owner=provenance.owner_of(config, system),
        base=provenance.base_folder(config),
    )


def _require_own_weights(run: RunFolder, config: Config, system: str) -> None:
    """Refuse predictions that were made with other weights than those that would now be promised of.

    Raises:
        RunFolderError: they were, by what the manifest has noted.
    """
    stages = json.loads(run.manifest.read_text(encoding="utf-8")).get("stages", {})
    asked = system if system in config.systems else system.removesuffix(learned.SUFFIX)
    noted = stages.get(f"predict/{asked}", {}).get("weights")
    owner = provenance.owner_of(config, system)
    if noted is not None and owner is not None and noted != provenance.weights_of(run.model(owner)):
        raise RunFolderError(
            expected=f"predictions of {system} by the weights that lie there",
            found="weights that have changed since the predictions were made",
            where=str(run.model(owner)),
            fix=f"run `demur run {shlex.quote(str(run.config))}`: it asks the system again",
        )


def _rows(run: RunFolder, system: str, split: str | None = None) -> Rows:
    """Questions and answers, of one split where it is named."""
    import pyarrow.parquet as pq

    wanted = None if split is None else [("split", "=", split)]
    questions = {q.id: q for q in from_table(pq.read_table(run.questions, filters=wanted), Question)}
    kept = None if split is None else [("question_id", "in", list(questions))]
    rows = from_table(pq.read_table(run.predictions(system), filters=kept), Prediction)
    return [(questions[row.question_id], row) for row in rows]


def _calibration(rows: Rows, by_group: bool, root: Path) -> dict[str, Rows]:
    """The scored calibration rows, by group where asked."""
    usable = [
        (question, row)
        for question, row in rows
        if question.split == "calibration" and row.verdict is not Verdict.UNSCORED
    ]
    if not usable:
        raise DataError(
            expected="a calibration split, kept apart from training and test",
            found="none",
            where=str(root),
            fix="run with data.calibration above 0",
        )
    if not by_group:
        return {"all": usable}
    groups = sorted({question.group or "none" for question, _ in usable})
    return {group: [row for row in usable if (row[0].group or "none") == group] for group in groups}


def _arrays(rows: Rows, signal: str) -> tuple[Any, Any]:
    """Each row's confidence (-inf where it declines in words or has none) and whether it is wrong."""
    values = [
        -np.inf if row.verdict is Verdict.REFUSED else row.signals.get(signal, -np.inf) for _, row in rows
    ]
    return np.array(values), np.array([row.verdict is not Verdict.CORRECT for _, row in rows])


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
    values, wrong = _arrays(rows, signal)
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


def _to_card(run: RunFolder, system: str, found: Mapping[str, Any]) -> None:
    """The promise and the map travel with the weights; those of an earlier calibration do not stay."""
    path = run.model(system) / "demur.json"
    if path.exists():
        card = json.loads(path.read_text(encoding="utf-8"))
        card.pop("recalibration", None)
        with kept_signed(path.parent, run.root):
            write_json(path, card | found)
