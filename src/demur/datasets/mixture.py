"""Several datasets in one run: trained on together, each measured by itself, some never trained on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from demur.config import DataSettings
from demur.datasets.base import part_of
from demur.datasets.leaks import Duplicates, find_leaks, same_question
from demur.datasets.report import DataReport
from demur.records import Question

UNSEEN = "unseen"
"""Split of the test questions of a dataset that nothing is trained on."""


def parts(settings: DataSettings) -> list[tuple[DataSettings, str]]:
    """The settings of each dataset of a mixture, and how it is used."""
    found = []
    for entry in settings.mixture:
        values = dict(entry)
        use = values.pop("use", "all")
        found.append((DataSettings.model_validate(values), use))
    return found


def merge(
    loaded: Sequence[tuple[list[Question], DataReport, str]], *, drop: bool
) -> tuple[list[Question], DataReport]:
    """The questions of all datasets, ids unique, leaks between datasets found, and one report.

    Args:
        loaded: questions, report and use of each dataset.
        drop: leave out what one dataset tests and another trains on.
    """
    ids: set[str] = set()
    questions: list[Question] = []
    for found, _, use in loaded:
        for question in _used(found, use):
            name = question.id if question.id not in ids else f"{question.dataset}/{question.id}"
            ids.add(name)
            questions.append(dataclasses.replace(question, id=name))
    keys = {question.id: same_question(question) for question in questions}
    clean, leaks = find_leaks(questions, keys, drop=drop)
    reports = [report for _, report, _ in loaded]
    return clean, DataReport(
        dataset=" + ".join(report.dataset for report in reports),
        seed=reports[0].seed,
        files={name: digest for report in reports for name, digest in report.files.items()},
        fields={},
        rows=sum(report.rows for report in reports),
        counts=dict(Counter(f"{question.dataset} {part_of(question)}" for question in clean)),
        unanswerable=sum(not question.answerable for question in clean),
        leaks=leaks,
        duplicates=Duplicates(
            rows=sum(report.duplicates.rows for report in reports),
            other_answers=sum(report.duplicates.other_answers for report in reports),
            examples=tuple(text for report in reports for text in report.duplicates.examples)[:3],
        ),
        before_limit=None,
        notes=tuple(
            f"{report.dataset}: {note}" for report in reports for note in (*report.notes, *_leaked(report))
        ),
    )


def _used(questions: Sequence[Question], use: str) -> list[Question]:
    """All questions; or those of the test part, as something never trained on; or those that train."""
    if use == "train":
        return [question for question in questions if question.split in ("train", "calibration")]
    if use == "test":
        tested = [question for question in questions if question.split not in ("train", "calibration")]
        return [
            dataclasses.replace(question, split=UNSEEN if question.split == "test" else question.split)
            for question in tested
        ]
    return list(questions)


def _leaked(report: DataReport) -> list[str]:
    if not report.leaks.rows:
        return []
    done = "dropped" if report.leaks.dropped else "kept"
    return [f"{report.leaks.rows:,} leaks from training to test, {done}"]
