"""What one run has to say: a value for every split, system and column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.compare.columns import (
    COLUMNS,
    FROM_METRICS,
    auroc_of_truth,
    by_reads,
    honesty_of_truth,
    likelihood_at_coverage,
    refusal_rate,
)
from demur.core.config import Config
from demur.core.errors import DemurError, RunFolderError
from demur.core.records import Prediction
from demur.knowledge.truth import known
from demur.metrics.evaluation import splits_of
from demur.runfolder.finished import FinishedRun

Cell = dict[str, float | None]
"""``value``, and where the run has them ``low`` and ``high``."""

POLICIES = {
    "always answer": "always-answer",
    "always refuse": "always-refuse",
    "random refusal at equal rate": "random-refusal",
}
"""Rows that anyone can have, by the names they have in ``metrics.json``; the rate is the method's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCells:
    """One run."""

    path: Path
    dataset: str
    seed: int
    method: str
    settings: str
    """What makes it comparable: runs with equal settings differ in their seed only."""
    systems: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Mapping[str, Cell]]]
    """By split, system and column."""
    reads: Mapping[str, Mapping[str, Any]]
    """By system: answers by how often a fact was read, of the test questions."""
    known_share: float | None
    """Share of the test questions that are truly known, of those of which that can be said."""


def collect(path: Path) -> RunCells:
    """Read one run.

    Raises:
        RunFolderError: a file of it is missing or cannot be read.
    """
    found = FinishedRun.open(path)
    try:
        run = _Run(found, found.written_config)
    except DemurError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise RunFolderError(
            expected="the files of a finished run",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix="run it again with `demur run`; it resumes",
        ) from error
    return run.read()


class _Run:
    """One run while it is read."""

    def __init__(self, run: FinishedRun, config: Config) -> None:
        self.run, self.config, self.metrics, self.manifest = run, config, run.metrics, run.manifest
        self.questions = {question.id: question for question in run.questions}
        truth = {key: known(question) for key, question in self.questions.items()}
        self.known = {key: value for key, value in truth.items() if value is not None}
        several = len({question.dataset for question in self.questions.values()}) > 1
        self.splits = {key: splits_of(q, by_dataset=several) for key, q in self.questions.items()}
        self.systems = tuple(s for s in run.systems if s in run.metrics["metrics"])
        self.base = self._rows("base")

    def read(self) -> RunCells:
        splits = [s for s in self.metrics["metrics"]["base"] if not s.startswith("calibration")]
        cells: dict[str, dict[str, dict[str, Cell]]] = {split: {} for split in splits}
        reads = {}
        for system in self.systems:
            rows = self._rows(system)
            test_rows = [row for key, row in rows.items() if self.questions[key].split == "test"]
            reads[system] = by_reads(test_rows, self.questions)
            for split in splits:
                cells[split][system] = self._cells(system, split, rows)
        for split in splits:
            cells[split] |= dict(self._policies(split))
        tested = [key for key, question in self.questions.items() if question.split == "test"]
        known_test = [self.known[key] for key in tested if key in self.known]
        return RunCells(
            path=self.run.path,
            dataset=self.config.data.name or ("file" if self.config.data.path else "pocket"),
            seed=self.config.seed,
            method=self.config.method,
            settings=_settings(self.config),
            systems=self.systems,
            cells=cells,
            reads=reads,
            known_share=sum(known_test) / len(known_test) if known_test else None,
        )

    def _rows(self, system: str) -> dict[str, Prediction]:
        rows = {row.question_id: row for row in self.run.predictions[system]}
        if unknown := rows.keys() - self.questions.keys():
            raise RunFolderError(
                expected="predictions of the run's questions",
                found=f"a prediction for the unknown question {min(unknown)!r}",
                where=f"{self.run.path}, system {system}",
                fix="take the predictions from a copy of the run, or delete them and run `demur run` again",
            )
        return rows

    def _cells(self, system: str, split: str, rows: Mapping[str, Prediction]) -> dict[str, Cell]:
        found = self.metrics["metrics"][system].get(split, {})
        cells = {name: _cell(found.get(name)) for name in FROM_METRICS}
        here = [row for key, row in rows.items() if split in self.splits[key]]
        signal = self.run.systems[system]["primary_signal"]
        unanswerable = [row for key, row in rows.items() if not self.questions[key].answerable]
        computed = {
            "likelihood_willing": likelihood_at_coverage(here, self.base, self.questions),
            "refused_unanswerable": refusal_rate(unanswerable),
            "refused_twins": refusal_rate([r for r in here if self.questions[r.question_id].answerable]),
            "auroc_truth": auroc_of_truth(here, self.known, signal),
            "honesty_truth": honesty_of_truth(here, self.known),
            "seconds": self._seconds(system),
        }
        cells |= {name: _cell({"value": value}) for name, value in computed.items()}
        return {name: cells[name] for name in COLUMNS}

    def _policies(self, split: str) -> Iterator[tuple[str, dict[str, Cell]]]:
        policies = self.metrics["policies"].get(self.config.method, {}).get(split, {})
        for title, name in POLICIES.items():
            found = policies.get(name, {})
            yield title, {column: _cell(found.get(column)) for column in COLUMNS}

    def _seconds(self, system: str) -> float | None:
        stages = self.manifest["stages"]
        spent = [
            stage.get("seconds") or 0.0
            for name, stage in stages.items()
            if name.partition("/")[0] in ("build", "train", "predict") and name.partition("/")[2] == system
        ]
        return float(sum(spent)) if spent else None


def _cell(found: Mapping[str, Any] | None) -> Cell:
    found = found or {}
    return {name: found.get(name) for name in ("value", "low", "high")}


def _settings(config: Config) -> str:
    """Everything of a configuration but its folder and seeds."""
    values = config.model_dump(mode="json", exclude={"out", "seed"})
    return json.dumps(values, sort_keys=True)
