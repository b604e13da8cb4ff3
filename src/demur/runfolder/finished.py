"""A run folder, read whole and checked, for the pages made from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demur.core.errors import RunFolderError
from demur.core.files import check_links
from demur.core.names import require_name
from demur.core.records import Prediction, Question, read_parquet
from demur.runfolder import provenance
from demur.runfolder.provenance import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """What a finished run has on disk, without its models."""

    path: Path
    config: str
    """The resolved configuration as YAML text."""
    manifest: dict[str, Any]
    metrics: dict[str, Any]
    questions: list[Question]
    predictions: dict[str, list[Prediction]]
    """By system, in the manifest's order."""
    guarantee: dict[str, Any] | None = None
    """What `demur calibrate` found, where it was asked and of what lies in the folder."""
    tax: dict[str, Any] | None = None
    """What `demur tax` found, likewise."""
    refused: dict[str, Refused] = field(default_factory=dict)
    """Files of findings that are not used, by name."""


def read_run(path: Path) -> FinishedRun:
    """Read a run folder.

    Raises:
        RunFolderError: a file is missing or unreadable, a system has a name that no run has, or a
            prediction belongs to no question.
    """
    check_links(path)
    manifest = _read_json(path / "manifest.json", made_by="demur run")
    metrics = _read_json(path / "metrics.json", made_by="demur evaluate")
    for name in (*manifest.get("systems", {}), *metrics.get("metrics", {})):
        require_name("system", name, path)
    questions = read_parquet(_existing(path / "questions.parquet", made_by="demur run"), Question)
    files = {file.stem: file for file in sorted((path / "predictions").glob("*.parquet"))}
    if not files:
        raise _missing(path / "predictions" / "SYSTEM.parquet", made_by="demur predict")
    order = [*(s for s in manifest.get("systems", {}) if s in files), *files]
    predictions = {system: read_parquet(files[system], Prediction) for system in dict.fromkeys(order)}
    _check_ids(path, questions, predictions)
    config = _existing(path / "config.yaml", made_by="demur run").read_text(encoding="utf-8")
    base = provenance.base_of_run(path)
    looked = {file: provenance.look(path, file, base=base) for file in provenance.SHAPES}
    return FinishedRun(
        path=path,
        config=config,
        manifest=manifest,
        metrics=metrics,
        questions=questions,
        predictions=predictions,
        guarantee=looked[provenance.GUARANTEE].value,
        tax=looked[provenance.TAX].value,
        refused={file: found.refused for file, found in looked.items() if found.refused is not None},
    )


def _read_json(path: Path, *, made_by: str) -> dict[str, Any]:
    text = _existing(path, made_by=made_by).read_text(encoding="utf-8")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise RunFolderError(
            expected="a JSON object",
            found=f"text that is no JSON ({error})",
            where=str(path),
            fix=f"run `{made_by}` again to write the file anew",
        ) from error
    if not isinstance(value, dict):
        raise RunFolderError(
            expected="a JSON object",
            found=f"a JSON {type(value).__name__}",
            where=str(path),
            fix=f"run `{made_by}` again to write the file anew",
        )
    return value


def _existing(path: Path, *, made_by: str) -> Path:
    if not path.is_file():
        raise _missing(path, made_by=made_by)
    return path


def _missing(path: Path, *, made_by: str) -> RunFolderError:
    return RunFolderError(
        expected="a finished run folder",
        found=f"no {path.name}",
        where=str(path.parent),
        fix=f"run `{made_by}` first, or check the folder's name",
    )


def _check_ids(path: Path, questions: list[Question], predictions: dict[str, list[Prediction]]) -> None:
    known = {question.id for question in questions}
    for system, rows in predictions.items():
        stray = next((row.question_id for row in rows if row.question_id not in known), None)
        if stray is not None:
            raise RunFolderError(
                expected="predictions of the questions in questions.parquet",
                found=f"a prediction for the unknown question {stray!r}",
                where=str(path / "predictions" / f"{system}.parquet"),
                fix="run `demur predict` again: questions and predictions come from different runs",
            )
