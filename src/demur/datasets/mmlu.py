"""MMLU as R-Tuning uses it: four options, five worked examples of the subject before each question.

Two layouts: R-Tuning's JSON objects (subject -> rows of question, four options, letter) and the published
tree of CSV files. Of the tree the first half of the subjects, by name, is in domain, and of each of those
the first half of the test rows trains; the other subjects are out of domain (arXiv 2311.09677, appendix).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.records import Domain, Question
from demur.datasets.base import Dataset, Ids, RawData
from demur.datasets.problems import Problems, describe, names, text_fault
from demur.datasets.published import load_json, placed

EXPECTED = "R-Tuning's MMLU files (MMLU_ID_train.json, …) or MMLU's tree of dev, val and test"
FILES: tuple[tuple[str, str, str, Domain], ...] = (
    ("MMLU_ID_train.json", "MMLU_ID_prompt.json", "train", "id"),
    ("MMLU_ID_test.json", "MMLU_ID_prompt.json", "test", "id"),
    ("MMLU_OOD_test.json", "MMLU_OOD_prompt.json", "test", "ood"),
)
_FIX = "every row must be question, four options and a letter from A to D: copy the published file again"

CsvRow = Sequence[str]
Subjects = dict[str, list[CsvRow]]


def preface(subject: str, shots: Sequence[CsvRow]) -> str:
    """What stands before a question: the heading and the subject's worked examples."""
    heading = (
        f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}.\n\n"
    )
    return heading + "".join(_shot(row) for row in shots)


def _shot(row: CsvRow) -> str:
    options = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCD", row[1:5], strict=True))
    return f"{row[0]}\n{options}\nAnswer:{row[5]}\n\n"


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read either layout; ``--data.path`` names the folder, or one of R-Tuning's files."""
    if path is None or not path.exists():
        found = "no path" if path is None else "no such file or folder"
        raise DataError(expected=EXPECTED, found=found, where="--data.path", fix="name the folder")
    folder = path if path.is_dir() else path.parent
    problems = Problems(path, expected=EXPECTED)
    if (folder / "test").is_dir():
        return _tree(folder, problems)
    tables = sorted(path.glob("*.csv")) if path.is_dir() else [path] if path.suffix == ".csv" else []
    if tables:
        return _tables(tables, problems)
    chosen = [row for row in FILES if (folder / row[0]).exists() and (path.is_dir() or row[0] == path.name)]
    if not chosen and path.is_file():
        chosen = [(path.name, "", "test", "id")]
    if not chosen:
        found = "none of them"
        raise DataError(
            expected=EXPECTED, found=found, where=str(path), fix="name the folder of these files"
        )
    ids, questions, bare = Ids(), list[Question](), dict[str, None]()
    for name, prompts, split, domain in chosen:
        shots = dict(_subjects(folder / prompts, problems)) if (folder / prompts).is_file() else {}
        for subject, rows in _subjects(folder / name, problems):
            before = preface(subject, shots.get(subject, []))
            questions += [_question(row, subject, before, ids, split, domain) for row in rows]
            bare.update({} if subject in shots else {subject: None})
    problems.raise_any()
    read = {folder / name: None for row in chosen for name in row[:2] if (folder / name).is_file()}
    return RawData(questions=questions, files=tuple(read), notes=_without_examples(bare))


def _tree(folder: Path, problems: Problems) -> RawData:
    tests = sorted((folder / "test").glob("*_test.csv"))
    subjects = [file.name.removesuffix("_test.csv") for file in tests]
    inside = set(subjects[: len(subjects) // 2])
    ids, questions, read = Ids(), list[Question](), list(tests)
    for subject, file in zip(subjects, tests, strict=True):
        dev = folder / "dev" / f"{subject}_dev.csv"
        before = preface(subject, list(_csv(dev, problems))[:5] if dev.exists() else [])
        read += [dev] if dev.exists() else []
        rows = list(_csv(file, problems))
        for number, row in enumerate(rows):
            trains = subject in inside and number < len(rows) // 2
            domain: Domain = "id" if subject in inside else "ood"
            questions.append(_question(row, subject, before, ids, "train" if trains else "test", domain))
    problems.raise_any()
    bare = [name for name in subjects if folder / "dev" / f"{name}_dev.csv" not in read]
    return RawData(questions=questions, files=tuple(read), notes=_without_examples(bare))


def _tables(files: Sequence[Path], problems: Problems) -> RawData:
    """Some CSV files of the tree by themselves, without worked examples: a part of it, to look at."""
    ids, questions = Ids(), list[Question]()
    for file in files:
        subject, _, part = file.stem.rpartition("_")
        for row in _csv(file, problems):
            questions.append(_question(row, subject or file.stem, "", ids, part or "test", "id"))
    problems.raise_any()
    return RawData(questions=questions, files=tuple(files))


def _without_examples(subjects: Iterable[str]) -> tuple[str, ...]:
    listed = names(list(subjects))
    return (f"no worked examples stand before questions on {listed}",) if any(subjects) else ()


def _csv(path: Path, problems: Problems) -> Iterator[CsvRow]:
    with path.open(encoding="utf-8", newline="") as handle:
        try:
            yield from _sound(list(csv.reader(handle, strict=True)), path.name, problems)
        except (csv.Error, UnicodeDecodeError) as error:
            problems.add(path.name, str(error), fix=_FIX)


def _subjects(path: Path, problems: Problems) -> Iterator[tuple[str, list[CsvRow]]]:
    found = load_json(path, expected=EXPECTED)
    if not isinstance(found, Mapping):
        problems.add(path.name, f"{describe(found)}, not an object of subjects", fix=_FIX)
        return
    for subject, rows in found.items():
        if isinstance(rows, list):
            yield str(subject), list(_sound(rows, f"{path.name} {subject}", problems))
        else:
            problems.add(f"{path.name} {subject}", f"{describe(rows)}, not a list of rows", fix=_FIX)


def _sound(rows: Sequence[object], place: str, problems: Problems) -> Iterator[CsvRow]:
    """The rows that are whole; the others become problems."""
    for number, row in enumerate(rows, start=1):
        fault = _fault(row)
        if fault:
            problems.add(f"{place} row {number}", fault, fix=_FIX)
        else:
            assert isinstance(row, list)
            yield [str(cell).strip() for cell in row]


def _fault(row: object) -> str | None:
    if not isinstance(row, list) or len(row) != 6:
        return f"{describe(row)}, not a row of six"
    fault = next((fault for cell in row if (fault := text_fault(cell))), None)
    if fault:
        return f"a cell is {fault}"
    return None if row[5].strip() in ("A", "B", "C", "D") else f"the letter is {describe(row[5])}"


def _question(row: CsvRow, subject: str, before: str, ids: Ids, split: str, domain: Domain) -> Question:
    question = Question(
        id="",
        text=row[0],
        answers=(row[5],),
        task="choice",
        choices=tuple(row[1:5]),
        preface=before,
        group=subject,
        split="",
    )
    return placed(question, ids, "mmlu", split, domain)


MMLU = Dataset(
    name="mmlu",
    description="multiple choice over 57 subjects, five worked examples each (MMLU, R-Tuning's division)",
    load=load,
    path="the folder of R-Tuning's MMLU files, or MMLU's folder of dev, val and test; or files of theirs",
    splits=("train", "test/id", "test/ood"),
    licence="MIT; R-Tuning's processed files: not stated",
    citation="Hendrycks et al., MMLU, ICLR 2021, arXiv 2009.03300; R-Tuning, arXiv 2311.09677",
    source="https://github.com/hendrycks/test",
)
