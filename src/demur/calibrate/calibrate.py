"""A guarantee for a system of a run: found on its calibration split, shown on its test splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from demur.calibrate import recalibrate as recalibration
from demur.calibrate.sentences import sentences
from demur.confidence.combination import Combination
from demur.confidence.threshold import Guarantee, Risk, find_threshold
from demur.core.config import Config
from demur.core.errors import ConfigError
from demur.core.files import write_json
from demur.core.names import group_key, unread
from demur.core.records import Prediction, Question, Verdict
from demur.core.signing import kept_signed
from demur.metrics import limits, splits_of
from demur.metrics.base import Bools
from demur.metrics.evaluation import clusters_of, groups_drawn
from demur.runfolder import provenance
from demur.runfolder.calibration import (
    Rows,
    arrays,
    calibration_rows,
    drawn_from,
    grouping_of,
    promisable,
)
from demur.runfolder.finished import FinishedRun
from demur.runfolder.grouping import Grouping
from demur.runfolder.manifest import rewritten

LEVEL = 0.95
"""Of the intervals on test splits."""


def calibrate_run(
    root: Path,
    *,
    max_error: float = 0.05,
    confidence: float = 0.95,
    risk: Risk = "selective",
    system: str | None = None,
    signal: str | None = None,
    signals: Sequence[str] = (),
    by_group: bool = False,
    groups: str = "auto",
    recalibrate: str = "none",
) -> dict[str, Any]:
    """Find the threshold of a system that keeps its error below a limit, and look at it on the test splits.

    Writes ``guarantee.json`` to the run folder and, where the system has weights of its
    own, ``guarantee`` to its ``demur.json``. No test question takes part in choosing.

    Args:
        system: by default the run's method.
        signal: by default the system's primary one.
        signals: several to try instead: the one whose threshold answers most is taken. Each is tested for
            the confidence 1 - (1 - ``confidence``) / number of signals (Bonferroni), so that the promise
            holds whichever is taken.
        by_group: one threshold for each group of questions, each with the promise for itself.
        groups: which questions are tested where several share an entity, document or group and with it
            their errors, one of `CHOICES`: ``one`` of each, drawn by the run's seed; ``all``; by default
            one of each entity and document, and of each group where there are 20 or more.
        recalibrate: also fit a map from the signal to the probability of being right, one of
            `recalibration.CHOICES`; it takes no part in the guarantee.

    Raises:
        RunFolderError: this is no finished run folder.
        UnknownNameError: the run has no such system, the system no such signal, or ``groups`` is no such
            choice.
        DataError: the run has no calibration split, or too small a one for the map or for learned signals.
        RunFolderError: its weights have changed since its predictions were made.
        ConfigError: shares outside (0, 1), or a map that does not suit the signal.
    """
    run = FinishedRun.open(root)
    config = run.config
    system = system or config.method
    known = run.system(system)
    origin = _origin(run, config, system)
    tried = _tried(signal, signals, known["primary_signal"])
    terms = Terms(max_error, confidence, risk, by_group, grouping_of(run, groups, by_group=by_group))
    attempts = [_attempt(run, system, name, terms, len(tried)) for name in tried]
    best = max(attempts, key=lambda attempt: attempt.answers)
    signal, rows, weighed, found = best.signal, best.rows, best.weighed, best.found
    guarantees = {group: dataclasses.asdict(item) for group, item in found.items()}
    shown = _shown(rows, signal, found, risk)
    usable = calibration_rows(rows, by_group=False, root=root)["all"]
    drawn = drawn_from(run, terms.grouping, usable, used=sum(item.n for item in found.values())).to_json()
    result = {
        "schema_version": provenance.SCHEMA_VERSION,
        provenance.KEY: origin,
        "system": system,
        "signal": signal,
        "guarantees": guarantees,
        "drawn": drawn,
        "test": shown,
        "selection": _selection(run, system, attempts, confidence, given=signal != known["primary_signal"]),
    }
    if weighed is not None:
        result["combination"] = dataclasses.asdict(weighed)
    result["sentences"] = list(sentences(result))
    card: dict[str, Any] = {
        "guarantee": {
            "signal": signal,
            "threshold": guarantees.get("all", {}).get("threshold"),
            "groups": guarantees,
            "drawn": drawn,
            "selection": result["selection"],
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
    with rewritten(
        root, run.folder.guarantee, *([run.folder.card(system)] if run.has_card(system) else [])
    ):
        write_json(run.folder.guarantee, result)
        _to_card(run, system, card)
    return result


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be promised."""

    max_error: float
    confidence: float
    risk: Risk
    by_group: bool
    grouping: Grouping


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signal's thresholds."""

    signal: str
    rows: Rows
    weighed: Combination | None
    found: Mapping[str, Guarantee]

    @property
    def answers(self) -> float:
        """Calibration answers per question that it gives, over all groups."""
        n = sum(item.n for item in self.found.values())
        return sum((item.coverage or 0) * item.n for item in self.found.values()) / max(n, 1)


def _tried(signal: str | None, signals: Sequence[str], primary: str) -> list[str]:
    """The signals to try.

    Raises:
        ConfigError: one signal and several are given.
    """
    if signal and signals:
        raise ConfigError(
            expected="one signal, or several to try",
            found=f"--signal {signal} and --signals {','.join(signals)}",
            where="--signal, --signals",
            fix="leave one of the two out",
        )
    return list(dict.fromkeys(signals)) or [signal or primary]


def _attempt(run: FinishedRun, system: str, signal: str, terms: Terms, tried: int) -> Attempt:
    """The thresholds of one of the signals that are tried; all are tested on the same questions."""
    rows, weighed = promisable(run, system, signal, terms.grouping)
    each = 1 - (1 - terms.confidence) / tried
    found = {
        group: _promised(members, signal, terms, each, run.config.seed)
        for group, members in calibration_rows(rows, terms.by_group, run.path).items()
    }
    return Attempt(signal, rows, weighed, found)


def _promised(members: Rows, signal: str, terms: Terms, each: float, seed: int) -> Guarantee:
    """The threshold of some calibration questions, tested with a confidence of ``each``."""
    taken = terms.grouping.taken(members, seed=seed)
    found = find_threshold(
        *arrays(taken, signal), max_error=terms.max_error, confidence=each, risk=terms.risk, seed=seed
    )
    questions = len(members) if terms.grouping.rule == "one" else None
    return dataclasses.replace(found, confidence=terms.confidence, questions=questions)


def _selection(
    run: FinishedRun, system: str, attempts: Sequence[Attempt], confidence: float, *, given: bool
) -> dict[str, Any]:
    """How the signal was chosen: among which, corrected or not."""
    several = len(attempts) > 1
    offered = sorted({name for _, row in run.answered(system, split="calibration") for name in row.signals})
    return {
        "tried": {attempt.signal: attempt.answers for attempt in attempts} if several else {},
        "correction": "bonferroni" if several else None,
        "confidence_each": 1 - (1 - confidence) / len(attempts),
        "by_hand": given and not several,
        "offered": offered,
    }


def _origin(run: FinishedRun, config: Config, system: str) -> dict[str, Any]:
    """What a guarantee of a system is computed from: a derived reading has the signals of its method."""
    names = dict.fromkeys([system, unread(system)])
    files = [run.folder.questions, *(run.folder.predictions(name) for name in names)]
    return provenance.computed_from(
        run.path,
        [file for file in files if file.is_file()],
        owner=provenance.owner_of(config, system),
        base=provenance.base_folder(config, run=run.path),
    )


def _shown(
    rows: Rows, signal: str, found: Mapping[str, Guarantee], risk: Risk
) -> dict[str, dict[str, float | int | None]]:
    """By test split: what the threshold answers, and its error with a 95 % interval."""
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
    counted = answered if risk == "selective" else np.ones(len(rows), bool)
    whole = int(counted.sum())
    low, high = _limits(wrong & answered, counted, [question for question, _ in rows])
    return {
        "n": len(rows),
        "answered": int(answered.sum()),
        "coverage": float(answered.mean()),
        "error": errors / whole if whole else None,
        "low": low,
        "high": high,
    }


def _limits(
    errors: Bools, counted: Bools, questions: Sequence[Question]
) -> tuple[float | None, float | None]:
    """The exact 95 % interval of the error, over groups where the questions have any; None of none."""
    if not counted.any():
        return None, None
    clusters = groups_drawn(clusters_of(questions))
    if clusters is not None:
        return limits.clustered(errors, counted, clusters, LEVEL)
    interval = stats.binomtest(int(errors.sum()), int(counted.sum())).proportion_ci(LEVEL)
    return float(interval.low), float(interval.high)


def _threshold(question: Question, found: Mapping[str, Guarantee]) -> float | None:
    guarantee = found.get("all") or found.get(group_key(question.group))
    return guarantee.threshold if guarantee else None


def _to_card(run: FinishedRun, system: str, found: Mapping[str, Any]) -> None:
    """The promise and the map travel with the weights; those of an earlier calibration do not stay."""
    if not run.has_card(system):
        return
    kept = {name: value for name, value in run.card(system).items() if name != "recalibration"}
    with kept_signed(run.folder.model(system), run.path):
        write_json(run.folder.card(system), {**kept, **found})
