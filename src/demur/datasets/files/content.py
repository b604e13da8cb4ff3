"""The bytes of a file or of a text that was sent: what kind of data they are, and in which encoding."""

from __future__ import annotations

import codecs
import difflib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from demur.core.errors import ConfigError, DataError
from demur.datasets.problems import shorten

FORMATS = "JSON lines, JSON, CSV, TSV, Parquet or Arrow"
SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"})
"""What counts as a question file in a folder."""

HEAD = 1 << 16
"""Bytes that are looked at to tell what a file is."""
_STREAM = b"\xff\xff\xff\xff"  # how an Arrow stream begins
_BINARY = {
    b"\x1f\x8b": "gzip-compressed data",
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\x28\xb5\x2f\xfd": "zstandard-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
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


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or bytes that stand for one."""

    path: Path
    """The file; of bytes, the name that messages give them."""
    data: bytes | None = None

    @property
    def suffix(self) -> str:
        """The end of the name, in small letters."""
        return self.path.suffix.lower()

    def open(self) -> IO[bytes]:
        """The bytes, from their beginning."""
        return self.path.open("rb") if self.data is None else io.BytesIO(self.data)

    def head(self) -> bytes:
        """The first bytes.

        Raises:
            DataError: there is no such file, or it cannot be read.
        """
        with readable(self.path):
            if self.data is None and not self.path.is_file():
                raise _not_a_file(self.path)
            with self.open() as handle:
                return handle.read(HEAD)


@contextmanager
def readable(path: Path) -> Iterator[None]:
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
    found = "no file or folder of that name"
    if path.exists():
        found = "a folder" if path.is_dir() else "neither a file nor a folder"
    near: list[str] = []
    if not path.exists() and path.parent.is_dir():
        near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    fix = f"did you mean {str(path.parent / near[0])!r}?" if near else "check the path"
    return DataError(expected=f"a question file ({FORMATS})", found=found, where=str(path), fix=fix)


def columnar_kind(head: bytes) -> str | None:
    """``Parquet`` or ``Arrow`` where a file begins like one; None for anything else."""
    if head.startswith(b"PAR1"):
        return "Parquet"
    return "Arrow" if head.startswith((b"ARROW1", _STREAM)) else None


def refuse_binary(content: Content, head: bytes, encoding: str | None) -> None:
    """Stop at what is no text: compressed files, archives, images, text in UTF-16 without a mark.

    Raises:
        DataError: it is no text.
    """
    known = next((kind for start, kind in _BINARY.items() if head.startswith(start)), None)
    fix = f"unpack or export it first, as {FORMATS}"
    marked = any(head.startswith(mark) for mark in _MARKS)
    if known is None and b"\0" in head and not marked and encoding is None:
        known = f"binary data (a zero byte at offset {head.index(0)})"
        if max(head[0::2].count(0), head[1::2].count(0)) > len(head) / 5:
            fix = f"if it is text in UTF-16, add --encoding utf-16-{'be' if head[0] == 0 else 'le'}"
    if known:
        raise DataError(
            expected=f"a question file ({FORMATS})", found=known, where=str(content.path), fix=fix
        )


def encoding_of(head: bytes, encoding: str | None) -> str:
    """The encoding of a text: the given one, or what its byte order mark says, or UTF-8.

    Raises:
        ConfigError: there is no such encoding.
    """
    if encoding is None:
        return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8-sig")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # refuses codecs that are not of text
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise ConfigError(
            expected="the name of a text encoding, such as utf-8, cp1252, gb18030 or utf-16",
            found=shorten(encoding),
            where="--encoding",
            fix="leave it out for UTF-8, or take a name from Python's list of standard encodings",
        ) from error
    return "utf-8-sig" if name == "utf-8" else name
