"""CSV, TSV and other separators: rows as objects, by the names in the first row."""

from __future__ import annotations

import ast
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from demur.datasets.problems import names

Note = Callable[[str, str, str], None]
"""Takes what to do, the place, and what was found there."""

SEPARATORS = ",\t;|"
_SEP_LINE = re.compile(r"\ufeff?\"?sep ?= ?(.?)\"?\s*", re.IGNORECASE)
_TABLE_FIX = "close every quote, double the quotes inside a quoted cell, and give each column its own name"
_CELLS_FIX = "give every row as many cells as the first row has; quote cells that hold a comma"
_ARRAY = re.compile(r"\barray\((\[[^\[\]]*\])(?:,\s*dtype=[\w.]+)?\)")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMPY = re.compile(rf"\[(?:{_QUOTED.pattern})(?:\s+(?:{_QUOTED.pattern}))+\]")
_LONGEST_CELL = 1_000_000
"""Characters of a cell that are read as a list or an object."""


def separator_line(line: str) -> str | None:
    """The separator that a first line ``sep=;``, as Excel writes it, names; None for any other line.

    Args:
        line: without the space around it, so that nothing stands where a tab stood.
    """
    found = _SEP_LINE.fullmatch(line)
    return (found[1] or "\t") if found else None


def separator_of(line: str, suffix: str) -> str:
    """The separator that a line of names holds most of; a comma where it holds none."""
    if suffix == ".tsv" and "\t" in line:
        return "\t"
    count: Callable[[str], int] = line.count
    return max(SEPARATORS, key=count)


def rows_of(lines: Iterable[tuple[int, str]], separator: str, note: Note) -> Iterator[tuple[int, Any]]:
    """The rows below the names, each with the line that it begins in.

    Args:
        lines: with their numbers; the first that is not blank holds the names.
        note: told of every row that is none.
    """
    place = _Place()
    with _long_fields():
        reader = csv.reader(place.counted(lines), delimiter=separator, strict=True, skipinitialspace=True)
        header: list[str] = []
        try:
            for row in reader:
                start = place.begin()
                if not header:
                    header = _header(row, note, start) if any(cell.strip() for cell in row) else []
                elif any(cell.strip() for cell in row):
                    yield from _cells(header, row, start, note)
        except csv.Error as error:
            found = f"{error} (a quote that is not closed, or stands alone?)"
            note(_TABLE_FIX, f"line {place.start}", found)


class _Place:
    """Where the row that is read next begins: a cell may hold line ends."""

    def __init__(self) -> None:
        self.start = self._last = 1
        self._fresh = True

    def counted(self, lines: Iterable[tuple[int, str]]) -> Iterator[str]:
        for number, line in lines:
            if self._fresh:
                self.start, self._fresh = number, False
            self._last = number
            yield line

    def begin(self) -> int:
        start, self.start, self._fresh = self.start, self._last + 1, True
        return start


def _header(row: list[str], note: Note, place: int) -> list[str]:
    header = [name.strip() for name in row]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        note(_TABLE_FIX, f"line {place}", f"columns of the same name: {names(twice)}")
    return header


def _cells(header: list[str], row: list[str], place: int, note: Note) -> Iterator[tuple[int, Any]]:
    if len(row) == len(header):
        yield place, dict(zip(header, row, strict=True))
    else:
        note(_CELLS_FIX, f"line {place}", f"{len(row)} cells where the first row has {len(header)}")


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let a CSV cell be longer than 128 kB: passages are. The limit is the module's, so it is put back."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def value_in(cell: str) -> Any:
    """The list or object that a cell holds: JSON, or as Python and pandas print it; else the text."""
    text = cell.strip()
    if not text.startswith(("{", "[", "('", '("', "array([")) or len(text) > _LONGEST_CELL:
        return cell
    for parse in (json.loads, _printed, _printed_arrays, _printed_by_numpy):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | dict):
            return value
    return cell


def _printed(text: str) -> Any:
    """What Python prints of a list or an object.

    "['a' 'b']", as NumPy prints it, is a list of one for Python: only a faithful print counts.
    """
    value = ast.literal_eval(text)
    if isinstance(value, tuple) or (
        isinstance(value, set) and all(isinstance(item, str) for item in value)
    ):
        return sorted(value) if isinstance(value, set) else list(value)
    if isinstance(value, list) and repr(value) != text and _spaceless(repr(value)) != _spaceless(text):
        raise ValueError("not as Python prints it")
    return value


def _spaceless(text: str) -> str:
    return re.sub(r",\s+", ",", text)


def _printed_arrays(text: str) -> Any:
    """An object whose lists are printed as ``array([…], dtype=object)``."""
    if "array(" not in text:
        raise ValueError("no array")
    return ast.literal_eval(_ARRAY.sub(r"\1", text))


def _printed_by_numpy(text: str) -> list[str]:
    """What NumPy prints of a list of texts, without commas: ``['a' 'b']``."""
    if not _NUMPY.fullmatch(text):
        raise ValueError("not as NumPy prints it")
    return [ast.literal_eval(item[0]) for item in _QUOTED.finditer(text)]
