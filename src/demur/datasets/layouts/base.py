"""What a layout is, and what the layouts share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from demur.datasets.options import Purpose, ReadOptions

MOST = 0.9
"""So large a share of the first rows must have a layout; the others are told as problems."""
VERDICT = "\0verdict"
"""The field of a row that was judged elsewhere: no file has one of this name."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What rows are read for, and how."""

    options: ReadOptions
    purpose: Purpose


class Conversion(Protocol):
    """A layout as it was found in a file. It can be sent to other processes."""

    @property
    def note(self) -> str:
        """What was understood, a sentence."""
        ...

    def rows(self, value: Any) -> Iterable[Any]:
        """The plain rows that a record makes; the record itself where it has not this layout."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One layout."""

    name: str
    title: str
    """In words, as a noun phrase."""
    find: Callable[[Sequence[Any], Wanted], Conversion | None]
    """Looks for it in the first rows."""


def objects(first: Sequence[Any]) -> list[Row]:
    """The rows that are objects."""
    return [row for row in first if isinstance(row, dict)]


def most(rows: Sequence[Any], fits: Callable[[Any], bool]) -> bool:
    """Whether all rows fit, but for a few that may be broken."""
    return bool(rows) and sum(map(fits, rows)) >= MOST * len(rows)


def fields_of(rows: Sequence[Row]) -> list[str]:
    """The names of all fields, in the order in which they are met."""
    return list(dict.fromkeys(name for row in rows for name in row))


def texts_in(value: Any) -> Iterator[str]:
    """The texts of a text, of a list of texts, or of objects with a ``text``."""
    for item in value if isinstance(value, list) else [value]:
        text = item.get("text") if isinstance(item, dict) else item
        if isinstance(text, list):
            yield from (part for part in text if isinstance(part, str))
        elif isinstance(text, str):
            yield text
