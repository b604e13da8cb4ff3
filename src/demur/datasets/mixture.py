"""Several datasets in one run: trained on together, each measured by itself, some never trained on."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from demur.core.config import DataSettings
from demur.core.questions import QuestionTable
from demur.core.records import Question
from demur.datasets.base import part_of
from demur.datasets.leaks import Duplicates, find_leaks, question_keys
from demur.datasets.report import DataReport

UNSEEN = "unseen"
"""Split of the test questions of a dataset that nothing is trained on."""


SHARED = ("encoding", "test", "calibration", "seed", "limit", "leaks")
"""What holds for every dataset of a mixture that does not say otherwise."""

_UNDIVIDED: dict[str, dict[str, Any]] = {
    "all": {},
    # Nothing of it is trained on, so nothing of it is set apart, and it cannot leak into itself.
    "test": {"test": 0, "calibration": 0, "leaks": "keep"},
    # What was set apart for testing would be thrown away.
    "train": {"test": 0},
}


def parts(settings: DataSettings) -> list[tuple[DataSettings, str]]:
    """The settings of each dataset of a mixture, and how it is used."""
    shared = {name: getattr(settings, name) for name in SHARED}
    found = []
    for entry in settings.mixture:
        use = str(entry.get("use", "all"))
        values = {**shared, **_UNDIVIDED[use], **entry}
        values.pop("use", None)
        found.append((DataSettings.model_validate(values), use))
    return found


def merge(
    loaded: Sequence[tuple[QuestionTable, DataReport, str]], *, drop: bool
) -> tuple[QuestionTable, DataReport]:
    """The questions of all datasets, ids unique, leaks between datasets found, and one report.

    Args:
        loaded: questions, report and use of each dataset.
        drop: leave out what one dataset tests and another trains on.
    """
    questions = QuestionTable.of(_unique(loaded))
    kept, leaks = find_leaks(questions, question_keys(questions), drop=drop)
    clean = questions.where(kept)
    reports = [report for _, report, _ in loaded]
    return clean, DataReport(
        dataset=" + ".join(report.dataset for report in reports),
        seed=reports[0].seed,
        files={f"{r.dataset}/{name}": digest for r in reports for name, digest in r.files.items()},
        fields={},
        rows=sum(report.rows for report in reports),
        counts=dict(Counter(f"{question.dataset} {part_of(question)}" for question in clean)),
        unanswerable=clean.unanswerable,
        leaks=leaks,
        duplicates=Duplicates(
            rows=sum(report.duplicates.rows for report in reports),
            other_answers=sum(report.duplicates.other_answers for report in reports),
            examples=tuple(text for report in reports for text in report.duplicates.examples)[:3],
        ),
        before_limit=None,
        notes=tuple(
            f"{report.dataset}: {note}"
            for _, report, use in loaded
            for note in (*report.notes, *(() if use == "test" else _leaked(report)))
        ),
    )


def _unique(loaded: Sequence[tuple[QuestionTable, DataReport, str]]) -> Iterator[Question]:
    """The questions of all datasets, each with an id of its own."""
    ids: set[str] = set()
    for found, _, use in loaded:
        for question in _used(found, use):
            name = _unused(question, ids)
            ids.add(name)
            yield dataclasses.replace(question, id=name)


def _unused(question: Question, ids: set[str]) -> str:
    """The question's id, with its dataset before it and a number after it where that is taken."""
    named = f"{question.dataset}/{question.id}"
    numbered = (f"{named}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain((question.id, named), numbered) if name not in ids)


def _used(questions: Sequence[Question], use: str) -> list[Question]:
    """All questions; or those of the test part, as something never trained on; or those that train.

    Where a dataset has no test part, and nothing of it is trained on, all of it is tested on.
    """
    if use == "train":
        return [question for question in questions if question.split in ("train", "calibration")]
    if use == "test":
        tested = [question for question in questions if question.split not in ("train", "calibration")]
        return [
            dataclasses.replace(question, split=UNSEEN)
            if question.split in ("train", "calibration", "test")
            else question
            for question in tested or questions
        ]
    return list(questions)


def _leaked(report: DataReport) -> list[str]:
    if not report.leaks.rows:
        return []
    done = "dropped" if report.leaks.dropped else "kept"
    return [f"{report.leaks.rows:,} leaks from training to test, {done}"]
