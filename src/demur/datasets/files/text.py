"""Text files: JSON lines, JSON and tables, told apart by what stands in them."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from demur.core.errors import DataError
from demur.datasets.files import tables
from demur.datasets.files.containers import parts_of
from demur.datasets.files.content import FORMATS, Content, readable
from demur.datasets.files.records import Numbered, Records
from demur.datasets.problems import Problems, describe, shorten

_FORMAT_FIX = f"save the questions as {FORMATS}"
_JSON_FIX = "write every record as one JSON object"
_LIST_FIX = "correct the JSON at that place; if the file is cut off, copy or write it again"
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # how a byte that cannot be decoded reads afterwards
_SPACE = re.compile(r"[ \t\r\n]*")


class Text:
    """A text file whose format is still to be found out."""

    def __init__(self, content: Content, problems: Problems, prefix: str, encoding: str) -> None:
        self.content, self.problems, self.prefix, self.encoding = content, problems, prefix, encoding
        self._bad_lines: set[int] = set()

    def parts(self, fields: Collection[str]) -> list[Records]:
        """The records, in the format that stands in the file."""
        head = self._first_lines(50)
        if not head:
            return [Records("line", iter(()), "an empty file")]
        first, suffix = head[0], self.content.suffix
        if first[0] in "{[":
            return self._json_or_lines(head, fields, lines=suffix in (".jsonl", ".ndjson"))
        named = tables.separator_line(first)
        if named is not None:
            return [self._table(named, skip=first)]
        table = suffix not in (".json", ".jsonl", ".ndjson")
        if table or not any(line[0] in "{[" for line in head):
            separator = tables.separator_of(first, suffix)
            if table or separator in first:
                return [self._table(separator)]
        if suffix == ".json" and not any(_is_object(line) for line in head):
            return self._whole(fields)
        return [self._lines_of_json()]

    def _table(self, separator: str, *, skip: str | None = None) -> Records:
        lines = self._lines()
        if skip is not None:
            lines = itertools.dropwhile(lambda item: item[1].strip() != skip, lines)
            lines = itertools.islice(lines, 1, None)
        rows = tables.rows_of(lines, separator, self._note)
        return Records("line", rows, "TSV" if separator == "\t" else "CSV")

    def _lines_of_json(self) -> Records:
        return Records("line", self._json_lines(), "JSON lines")

    def _json_or_lines(self, head: list[str], fields: Collection[str], *, lines: bool) -> list[Records]:
        """JSON lines where the first line is a whole value and others follow, else one JSON value."""
        if len(head) > 1 and _parses(head[0]):
            return [self._lines_of_json()]
        broken_lines = head[0][0] == "{" and any(_is_object(line) for line in head[1:])
        if (lines or broken_lines) and not _parses(self._everything()):
            return [self._lines_of_json()]
        return self._whole(fields)

    def _whole(self, fields: Collection[str]) -> list[Records]:
        """One JSON value: a list of records, an object that holds some, or a single record."""
        text = self._everything()
        start = len(text) - len(text.lstrip())
        if text[start : start + 1] == "[":
            one_line = "\n" not in text.strip()  # where lines say nothing, records are counted
            rows = self._elements(text, start + 1)
            rows = enumerate((value for _, value in rows), start=1) if one_line else rows
            return [Records("record" if one_line else "line", rows, "a JSON list")]
        value = self._parse(text)
        if isinstance(value, dict):
            return [
                Records("record", iter(enumerate(held, start=1)), "a JSON object", part)
                for part, held in parts_of(value, fields)
            ]
        if value is not _UNPARSED:
            self._note(_FORMAT_FIX, "line 1", f"{describe(value)}, not a list of objects")
        return [Records("record", iter(()), "JSON")]

    def _elements(self, text: str, position: int) -> Numbered:
        """The elements of a JSON list, each with the line that it begins in."""
        decode = json.JSONDecoder().raw_decode
        line, counted, expect_more = 1, 0, False
        while True:
            position = _behind_space(text, position)
            line, counted = line + text.count("\n", counted, position), position
            if text[position : position + 1] == "]" and not expect_more:
                break
            try:
                value, position = decode(text, position)
            except (ValueError, RecursionError) as error:
                self._note(_LIST_FIX, f"line {line}", _json_fault(text[position:], error, shift=position))
                return
            yield line, value
            position = _behind_space(text, position)
            expect_more = text[position : position + 1] == ","
            if not expect_more:
                break
            position += 1
        self._expect_end(text, position, line + text.count("\n", counted, position))

    def _expect_end(self, text: str, position: int, line: int) -> None:
        """A list must end with its bracket, and the file with the list."""
        place = f"line {line}"
        if text[position : position + 1] != "]":
            found = text[position : position + 80]
            what = shorten(found) if found else "the end of the file (is it cut off?)"
            self._note(_LIST_FIX, place, f"{what} where the list should go on with ',' or end with ']'")
        elif rest := text[position + 1 :].strip():
            self._note(_LIST_FIX, place, f"{shorten(rest)} after the end of the list")

    def _json_lines(self) -> Numbered:
        for number, line in self._lines():
            if line.isspace():
                continue
            value = self._parse(line, number)
            if value is not _UNPARSED:
                yield number, value

    def _parse(self, text: str, line: int = 1) -> Any:
        """The value of a text that begins in ``line``; `_UNPARSED` where it is no JSON, which is noted."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            line += error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0
            self._note(_JSON_FIX, f"line {line}", _json_fault(text, error))
            return _UNPARSED

    def _everything(self) -> str:
        return "".join(line for _, line in self._lines())

    def _first_lines(self, count: int) -> list[str]:
        """The first lines that are not blank, stripped; faults in them are noted when they are read."""
        with self._open() as handle:
            lines = (line.strip() for line in handle)
            return list(itertools.islice((line for line in lines if line), count))

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Every line with its number and its line end; a byte that is no text is noted once a line."""
        with self._open() as handle:
            for number, line in enumerate(handle, start=1):
                if not line.isascii() and (bad := _BAD_BYTE.search(line)):
                    self._note_byte(number, line, bad.start())
                    line = _BAD_BYTE.sub("\ufffd", line)
                yield number, line

    def _note_byte(self, number: int, line: str, position: int) -> None:
        if number in self._bad_lines:  # a file may be read twice to find out its format
            return
        self._bad_lines.add(number)
        near, byte = line[max(0, position - 15) : position], ord(line[position]) - 0xDC00
        known = self.encoding.removesuffix("-sig").upper()
        self._note(
            "save the file as UTF-8, or name its encoding, for example --encoding cp1252",
            f"line {number}",
            f"byte 0x{byte:02x} at column {position + 1}, after {shorten(near)}, is no {known}",
        )

    def _open(self) -> TextIO:
        return io.TextIOWrapper(
            self.content.open(), encoding=self.encoding, errors="surrogateescape", newline=""
        )

    def _note(self, fix: str, place: str, found: str) -> None:
        self.problems.add(self.prefix + place, found, fix=fix)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Explain what the encoding cannot decode at all: UTF-16 that is cut in half, for example."""
        try:
            with readable(self.content.path):
                yield
        except UnicodeError as error:
            raise DataError(
                expected=f"text in {self.encoding}",
                found=str(error),
                where=str(self.content.path),
                fix="save the file as UTF-8, or name its encoding with --encoding",
            ) from error

    def guard(self, rows: Numbered) -> Numbered:
        """The rows, with `faults` around the reading that goes on as they are asked for."""
        with self.faults():
            yield from rows


class _Unparsed:
    """Stands for a value that could not be parsed, since null is a value."""


_UNPARSED = _Unparsed()


def _behind_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return position if found is None else found.end()


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_object(text: str) -> bool:
    return text[0] == "{" and _parses(text)


def _json_fault(text: str, error: Exception, *, shift: int = 0) -> str:
    """Why a text is no JSON, and what stands there; ``shift`` is where the text begins in the file."""
    if isinstance(error, RecursionError):
        return "JSON nested too deeply to be read"
    if isinstance(error, json.JSONDecodeError):
        place = error.pos - shift
        near = text if len(text) <= 80 else text[max(0, place - 30) : place + 30]
        return f"no JSON: {shorten(near.strip(), 80)} ({error.msg}, column {error.colno})"
    return f"no JSON that can be read: {shorten(text.strip())} ({str(error)[:80]})"
