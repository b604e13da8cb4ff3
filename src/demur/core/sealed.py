"""Sealed files: questions that nobody reads until a final test, with a record of every opening.

A sealed file is written in base64, so that no reader or search meets its questions by accident. It is not
encrypted. The record beside it says when it was opened.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from pathlib import Path

from demur.core.errors import DataError
from demur.core.files import write_text
from demur.core.version import __version__

SUFFIX = ".sealed"
RECORD = "opened.txt"
"""The record of openings in the folder of a sealed file: a time and a version of Demur a line."""

OPENED = "the sealed part was opened"
"""How a note on an opening begins; the report shows such notes."""


def seal(path: Path, text: str) -> None:
    """Write a text as a sealed file."""
    write_text(path, base64.encodebytes(text.encode()).decode("ascii"))


def unseal(path: Path) -> str:
    """The text of a sealed file; the opening is recorded first.

    Raises:
        DataError: it cannot be recorded, or the file is damaged.
    """
    _record(path.parent)
    try:
        return base64.b64decode(path.read_bytes(), validate=False).decode()
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise DataError(
            expected="a sealed file",
            found=str(error),
            where=str(path),
            fix="build the folder again",
        ) from error


def openings(folder: Path) -> list[str]:
    """Every opening of the folder's sealed file, the first one first."""
    record = folder / RECORD
    return record.read_text(encoding="utf-8").splitlines() if record.exists() else []


def _record(folder: Path) -> None:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        write_text(folder / RECORD, "\n".join([*openings(folder), f"{now}, Demur {__version__}"]) + "\n")
    except OSError as error:
        raise DataError(
            expected=f"a folder in which {RECORD} can be written: every opening is recorded",
            found=str(error),
            where=str(folder),
            fix="copy the folder to where it can be written",
        ) from error
