"""A run's predictions, sorted once for the figures and tables that stand on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demur.core.records import Prediction, Question
from demur.metrics import splits_of
from demur.report import words
from demur.report.flow import Flow, flows
from demur.report.slices import Sliced, slices
from demur.runfolder.finished import FinishedRun

BEFORE = "base"
"""The system that every move starts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is computed from the predictions; each by system and split."""

    splits: Mapping[str, tuple[str, ...]]
    """By question, where it counts."""
    rows: Mapping[str, Mapping[str, Sequence[Prediction]]]
    moves: Mapping[str, Mapping[str, Flow]]
    """From `BEFORE`; empty where the run has no such system."""
    sliced: Mapping[str, Mapping[str, Sliced]]
    """Of whole splits that are tested on; where the split cannot be cut, there is none."""

    @classmethod
    def of(cls, run: FinishedRun) -> Material:
        """Sort and count."""
        several = len({question.dataset for question in run.questions}) > 1
        questions = {question.id: question for question in run.questions}
        splits = {key: splits_of(question, by_dataset=several) for key, question in questions.items()}
        rows = {system: _by_split(found, splits) for system, found in run.predictions.items()}
        before = run.predictions.get(BEFORE, [])
        return cls(
            splits=splits,
            rows=rows,
            moves={
                system: flows(before, found, splits)
                for system, found in run.predictions.items()
                if before and system != BEFORE
            },
            sliced={system: _sliced(run, system, found, questions) for system, found in rows.items()},
        )


def primary_signal(run: FinishedRun, system: str) -> str | None:
    """The confidence that the manifest names for a system."""
    found: str | None = run.manifest.get("systems", {}).get(system, {}).get("primary_signal")
    return found


def _by_split(
    rows: Sequence[Prediction], splits: Mapping[str, Sequence[str]]
) -> dict[str, list[Prediction]]:
    found: dict[str, list[Prediction]] = {}
    for row in rows:
        for split in splits[row.question_id]:
            found.setdefault(split, []).append(row)
    return {split: found[split] for split in words.ordered(found)}


def _sliced(
    run: FinishedRun,
    system: str,
    rows: Mapping[str, Sequence[Prediction]],
    questions: Mapping[str, Question],
) -> dict[str, Sliced]:
    level = run.metrics.get("settings", {}).get("level", 0.95)
    found = {}
    for split, members in rows.items():
        pairs = [(questions[row.question_id], row) for row in members]
        tested = all(question.split not in ("train", "calibration") for question, _ in pairs)
        if tested and not words.is_group(split):
            found[split] = slices(pairs, primary_signal(run, system), level=level)
    return found
