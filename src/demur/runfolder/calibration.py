"""The calibration answers of a finished run: what a threshold is found on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demur.confidence.combination import Combination
from demur.core.config import Config
from demur.core.errors import DataError, RunFolderError, UnknownNameError
from demur.core.names import group_key, unread
from demur.core.questions import shared_by
from demur.core.records import Prediction, Question, Verdict
from demur.methods import METHODS
from demur.runfolder import digests, provenance
from demur.runfolder.finished import FinishedRun
from demur.runfolder.grouping import Drawn, Grouping
from demur.runfolder.weighing import refit_on_half

Rows = Sequence[tuple[Question, Prediction]]


def calibration_of(root: Path, system: str, signal: str) -> tuple[Any, Any, Combination | None, int | None]:
    """What a threshold of a signal is found on: the calibration answers of a finished run's system.

    Returns:
        Confidence of each answer (-inf where it declines in words), whether it is wrong, how signals were
        weighed apart from these answers where the signal is ``learned``, and how many questions these were
        drawn from, one of each group; None where all are there.

    Raises:
        DataError, UnknownNameError: as `calibrate_run`.
    """
    run = FinishedRun.open(root)
    grouping = grouping_of(run)
    rows, weighed = promisable(run, system, signal, grouping, split="calibration")
    usable = calibration_rows(rows, False, root)["all"]
    taken = grouping.taken(usable, seed=run.config.seed)
    return *arrays(taken, signal), weighed, len(usable) if grouping.rule == "one" else None


def answers_of(root: Path, system: str, signal: str) -> tuple[Any, Any]:
    """The calibration answers of a system as the run has them, to describe it; see `calibration_of`.

    Raises:
        DataError, RunFolderError: as `calibration_of`.
    """
    run = FinishedRun.open(root)
    usable = calibration_rows(run.answered(system, split="calibration"), False, root)["all"]
    return arrays(grouping_of(run).taken(usable, seed=run.config.seed), signal)


def grouping_of(run: FinishedRun, choice: str = "auto", *, by_group: bool = False) -> Grouping:
    """What a run's calibration questions share; arguments as of `Grouping.of`.

    Raises:
        UnknownNameError: no such choice.
    """
    asked = [question for question in run.questions if question.split == "calibration"]
    return Grouping.of(asked, choice, by_group=by_group)


def drawn_from(run: FinishedRun, grouping: Grouping, usable: Rows, *, used: int) -> Drawn:
    """What a promise was made on.

    Args:
        usable: the rows that it could have been made on.
        used: how many it was.
    """
    questions = [question for question, _ in usable]
    trained = {shared_by(question) for question in run.questions if question.split == "train"}
    shared = {grouping.named.get(question.id) for question in questions} - {None}
    return Drawn(
        rule=grouping.rule,
        questions=len(questions),
        groups=grouping.counted(questions),
        used=used,
        trained=len(shared & trained),
    )


def promisable(
    run: FinishedRun, system: str, signal: str, grouping: Grouping, *, split: str | None = None
) -> tuple[Rows, Combination | None]:
    """A system's answers whose signal something can be promised of, and its weighing if it is learned."""
    _require_own_weights(run, run.config, system)
    rows = run.answered(system, split=split)
    names = {name for _, row in rows for name in row.signals}
    if signal not in names:
        raise UnknownNameError("signal", signal, names, "--signal")
    if signal == "learned" and not _fitted_apart(run, system):
        return refit_on_half(run, system, rows, seed=run.config.seed, grouping=grouping)
    return rows, None


def _fitted_apart(run: FinishedRun, system: str) -> bool:
    """Whether a system's learned signal was fitted on training questions, and so apart from calibration."""
    if system not in run.config.systems:
        return False
    return METHODS.get(run.config.method_of(system)).info.fits


def _require_own_weights(run: FinishedRun, config: Config, system: str) -> None:
    """Refuse predictions that were made with other weights than those that would now be promised of.

    Raises:
        RunFolderError: they were, by what the manifest has noted.
    """
    stages, model = run.manifest.get("stages", {}), run.folder.model
    asked = system if system in config.systems else unread(system)
    noted = stages.get(f"predict/{asked}", {}).get("weights")
    owner = provenance.owner_of(config, system)
    if noted is not None and owner is not None and noted != digests.weights_of(model(owner)):
        raise RunFolderError(
            expected=f"predictions of {system} by the weights that lie there",
            found="weights that have changed since the predictions were made",
            where=str(model(owner)),
            fix=f"run `demur run {shlex.quote(str(run.folder.config))}`: it asks the system again",
        )


def calibration_rows(rows: Rows, by_group: bool, root: Path) -> dict[str, Rows]:
    """The scored calibration rows: by `group_key` where asked, else all of them under ``all``."""
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
    groups = sorted({group_key(question.group) for question, _ in usable})
    return {group: [row for row in usable if group_key(row[0].group) == group] for group in groups}


def arrays(rows: Rows, signal: str) -> tuple[Any, Any]:
    """Each row's confidence (-inf where it declines in words or has none) and whether it is wrong."""
    values = [
        -np.inf if row.verdict is Verdict.REFUSED else row.signals.get(signal, -np.inf) for _, row in rows
    ]
    return np.array(values), np.array([row.verdict is not Verdict.CORRECT for _, row in rows])
