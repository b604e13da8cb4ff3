"""Everything wrong with a file, collected and told at once, with the place of each problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from demur.core.errors import DataError

SHOWN = 20
"""So many problems are listed; the rest is only counted."""

_INDENT = "\n          "
_SURROGATE = re.compile("[\ud800-\udfff]")


class Problems:
    """The problems of one dataset.

    Args:
        where: the file or folder that the user named.
        expected: what would have been right, as a sentence.
    """

    def __init__(self, where: Path, *, expected: str) -> None:
        self.where, self.expected = where, expected
        self.count = 0
        self._shown: list[str] = []
        self._fixes: dict[str, None] = {}

    def add(self, place: str, found: str, *, fix: str) -> None:
        """Note one problem: where it stands, what was found there, and what to do about it."""
        self.count += 1
        if len(self._shown) < SHOWN:
            self._shown.append(f"{place}: {found}" if place else found)
            self._fixes[fix] = None

    def raise_any(self) -> None:
        """Stop with all of them.

        Raises:
            DataError: if there is at least one.
        """
        if self.count:
            raise DataError(
                expected=self.expected,
                found=_INDENT.join(self._found()),
                where=str(self.where),
                fix="; ".join(self._fixes),
            )

    def _found(self) -> list[str]:
        if self.count == 1:
            return self._shown
        rest = self.count - len(self._shown)
        more = [f"… and {rest:,} more"] if rest else []
        return [f"{self.count:,} problems", *self._shown, *more]


def shorten(text: str, length: int = 60) -> str:
    """A text in quotes on one line, cut where it is long; control characters are spelled out."""
    return repr(text if len(text) <= length else text[: length - 1] + "…")


def describe(value: object) -> str:
    """A value as it reads in a message: its kind, and the value itself where it is short."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return shorten(value)
    if isinstance(value, bool | int | float):
        return f"the {'truth value' if isinstance(value, bool) else 'number'} {str(value).lower()[:40]}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def names(fields: Sequence[str], shown: int = 12) -> str:
    """Field names for a message, as they stand in the file."""
    listed = [shorten(str(name), 40) for name in fields[:shown]]
    more = [f"… ({len(fields)} in all)"] if len(fields) > shown else []
    return ", ".join(listed + more) or "none"


def half_character(*texts: str | None) -> str | None:
    """The first text that holds half a character, which no file can be written with; None without one."""
    return next((text for text in texts if text and not text.isascii() and _SURROGATE.search(text)), None)


def text_fault(value: object) -> str | None:
    """Why a value cannot be a question's or an answer's text; None where it can."""
    if not isinstance(value, str):
        return f"{describe(value)}, not a text"
    if not value.isascii() and _SURROGATE.search(value):
        return f"half a character (a lone surrogate) in {shorten(value)}"
    return None if value.strip() else "empty"
