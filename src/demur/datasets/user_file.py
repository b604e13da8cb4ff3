"""The user's own questions: one file, or a folder with a file for each part.

Formats: JSON lines, JSON, CSV, TSV, Parquet (`demur.datasets.reading`). Fields: guessed or named
(`demur.datasets.rows`). Parts: by a field, by the names of the files, or drawn afterwards by seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demur.config import DataSettings
from demur.datasets.base import MOST_GROUPS, Dataset, Ids, RawData
from demur.datasets.problems import Problems, names
from demur.datasets.reading import FORMATS, SUFFIXES, list_folder, open_records
from demur.datasets.rows import Origin, RowReader, part_named
from demur.datasets.splits import settle_validation
from demur.errors import ConfigError, DataError
from demur.records import Domain, Question

FEW = 20
"""From so many questions on, the same answer to all of them is worth a note."""

_ORDER = ("train", "calibration", "validation", "test")


@dataclass(frozen=True, slots=True)
class _File:
    """One file and what its name says of its rows."""

    path: Path
    split: str | None = None
    domain: Domain = "id"

    @property
    def part(self) -> str:
        return "ood" if self.domain == "ood" else self.split or "train"


@dataclass(frozen=True, slots=True)
class _Read:
    """What came out of one file."""

    file: _File
    reader: RowReader
    questions: list[Question]


def load_file(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read a user's file or folder.

    Raises:
        DataError: something cannot be read; the problems of all files are listed, up to a limit.
    """
    if path is None:
        raise ConfigError(
            expected="the path of a question file or folder",
            found="no path",
            where="--data.path",
            fix=f"name a file of your own ({FORMATS}), or a dataset with --data.name",
        )
    notes: list[str] = []
    entries = list_folder(path)
    files = [_File(path)] if entries is None else _parts(path, entries, notes)
    problems = Problems(path, expected="a question and its accepted answers in every record")
    read = _read_all(files, settings, problems, alone=entries is None)
    problems.raise_any()
    questions = settle_validation(_unique_ids(read, notes), notes)
    _doubt_answers(questions, settings, notes)
    return RawData(
        questions=_few_groups(questions, settings, notes),
        files=tuple(file.path for file in files),
        fields={role: name for part in read for role, name in part.reader.fields.items()},
        notes=tuple(notes),
    )


def _parts(folder: Path, entries: Sequence[Path], notes: list[str]) -> list[_File]:
    """The question files of a folder, in the order of their parts."""
    data = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    named = [(entry, part_named(entry.name.partition(".")[0])) for entry in data]
    parts = [_File(entry, *part) for entry, part in named if part is not None]
    if not parts and len(data) == 1:
        return [_File(data[0])]
    if not parts:
        raise _no_parts(folder, entries, data)
    others = [entry.name for entry, part in named if part is None]
    if others:
        notes.append(f"not read, since their names say no part: {names(others)}")
    return sorted(
        parts, key=lambda file: (_ORDER.index(file.split or "train"), file.domain, file.path.name)
    )


def _no_parts(folder: Path, entries: Sequence[Path], data: Sequence[Path]) -> DataError:
    found = "the folder is empty"
    if entries:
        found = f"{len(data)} question files" if data else "no question file"
        found += f" among {names(sorted(entry.name for entry in entries))}"
    return DataError(
        expected="a folder with one question file, or with files named train, test, calibration, …",
        found=found,
        where=str(folder),
        fix=f"name one file with --data.path, or rename the files ({', '.join(sorted(SUFFIXES))})",
    )


def _read_all(
    files: Sequence[_File], settings: DataSettings, problems: Problems, *, alone: bool
) -> list[_Read]:
    """Read every file; ids that are given twice within one part are problems."""
    ids = Ids()
    read: list[_Read] = []
    used: dict[tuple[str, str], str] = {}
    for file in files:
        label = "" if alone else file.path.name
        records = open_records(file.path, problems, label=label, encoding=settings.encoding)
        origin = Origin(
            label=label, unit=records.unit, kind=records.kind, split=file.split, domain=file.domain
        )
        reader = RowReader(origin, settings, ids=ids, problems=problems)
        read.append(_Read(file, reader, list(reader.read(records.rows))))
        for name, number in reader.explicit.items():
            place = origin.place(number)
            before = used.setdefault((file.part, name), place)
            if before is not place:
                fix = "give every row an id of its own, or add --data.id_field none"
                problems.add(place, f"id {name!r} was already used in {before}", fix=fix)
    return read


def _unique_ids(read: Sequence[_Read], notes: list[str]) -> list[Question]:
    """All questions; ids that start anew in each file get the part's name before them."""
    every = [question for part in read for question in part.questions]
    if len({question.id for question in every}) == len(every):
        return every
    notes.append("the files use the same ids, so the part stands before each: train/ID, test/ID")
    return [
        dataclasses.replace(question, id=f"{part.file.part}/{question.id}")
        if part.reader.explicit
        else question
        for part in read
        for question in part.questions
    ]


def _doubt_answers(questions: Sequence[Question], settings: DataSettings, notes: list[str]) -> None:
    """Say so where the field taken for the answers looks like a label instead."""
    answers = {question.answers for question in questions if question.answerable}
    if settings.answers_field is None and len(questions) >= FEW and len(answers) == 1:
        same = names(next(iter(answers)))
        notes.append(
            f"every answer is {same}: is that the answer? Else name its field (--data.answers_field)"
        )


def _few_groups(questions: list[Question], settings: DataSettings, notes: list[str]) -> list[Question]:
    """Forget groups that were guessed and are too many to be groups."""
    groups = {question.group for question in questions}
    if settings.group_field is not None or len(groups) <= MOST_GROUPS:
        return questions
    notes.append(
        f"{len(groups)} different groups are too many to report by; --data.group_field FIELD does it anyway"
    )
    return [dataclasses.replace(question, group=None) for question in questions]


FILE = Dataset(
    name="file",
    description="your own questions, in one file or in a folder with a file for each part",
    load=load_file,
    path=f"a file ({FORMATS}), or a folder with files named train, test, calibration, validation, ood",
    splits=("train", "calibration", "test/id", "test/ood"),
    licence="yours",
    citation="",
    source="your own file",
    fields=True,
)
