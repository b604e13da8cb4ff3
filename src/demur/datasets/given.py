"""Questions given as Python objects: written to a file once, and read like any file of the user's."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.core.files import PARTIAL_SUFFIX, explain_disk, user_cache
from demur.core.records import Question
from demur.datasets.problems import describe

_FIELDS = ("id", "answers", "choices", "context", "split", "domain", "group", "answerable")


def save(rows: Iterable[Question | Mapping[str, Any]], *, cache: Path | None = None) -> Path:
    """A file of JSON lines with these questions, named by its content.

    Args:
        rows: questions, or objects with the fields that a file would have; any iterable of them, such as a
            list or a dataset of the `datasets` library.
        cache: folder of the file; by default in the user's cache.

    Raises:
        DataError: something else is among them, or a value that JSON does not have.
    """
    folder = (cache or user_cache()) / "given"
    folder.mkdir(parents=True, exist_ok=True)
    written = hashlib.sha256()
    partial = Path(tempfile.mkstemp(dir=folder, suffix=PARTIAL_SUFFIX)[1])
    try:
        with explain_disk(folder), partial.open("w", encoding="utf-8") as handle:
            for number, row in enumerate(rows, start=1):
                line = _line(row, number)
                written.update(line.encode())
                handle.write(line)
        return partial.replace(folder / f"{written.hexdigest()[:16]}.jsonl")
    finally:
        partial.unlink(missing_ok=True)


def _line(row: object, number: int) -> str:
    if isinstance(row, Question):
        row = _plain(row)
    if not isinstance(row, Mapping):
        found = f"{describe(row)} (rows of a data frame: `frame.to_dict('records')`)"
        raise _error(number, found)
    try:
        return json.dumps(dict(row), ensure_ascii=True, allow_nan=True) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise _error(number, str(error)) from error


def _plain(question: Question) -> dict[str, Any]:
    """A question as a row; what it lacks is left out."""
    values = dataclasses.asdict(question)
    kept = {name: values[name] for name in _FIELDS if values[name] not in (None, (), "")}
    return {"question": question.text, **kept}


def _error(number: int, found: str) -> DataError:
    return DataError(
        expected="questions as objects with fields, or as `demur.core.records.Question`",
        found=found,
        where=f"row {number}",
        fix='give rows such as {"question": "…", "answers": ["…"]}',
    )
