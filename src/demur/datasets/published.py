"""Reading published files whose records are JSON objects: what the loaders of single datasets share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.records import Domain, Question
from demur.core.templates import LETTERS
from demur.datasets.base import Ids, RawData
from demur.datasets.files import SUFFIXES, list_folder, open_records
from demur.datasets.problems import Problems, describe, half_character, names, shorten, text_fault
from demur.datasets.splits import settle_validation

Convert = Callable[[Mapping[str, Any]], Question | str]
"""A record as a question without id and split, or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which files make which part."""

    sign: str
    """A file belongs to the part where its name holds this; empty: any file."""
    split: str | None
    """None: in a folder, such files are not read."""
    domain: Domain = "id"


def read_published(
    path: Path | None,
    parts: Sequence[Part],
    convert: Convert,
    settings: DataSettings,
    *,
    dataset: str,
    expected: str,
) -> RawData:
    """Read a file, or the files of a folder that belong to some part.

    Args:
        parts: tried in order; a single file that fits none belongs to the last. Questions of a part called
            ``validation`` become what the files lack: the test part, or else the calibration part.
        convert: makes a question of a record.
        expected: what the path must name, and what a record must hold, as a noun phrase.

    Raises:
        DataError: nothing fits, or records are wrong; every problem is listed.
    """
    files = find_files(path, parts, expected=expected)
    problems = Problems(Path(str(path)), expected=expected)
    ids, questions = Ids(), list[Question]()
    for file, part in files:
        label = file.name if len(files) > 1 else ""
        records = open_records(file, problems, label=label, encoding=settings.encoding)
        place = f"{label} {records.unit}".strip()
        for number, value in records.rows:
            made = convert(value) if isinstance(value, Mapping) else f"{describe(value)}, not an object"
            if isinstance(made, Question):
                made = _writable(made)
            if isinstance(made, str):
                problems.add(f"{place} {number}", made, fix=f"give records as published: {expected}")
            else:
                questions.append(placed(made, ids, dataset, part.split or "test", part.domain))
    problems.raise_any()
    notes: list[str] = []
    return RawData(
        questions=settle_validation(questions, notes),
        files=tuple(file for file, _ in files),
        notes=tuple(notes),
    )


def _writable(question: Question) -> Question | str:
    """The question, or what is wrong with it where a text of it holds half a character."""
    single = (question.text, question.context, question.preface, question.group)
    meta = json.dumps(dict(question.meta), ensure_ascii=False) if question.meta else None
    broken = half_character(*single, meta, *question.answers, *question.choices)
    return question if broken is None else f"half a character (a lone surrogate) in {shorten(broken)}"


def placed(question: Question, ids: Ids, dataset: str, split: str, domain: Domain) -> Question:
    """A converted question with its id and place; a split that it has already stays."""
    return dataclasses.replace(
        question,
        id=ids.derive(question.text, context=question.context, choices=question.choices),
        dataset=dataset,
        split=question.split or split,
        domain=domain,
    )


def find_files(path: Path | None, parts: Sequence[Part], *, expected: str) -> list[tuple[Path, Part]]:
    """The files of a folder (or the one file) with their parts, in order of parts and names.

    Raises:
        DataError: no path, no such path, or nothing in it belongs to a part.
    """
    if path is None:
        raise DataError(
            expected=expected, found="no path", where="--data.path", fix="name the file or folder"
        )
    entries = list_folder(path)
    if entries is None:
        if not path.is_file():
            raise DataError(
                expected=expected, found="no such file or folder", where=str(path), fix="check the path"
            )
        named = [part for part in parts if part.sign in path.name and part.split is not None]
        return [(path, named[0] if named else parts[-1])]
    found = [(entry, _part(entry, parts)) for entry in _data(entries)]
    chosen = [(entry, part) for part in parts for entry, its in found if its is part and part.split]
    if not chosen:
        raise DataError(
            expected=expected,
            found=f"only {names(sorted(entry.name for entry in entries))}"
            if entries
            else "an empty folder",
            where=str(path),
            fix="name the folder that holds the published files, or one of them",
        )
    return chosen


def _data(entries: Sequence[Path]) -> list[Path]:
    """The question files among those of a folder: not its README or licence."""
    return sorted(entry for entry in entries if entry.suffix.lower() in SUFFIXES)


def _part(entry: Path, parts: Sequence[Part]) -> Part | None:
    return next((part for part in parts if part.sign in entry.name), None)


def load_json(path: Path, *, expected: str) -> Any:
    """A whole JSON file.

    Raises:
        DataError: it cannot be read as JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            expected=expected,
            found=" ".join(str(error).split()) or type(error).__name__,
            where=str(path),
            fix="copy the published file again",
        ) from error


def text_of(record: Mapping[str, Any], name: str) -> str:
    """A field that must hold a text, stripped.

    Raises:
        FieldError: it does not.
    """
    fault = text_fault(record.get(name)) if name in record else "missing"
    if fault:
        raise FieldError(f"{name} is {fault}")
    return str(record[name]).strip()


def texts_of(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that must hold texts, one or more.

    Raises:
        FieldError: it does not.
    """
    value = record.get(name)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values:
        raise FieldError(f"{name} is {describe(value)}, not a list of texts")
    fault = next((fault for item in values if (fault := text_fault(item))), None)
    if fault:
        raise FieldError(f"{name} holds {fault}")
    return tuple(str(item).strip() for item in values)


class FieldError(ValueError):
    """A field of a record is not what it must be."""


def converting(convert: Callable[[Mapping[str, Any]], Question]) -> Convert:
    """A converter that says what is wrong instead of raising."""

    def safe(record: Mapping[str, Any]) -> Question | str:
        try:
            return convert(record)
        except FieldError as error:
            return str(error)

    return safe


def letters(labels: Sequence[str], chosen: str, name: str) -> str:
    """The letter of a label.

    Raises:
        FieldError: there is no such label.
    """
    if chosen not in labels:
        raise FieldError(f"{name} is {describe(chosen)}, not one of {names(labels)}")
    return LETTERS[list(labels).index(chosen)]
