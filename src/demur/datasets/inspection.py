"""Datasets to look at: the list of them, the questions of a file, and the check of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.questions import QuestionTable
from demur.core.records import Question
from demur.datasets import hub
from demur.datasets.base import RawData, part_of
from demur.datasets.checking import check_questions
from demur.datasets.loading import Source, prepare, read_source
from demur.datasets.recognition import recognise
from demur.datasets.rows import DATASET
from demur.datasets.sizes import CONFIDENCE, MAX_ERROR, fewest_for_promise, promise_needs
from demur.datasets.targets import DATASETS

if TYPE_CHECKING:
    from rich.console import RenderableType

ROW = ("id", "text", "answers", "task", "choices", "context", "dataset", "split", "domain", "answerable")
"""The fields of a question in ``--json``."""
PASSAGE = 500
"""So many characters of a passage are shown."""


def catalogue() -> list[dict[str, Any]]:
    """Every dataset as JSON values."""
    kept = ("description", "path", "hub", "splits", "licence", "citation", "source")
    return [
        {"name": name, **{field: getattr(dataset, field) for field in kept}}
        for name, dataset in DATASETS.items()
    ]


def catalogue_table() -> RenderableType:
    """Every dataset as a table for the terminal."""
    from rich.table import Table

    table = Table("name", "what it is", "parts", "licence", "--path")
    for row in catalogue():
        table.add_row(
            row["name"], row["description"], ", ".join(row["splits"]), row["licence"], row["path"] or "–"
        )
    return table


def read_raw(name: str, path: Path | None, settings: DataSettings | None = None) -> RawData:
    """Every question of a dataset, or of a file of the user's own.

    Args:
        name: a dataset's name, or a path.
        settings: how it is to be read, where that is not to be found out.

    Raises:
        DataError: it cannot be read, or it holds something else than questions.
    """
    given = {} if settings is None else settings.model_dump(exclude_unset=True)
    return read_source(DataSettings.model_validate({**given, "name": name, "path": path})).raw


def of_split(
    questions: Sequence[Question], split: str | None, *, where: str, notes: Sequence[str] = ()
) -> QuestionTable:
    """The questions of a part: ``test`` means ``test/id`` and ``test/ood``.

    Args:
        notes: what was noted when the questions were read, among them that a part was not.

    Raises:
        DataError: there is no such part.
    """
    table = QuestionTable.of(questions)
    if split is None:
        return table
    codes, names = table.parts()
    wanted = [
        code
        for code, name in enumerate(names)
        if split == name or (split == "test" and name.startswith("test/"))
    ]
    if not wanted:
        raise DataError(
            expected=f"a part called {split!r}",
            found=", ".join(f"{part} ({count:,})" for part, count in table.counts().items()),
            where=where,
            fix="name one of these with --split"
            + "".join(f"; {note}" for note in notes if "sealed" in note),
        )
    return table.where(np.isin(codes, wanted))


def question_row(question: Question) -> dict[str, Any]:
    """A question as a JSON object of the fields `ROW`."""
    return {field: getattr(question, field) for field in ROW}


def shown(raw: RawData, questions: Sequence[Question], limit: int) -> Iterator[RenderableType]:
    """Some questions to read, and what the file holds in all."""
    from rich.panel import Panel
    from rich.text import Text

    for question in questions[:limit]:
        facts = [question.id, part_of(question), *filter(None, [question.group])]
        answers = " | ".join(question.answers) or ("none given" if question.answerable else "unanswerable")
        lines = [_shortened(question.context), question.text, *_options(question), f"→ {answers}"]
        yield Panel(Text("\n".join(filter(None, lines))), title=Text(" · ".join(facts)), title_align="left")
    counts = ", ".join(
        f"{part} {count:,}" for part, count in QuestionTable.of(raw.questions).counts().items()
    )
    yield Text(f"{min(limit, len(questions)):,} of {len(raw.questions):,} questions: {counts}")
    for note in raw.notes:
        yield Text(f"note: {note}")


def _shortened(context: str | None) -> str:
    if context is None or len(context) <= PASSAGE:
        return context or ""
    return f"{context[:PASSAGE]} … ({len(context):,} characters in all)"


def _options(question: Question) -> list[str]:
    from demur.core.templates import LETTERS

    return [f"{letter}. {choice}" for letter, choice in zip(LETTERS, question.choices, strict=False)]


def check_file(path: Path, name: str | None = None, settings: DataSettings | None = None) -> dict[str, Any]:
    """Read a file in full and say what it is and what may be wrong with it, as JSON values.

    Args:
        name: read it as this dataset; by default as the user's own, else as the published one whose layout
            it has.
        settings: how it is to be read, where that is not to be found out.

    Raises:
        DataError: it cannot be read; every problem is listed, up to a limit.
    """
    given = {} if settings is None else settings.model_dump(exclude_unset=True)
    chosen = DataSettings.model_validate({**given, "name": name, "path": path})
    try:
        source = read_source(chosen)
    except DataError as error:
        found = recognise(hub.local(path)) if name is None else None
        if found is None or found.dataset is not None or error.found != found.kind:
            raise
        return {"path": str(path), "dataset": None, "kind": found.kind, "fix": found.fix}
    own, raw = source.dataset.name == DATASET, source.raw
    if not len(raw.questions):
        raise DataError(
            expected="at least one question",
            found="none",
            where=str(path),
            fix='check that this is the right file; a record is {"question": …, "answers": […]}',
        )
    questions = QuestionTable.of(raw.questions)
    tasks, names = questions.codes("task")
    parts, why = _parts_of_a_run(source, chosen)
    return {
        "path": str(path),
        "dataset": source.dataset.name,
        "published": source.published,
        "kind": "questions of your own" if own else f"the dataset {source.dataset.name}",
        "files": len(raw.files),
        "fields": dict(raw.fields),
        "rows": len(questions),
        "parts": questions.counts(),
        "run_parts": parts,
        "promise_needs": fewest_for_promise(MAX_ERROR, CONFIDENCE),
        "tasks": dict(zip(names, np.bincount(tasks).tolist(), strict=True)),
        "unanswerable": questions.unanswerable,
        "findings": [dataclasses.asdict(finding) for finding in check_questions(questions, parts)],
        "notes": [*raw.notes, *why],
    }


def _parts_of_a_run(source: Source, settings: DataSettings) -> tuple[dict[str, int] | None, list[str]]:
    """The parts that a run would make of the questions; None, with a note, where it could not."""
    try:
        loaded = prepare(source, settings, seed=0)
    except DataError as error:
        return None, [f"a run cannot use this as it stands: expected {error.expected}; found {error.found}"]
    return dict(loaded.report.counts), []


def check_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The outcome of `check_file` to read."""
    yield f"{found['path']}: {found['kind']}"
    if found["dataset"] is None:
        yield f"  no questions to ask; {found['fix']}"
        return
    counts = ", ".join(f"{part} {count:,}" for part, count in found["parts"].items())
    yield f"  {found['rows']:,} questions: {counts or 'none'}"
    if found["run_parts"] and found["run_parts"] != found["parts"]:
        yield "  a run divides them: " + ", ".join(
            f"{part} {n:,}" for part, n in found["run_parts"].items()
        )
    if found["fields"]:
        yield "  fields: " + ", ".join(f"{role} from {name!r}" for role, name in found["fields"].items())
    if found["unanswerable"]:
        yield f"  {found['unanswerable']:,} have no right answer"
    for finding in found["findings"]:
        yield f"  {'!' if finding['count'] else '✓'} {finding['count']:,} {finding['text']}"
        yield from (f"      {' '.join(example.split())[:150]}" for example in finding["examples"])
    for sentence in promise_needs(found["run_parts"] or found["parts"]):
        yield f"  ! {sentence}"
    yield from (f"  note: {note}" for note in found["notes"])
