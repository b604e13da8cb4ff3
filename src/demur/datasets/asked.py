"""Questions to be asked now: a file or a pasted text, read like any question file but without answers.

A text without any structure is one question a line, and a JSON list of texts is a list of questions. Rows
without a question are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.core.records import Question, question_id
from demur.datasets import values
from demur.datasets.fields import GUESSES, KNOWN, RowError, guess, question_field
from demur.datasets.files import TABLES, Content, Records, open_parts
from demur.datasets.files.content import encoding_of
from demur.datasets.layouts.base import fields_of, objects
from demur.datasets.options import Purpose, ReadOptions
from demur.datasets.problems import Problems
from demur.datasets.rows import Origin, RowReader

EXPECTED = "questions: one a line, a table with a column named question, or JSON"


class AskedReader(RowReader):
    """Turns records into questions without answers."""

    purpose: Purpose = "asked"

    def read(self) -> Iterator[Question]:
        """The questions; what cannot be one becomes a problem."""
        for number, value in self.rows():
            try:
                if not self._is_empty(value):
                    yield self._asked(value)
            except RowError as fault:
                self.problems.add(self.origin.place(number), fault.found, fix=fault.fix)

    def _is_empty(self, row: Any) -> bool:
        value = row.get(self.fields.get("question", "question")) if isinstance(row, dict) else row
        return value is None or (isinstance(value, str) and not value.strip())

    def _asked(self, row: Any) -> Question:
        self._check_fields(row)
        text = self._text(row)
        choices = tuple(map(values.text_of, self._options(row))) if "choices" in self.fields else ()
        context = self._context(row) if "context" in self.fields else None
        return Question(
            id=question_id(text, context=context, choices=choices),
            text=text,
            task="choice" if choices else "open" if context is None else "contextual",
            choices=choices,
            context=context,
            split="test",
        )


def read_asked(content: Content | Path, options: ReadOptions | None = None) -> list[Question]:
    """The questions of a file or a text.

    Args:
        content: a file, or bytes with a name for messages.

    Raises:
        DataError: it cannot be read; every problem is listed.
        ConfigError: a layout or an encoding that there is not.
    """
    options = options or ReadOptions()
    content = Content(content) if isinstance(content, Path) else content
    problems = Problems(content.path, expected=EXPECTED)
    found: list[Question] = []
    for records in open_parts(content, problems, encoding=options.encoding, fields=KNOWN):
        reader = AskedReader(_origin(records), options, problems=problems)
        if _is_bare(content, records, options):
            reader.open(_lines(content, options))
        elif not reader.open(_objects(list(records.rows), options)):
            continue
        found += reader.read()
    problems.raise_any()
    return found


def _origin(records: Records) -> Origin:
    return Origin(label=records.part or "", unit=records.unit, kind=records.kind)


def _objects(rows: Sequence[tuple[int, Any]], options: ReadOptions) -> Iterator[tuple[int, Any]]:
    """Rows as objects: a text alone is a question, under the name that the other rows have for it."""
    name = question_field(fields_of(objects([value for _, value in rows])), options) or "question"
    for number, value in rows:
        yield number, {name: value} if isinstance(value, str) else value


def _is_bare(content: Content, records: Records, options: ReadOptions) -> bool:
    """Whether a text without braces is no table: none of its columns would hold a question."""
    if records.kind not in TABLES or "question" in options.fields:
        return False
    head = content.head()
    first = head.decode(encoding_of(head, options.encoding), errors="replace").lstrip().split("\n", 1)[0]
    named = first if not first.casefold().startswith("sep=") else "question"
    return guess([cell.strip().strip('"') for cell in _cells(named)], GUESSES["question"]) is None


def _cells(line: str) -> list[str]:
    for separator in ",\t;|":
        line = line.replace(separator, "\0")
    return line.split("\0")


def _lines(content: Content, options: ReadOptions) -> Iterator[tuple[int, Any]]:
    with content.open() as handle:
        data = handle.read()
    try:
        text = data.decode(encoding_of(data[:4], options.encoding))
    except UnicodeError as error:
        raise DataError(
            expected="text in UTF-8",
            found=str(error),
            where=str(content.path),
            fix="add --encoding, such as cp1252",
        ) from error
    for number, line in enumerate(text.splitlines(), start=1):
        yield number, {"question": line.strip()}
