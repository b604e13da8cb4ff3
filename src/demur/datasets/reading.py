"""Files into records: JSON lines, JSON, CSV, TSV and Parquet, told apart by content, not by extension.

A record is any JSON value with the number of the line, record or row where it stands. Nothing here
knows what a question is. Every fault becomes a problem with its place; no other exception leaves.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from demur.core.errors import ConfigError, DataError
from demur.datasets.problems import Problems, describe, names, shorten

FORMATS = "JSON lines, JSON, CSV, TSV or Parquet"
SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"})
"""What counts as a question file in a folder."""

CONTAINERS = ("data", "questions", "examples", "example", "rows", "items", "records", "instances")
"""Where a JSON object keeps its list of records; otherwise in its only list of objects."""

_HEAD = 1 << 16
_FORMAT_FIX = f"save the questions as {FORMATS}"
_JSON_FIX = "write every record as one JSON object"
_LIST_FIX = "correct the JSON at that place; if the file is cut off, copy or write it again"
_TABLE_FIX = "close every quote, double the quotes inside a quoted cell, and give each column its own name"
_CELLS_FIX = "give every row as many cells as the first row has; quote cells that hold a comma"
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # how a byte that cannot be decoded reads afterwards

_BINARY = {
    b"\x1f\x8b": "gzip-compressed data",
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\x28\xb5\x2f\xfd": "zstandard-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
    b"ARROW1": "an Arrow file",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x02": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins like the UTF-16 mark, so it is looked for first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

Numbered = Iterator[tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one file, read as they are asked for."""

    unit: str
    """What the numbers count: ``line``, ``record`` or ``row``, each from 1."""
    rows: Numbered
    kind: str
    """The format that was found."""


def open_records(
    path: Path, problems: Problems, *, label: str = "", encoding: str | None = None
) -> Records:
    """Find out what a file is and read its records.

    Args:
        path: an existing file.
        problems: gets every record that cannot be read; the others are still given.
        label: what the file is called in the problems' places; empty where it is the only one.
        encoding: of its text; None for UTF-8 or what its byte order mark says.

    Raises:
        DataError: the file is missing, unreadable, or of no kind that is read here.
        ConfigError: there is no such encoding.
    """
    head = _head(path)
    if head.startswith(b"PAR1"):
        return Records("row", _parquet(path), "Parquet")
    _refuse_binary(path, head, encoding)
    source = _Text(path, problems, f"{label} " if label else "", _encoding(head, encoding))
    with source.faults():
        found = source.records()
    return Records(found.unit, source.guard(found.rows), found.kind)


def list_folder(path: Path) -> list[Path] | None:
    """The files of a folder, hidden ones left out; None where ``path`` is no folder.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path):
        if not path.is_dir():
            return None
        return [entry for entry in path.iterdir() if entry.is_file() and entry.name[0] not in "._"]


def _head(path: Path) -> bytes:
    with _readable(path):
        if not path.is_file():
            raise _not_a_file(path)
        with path.open("rb") as handle:
            return handle.read(_HEAD)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Explain what the system says where a path cannot be read."""
    try:
        yield
    except OSError as error:
        raise DataError(
            expected="a file or folder that can be read",
            found=error.strerror or str(error),
            where=str(path),
            fix="check the path and its permissions",
        ) from error


def _not_a_file(path: Path) -> DataError:
    import difflib

    found = "no file or folder of that name"
    if path.exists():
        found = "a folder" if path.is_dir() else "neither a file nor a folder"
    near: list[str] = []
    if not path.exists() and path.parent.is_dir():
        near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    fix = f"did you mean {str(path.parent / near[0])!r}?" if near else "check the path (--data.path)"
    return DataError(expected=f"a question file ({FORMATS})", found=found, where=str(path), fix=fix)


def _refuse_binary(path: Path, head: bytes, encoding: str | None) -> None:
    """Stop at what is no text: compressed files, archives, images, text in UTF-16 without a mark."""
    known = next((kind for start, kind in _BINARY.items() if head.startswith(start)), None)
    fix = f"unpack or export it first, as {FORMATS}"
    marked = any(head.startswith(mark) for mark in _MARKS)
    if known is None and b"\0" in head and not marked and encoding is None:
        known = f"binary data (a zero byte at offset {head.index(0)})"
        if max(head[0::2].count(0), head[1::2].count(0)) > len(head) / 5:
            fix = f"if it is text in UTF-16, add --data.encoding utf-16-{'be' if head[0] == 0 else 'le'}"
    if known:
        raise DataError(expected=f"a question file ({FORMATS})", found=known, where=str(path), fix=fix)


def _encoding(head: bytes, encoding: str | None) -> str:
    if encoding is None:
        return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8-sig")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # refuses codecs that are not of text
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise ConfigError(
            expected="the name of a text encoding, such as utf-8, cp1252, gb18030 or utf-16",
            found=shorten(encoding),
            where="--data.encoding",
            fix="leave it out for UTF-8, or take a name from Python's list of standard encodings",
        ) from error
    return "utf-8-sig" if name == "utf-8" else name


class _Text:
    """A text file whose format is still to be found out."""

    def __init__(self, path: Path, problems: Problems, prefix: str, encoding: str) -> None:
        self.path, self.problems, self.prefix, self.encoding = path, problems, prefix, encoding
        self._bad_lines: set[int] = set()

    def records(self) -> Records:
        """Choose the format by what stands in the file."""
        head = self._first_lines(50)
        if not head:
            return Records("line", iter(()), "an empty file")
        first, suffix = head[0], self.path.suffix.lower()
        if first[0] in "{[":
            return self._json_or_lines(head, lines=suffix in (".jsonl", ".ndjson"))
        table = suffix not in (".json", ".jsonl", ".ndjson")
        if table or not any(line[0] in "{[" for line in head):
            delimiter = _delimiter(first, suffix)
            if table or delimiter in first:
                return Records("line", self._table(delimiter), "TSV" if delimiter == "\t" else "CSV")
        if suffix == ".json" and not any(_is_object(line) for line in head):
            return self._whole()
        return Records("line", self._json_lines(), "JSON lines")

    def _json_or_lines(self, head: list[str], *, lines: bool) -> Records:
        """JSON lines where the first line is a whole value and others follow, else one JSON value."""
        if len(head) > 1 and _parses(head[0]):
            return Records("line", self._json_lines(), "JSON lines")
        broken_lines = head[0][0] == "{" and any(_is_object(line) for line in head[1:])
        if (lines or broken_lines) and not _parses(self._everything()):
            return Records("line", self._json_lines(), "JSON lines")
        return self._whole()

    def _whole(self) -> Records:
        """One JSON value: a list of records, an object that holds one, or a single record."""
        text = self._everything()
        start = len(text) - len(text.lstrip())
        if text[start : start + 1] == "[":
            one_line = "\n" not in text.strip()  # where lines say nothing, records are counted
            rows = self._elements(text, start + 1)
            rows = enumerate((value for _, value in rows), start=1) if one_line else rows
            return Records("record" if one_line else "line", rows, "a JSON list")
        value = self._parse(text)
        if isinstance(value, dict):
            key = _container(value)
            records = [value] if key is None else value[key]
            return Records("record", enumerate(records, start=1), "a JSON object")
        if value is not _UNPARSED:
            self._note(_FORMAT_FIX, "line 1", f"{describe(value)}, not a list of objects")
        return Records("record", iter(()), "JSON")

    def _elements(self, text: str, position: int) -> Numbered:
        """The elements of a JSON list, each with the line that it begins in."""
        decode = json.JSONDecoder().raw_decode
        space = re.compile(r"[ \t\r\n]*")
        line, counted, expect_more = 1, 0, False
        while True:
            position = space.match(text, position).end()  # type: ignore[union-attr]  # matches anything
            line, counted = line + text.count("\n", counted, position), position
            if text[position : position + 1] == "]" and not expect_more:
                break
            try:
                value, position = decode(text, position)
            except (ValueError, RecursionError) as error:
                self._note(_LIST_FIX, f"line {line}", _json_fault(text[position:], error, shift=position))
                return
            yield line, value
            position = space.match(text, position).end()  # type: ignore[union-attr]
            expect_more = text[position : position + 1] == ","
            if not expect_more:
                break
            position += 1
        self._expect_end(text, position, line + text.count("\n", counted, position))

    def _expect_end(self, text: str, position: int, line: int) -> None:
        """A list must end with its bracket, and the file with the list."""
        if text[position : position + 1] != "]":
            found = text[position : position + 80]
            what = shorten(found) if found else "the end of the file (is it cut off?)"
            self._note(
                _LIST_FIX, f"line {line}", f"{what} where the list should go on with ',' or end with ']'"
            )
        elif text[position + 1 :].strip():
            self._note(
                _LIST_FIX,
                f"line {line}",
                f"{shorten(text[position + 1 :].strip())} after the end of the list",
            )

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
            self.problems.add(f"{self.prefix}line {line}", _json_fault(text, error), fix=_JSON_FIX)
            return _UNPARSED

    def _table(self, delimiter: str) -> Numbered:
        """The rows of a CSV file as objects, by the names in its first row."""
        with _long_fields():
            reader = csv.reader(
                (line for _, line in self._lines()), delimiter=delimiter, strict=True, skipinitialspace=True
            )
            header: list[str] = []
            start = 1
            try:
                for row in reader:
                    place, start = start, reader.line_num + 1
                    if not header:
                        header = self._header(row)
                    elif any(cell.strip() for cell in row):
                        yield from self._cells(header, row, place)
            except csv.Error as error:
                self._note(
                    _TABLE_FIX, f"line {start}", f"{error} (a quote that is not closed, or stands alone?)"
                )

    def _header(self, row: list[str]) -> list[str]:
        header = [name.strip() for name in row]
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            self._note(_TABLE_FIX, "line 1", f"columns of the same name: {names(twice)}")
        return header

    def _cells(self, header: list[str], row: list[str], place: int) -> Numbered:
        if len(row) != len(header):
            self._note(
                _CELLS_FIX, f"line {place}", f"{len(row)} cells where the first row has {len(header)}"
            )
            return
        yield place, dict(zip(header, row, strict=True))

    def _everything(self) -> str:
        return "".join(line for _, line in self._lines())

    def _first_lines(self, count: int) -> list[str]:
        """The first lines that are not blank, stripped; faults in them are noted when they are read."""
        with self._open() as handle:
            lines = (line.strip() for line in handle)
            return list(itertools.islice((line for line in lines if line), count))

    def _lines(self) -> Numbered:
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
        self.problems.add(
            f"{self.prefix}line {number}",
            f"byte 0x{byte:02x} at column {position + 1}, after {shorten(near)}, is no {known}",
            fix="save the file as UTF-8, or name its encoding, for example --data.encoding cp1252",
        )

    def _open(self) -> TextIO:
        return self.path.open(encoding=self.encoding, errors="surrogateescape", newline="")

    def _note(self, fix: str, place: str, found: str) -> None:
        self.problems.add(self.prefix + place, found, fix=fix)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Explain what the encoding cannot decode at all: UTF-16 that is cut in half, for example."""
        try:
            with _readable(self.path):
                yield
        except UnicodeError as error:
            raise DataError(
                expected=f"text in {self.encoding}",
                found=str(error),
                where=str(self.path),
                fix="save the file as UTF-8, or name its encoding with --data.encoding",
            ) from error

    def guard(self, rows: Numbered) -> Numbered:
        """The rows, with `faults` around the reading that goes on as they are asked for."""
        with self.faults():
            yield from rows


def _parquet(path: Path) -> Numbered:
    """The rows of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=10_000):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
        raise DataError(
            expected="a whole Parquet file",
            found=f"after {number:,} rows: {' '.join(str(error).split())[:200]}",
            where=str(path),
            fix="the file is cut off or damaged: copy or export it again",
        ) from error


class _Unparsed:
    """Stands for a value that could not be parsed, since null is a value."""


_UNPARSED = _Unparsed()


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


def _container(value: dict[str, Any]) -> str | None:
    """The key of an object's list of records; None where the object is itself one record."""
    lists = [key for key, held in value.items() if isinstance(held, list) and _holds_objects(held)]
    named = [key for key in lists if key.lower() in CONTAINERS]
    return named[0] if named else lists[0] if len(lists) == 1 else None


def _holds_objects(values: Iterable[Any]) -> bool:
    return any(isinstance(value, dict) for value in values)


def _delimiter(line: str, suffix: str) -> str:
    """The separator that the first line holds most of; a comma where it holds none."""
    if suffix == ".tsv" and "\t" in line:
        return "\t"
    count: Callable[[str], int] = line.count
    return max(",\t;|", key=count)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let a CSV cell be longer than 128 kB: passages are. The limit is the module's, so it is put back."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)
