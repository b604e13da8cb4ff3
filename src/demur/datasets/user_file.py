"""The user's own questions: one file, or a folder with a file for each part.

Formats: `demur.datasets.files`. Layouts: `demur.datasets.layouts`. Fields: guessed or named
(`demur.datasets.fields`). Parts: by a field, by the names of the files, or drawn afterwards by seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demur.core.config import DataSettings
from demur.core.errors import ConfigError, DataError
from demur.core.questions import QuestionTable, repeated
from demur.core.records import Domain
from demur.datasets.base import MOST_GROUPS, Dataset, RawData, kept_together
from demur.datasets.fields import KNOWN
from demur.datasets.files import FORMATS, SUFFIXES, Records, list_folder, open_parts
from demur.datasets.files.folders import part_named, part_of_file
from demur.datasets.options import ReadOptions
from demur.datasets.plain import read_plain
from demur.datasets.problems import Problems, names
from demur.datasets.rows import DATASET, Origin, RowReader
from demur.datasets.separated import note_on
from demur.datasets.splits import settle_validation

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
class _ReadFile:
    """What came out of one file."""

    file: _File
    reader: RowReader
    questions: QuestionTable


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
            fix=f"name a file of your own ({FORMATS}), or a dataset",
        )
    notes: list[str] = []
    entries = list_folder(path)
    files = [_File(path)] if entries is None else _parts(path, entries, notes)
    problems = Problems(path, expected="a question and its accepted answers in every record")
    read = _read_all(files, ReadOptions.of(settings), problems, alone=entries is None)
    problems.raise_any()
    notes += dict.fromkeys(note for part in read for note in part.reader.notes)
    questions = settle_validation(_with_ids(read, notes), notes)
    _doubt_answers(questions, settings, notes)
    if settings.answers_separator is None and (note := note_on(questions)):
        notes.append(note)
    return RawData(
        questions=_few_groups(questions, settings, notes),
        files=tuple(file.path for file in files),
        fields={role: name for part in read for role, name in part.reader.fields.items()},
        notes=tuple(notes),
    )


def _parts(folder: Path, entries: Sequence[Path], notes: list[str]) -> list[_File]:
    """The question files of a folder, in the order of their parts."""
    data = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    named = [(entry, part_of_file(entry, folder)) for entry in data]
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
        fix=f"name one of the files, or rename them ({', '.join(sorted(SUFFIXES))})",
    )


def _read_all(
    files: Sequence[_File], options: ReadOptions, problems: Problems, *, alone: bool
) -> list[_ReadFile]:
    """Read every file; ids that are given twice within one part are problems."""
    read: list[_ReadFile] = []
    used: dict[tuple[str, str], str] = {}
    files_of = Counter(file.part for file in files)
    for file in files:
        label = "" if alone else file.path.name
        parts = open_parts(file.path, problems, label=label, encoding=options.encoding, fields=KNOWN)
        for records in parts:
            own = file if records.part is None else _File(file.path, *_part_of(records.part, file))
            reader = RowReader(_origin(own, records, label), options, problems=problems)
            if not reader.open(records.rows):
                continue
            # Where several files share a part, ids are compared between them, row by row.
            shares = files_of[file.part] > 1 and "id" in reader.fields
            fast = (
                None
                if shares or options != ReadOptions(fields=options.fields)
                else read_plain(file.path, reader)
            )
            read.append(_ReadFile(own, reader, QuestionTable.of(reader.read()) if fast is None else fast))
            for name, number in reader.explicit.items() if shares else ():
                place = reader.origin.place(number)
                before = used.setdefault((file.part, name), place)
                if before is not place:
                    fix = "give every row an id of its own, or add --id-field none"
                    problems.add(place, f"id {name!r} was already used in {before}", fix=fix)
    return read


def _part_of(name: str, file: _File) -> tuple[str, Domain]:
    """The split and domain of a part of one file; what the file's own name says goes before."""
    split, domain = part_named(name, whole=True) or (name, "id")
    return (split, domain) if file.split is None else (file.split, file.domain)


def _origin(file: _File, records: Records, label: str) -> Origin:
    named = f"{label} {records.part or ''}".strip()
    return Origin(label=named, unit=records.unit, kind=records.kind, split=file.split, domain=file.domain)


def _with_ids(read: Sequence[_ReadFile], notes: list[str]) -> QuestionTable:
    """All questions, each with an id of its own.

    Ids made of the content are numbered by occurrence, as `demur.datasets.base.Ids` does it. Ids that the
    files give and that start anew in each of them get the part's name before them.
    """
    every = QuestionTable.join([part.questions for part in read])
    keys = np.fromiter((hash(name) for (name,) in every.values("id")), np.int64, len(every))
    first, again = repeated(keys)
    if not len(again):
        return every
    made = np.repeat(["id" not in part.reader.fields for part in read], [len(p.questions) for p in read])
    if not made[again].all():
        notes.append("the files use the same ids, so the part stands before each: train/ID, test/ID")
        named = [_under_part(part) if "id" in part.reader.fields else part.questions for part in read]
        return QuestionTable.join(named)
    occurrences, names = Counter[int](), {}
    rows = zip(first.tolist(), again.tolist(), every.take(again).values("id"), strict=True)
    for before, place, (name,) in rows:
        occurrences[before] += 1
        names[place] = f"{name}-{occurrences[before] + 1}"
    return every.replace_some("id", names)


def _under_part(part: _ReadFile) -> QuestionTable:
    """The questions of a file with the part's name before each id."""
    names = [f"{part.file.part}/{name}" for (name,) in part.questions.values("id")]
    return part.questions.replace("id", names)


def _doubt_answers(questions: QuestionTable, settings: DataSettings, notes: list[str]) -> None:
    """Say so where the field taken for the answers looks like a label instead."""
    if settings.answers_field is not None or len(questions) < FEW:
        return
    rows = questions.values("answers", "answerable")
    answers = (answers for answers, answerable in rows if answerable)
    first = next(answers, None)
    if first is not None and all(other == first for other in answers):
        notes.append(
            f"every answer is {names(first)}: is that the answer? Else name its field (--answers-field)"
        )


def _few_groups(questions: QuestionTable, settings: DataSettings, notes: list[str]) -> QuestionTable:
    """Guessed groups that are too many to report by only say which questions share their errors."""
    if settings.group_field is not None:
        return questions
    groups = {name for (name,) in questions.values("group")}
    if len(groups) <= MOST_GROUPS:
        return questions
    notes.append(
        f"{len(groups)} different groups are too many to report by; --group-field FIELD does it anyway. "
        "Intervals and promises take questions of one group as dependent; --group-field none does not"
    )
    return kept_together(questions).replace("group", [None] * len(questions))


FILE = Dataset(
    name=DATASET,
    description="your own questions, in one file or in a folder with a file for each part",
    load=load_file,
    path=f"a file ({FORMATS}), or a folder with files named train, test, calibration, validation, ood",
    splits=("train", "calibration", "test/id", "test/ood"),
    licence="yours",
    citation="",
    source="your own file",
    fields=True,
)
