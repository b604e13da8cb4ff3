"""Options in fields of their own: MedMCQA (``opa`` … ``opd`` and ``cop``), Social IQa (``answerA`` …
``answerC`` and ``label``), and tables with columns A, B, C, D.

MedMCQA's ``cop`` is a number: from 0 on the Hub, from 1 as first released. It is counted from 1 where a 4
is among the first rows, else from 0. Social IQa's ``label`` counts from 1. Sources: arXiv
2203.14371 (MedMCQA), 1904.09728 (Social IQa).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.templates import LETTERS
from demur.datasets.fields import GUESSES, guess, plain_name, question_field
from demur.datasets.layouts.base import Layout, Row, Wanted, fields_of, most, objects
from demur.datasets.values import is_nothing

_MED = ("opa", "opb", "opc", "opd", "ope")
_SOCIAL = ("answera", "answerb", "answerc")
_COLUMNS = (
    _MED,
    _SOCIAL,
    ("a", "b", "c", "d", "e"),
    tuple(f"option_{letter}" for letter in "abcde"),
    tuple(f"option{letter}" for letter in "abcde"),
    tuple(f"choice_{letter}" for letter in "abcde"),
)
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows with an option in each of some fields.

    Args:
        options: these fields.
        cop: MedMCQA's field of the right one; None where answers stand in a field of their own.
        start: what it counts from.
        answers: the field that the right option's text is written to.
    """

    options: tuple[str, ...]
    cop: str | None
    start: int
    answers: str

    @property
    def note(self) -> str:
        """What was understood."""
        counted = f"; {self.cop!r} counts from {self.start}" if self.cop else ""
        return f"read as options in the fields {', '.join(self.options)}{counted}"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its options as a list, and the right one's text."""
        if not isinstance(value, dict) or self.options[0] not in value:
            return (value,)
        options = [value.get(name) for name in self.options]
        while options and (is_nothing(options[-1]) or options[-1] == ""):
            options.pop()
        right = {} if self.cop is None else {self.answers: _right(value.get(self.cop), options, self.start)}
        return ({**value, "choices": options, **right},)


def _right(value: Any, options: Sequence[Any], start: int) -> Any:
    """The option that a number or a letter means; the value itself where it means none."""
    place = _place(value)
    if place is None:
        letter = str(value).strip().upper()
        return (
            options[LETTERS.index(letter)]
            if len(letter) == 1 and letter in LETTERS[: len(options)]
            else value
        )
    place -= start
    if place == -1:  # the test part's "no answer is given"
        return None
    return options[place] if 0 <= place < len(options) else f"{value} (counted from {start})"


def _place(value: Any) -> int | None:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 4 else None


def _find(first: Sequence[Any], wanted: Wanted) -> Columns | None:
    given, rows = wanted.options.fields, objects(first)
    names = {plain_name(name): name for name in reversed(fields_of(rows))}
    if (
        "choices" in given
        or guess(names, GUESSES["choices"])
        or question_field(names, wanted.options) is None
    ):
        return None
    for columns in _COLUMNS:
        present = _leading(columns, names)
        if len(present) >= _LEAST and most(rows, frozenset(present).issubset):
            key = {_MED: "cop", _SOCIAL: "label"}.get(columns)
            return _columns(rows, names, present, given.get("answers"), key=key)
    return None


def _leading(columns: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """The fields of the first options, up to the first that is missing."""
    return tuple(names[name] for name in itertools.takewhile(names.__contains__, columns))


def _columns(
    rows: Sequence[Row],
    names: dict[str, str],
    present: tuple[str, ...],
    answers: str | None,
    *,
    key: str | None,
) -> Columns | None:
    cop = names.get(key) if key and answers in (None, names.get(key)) else None
    if cop is None and answers is None and guess(set(names) - {"a"}, GUESSES["answers"]) is None:
        return None
    start = int(key == "label" or any(_place(row.get(cop)) == len(present) for row in rows)) if cop else 0
    return Columns(present, cop, start, answers or "answers")


LAYOUT = Layout(
    name="option-columns", title="an option in each of several fields (MedMCQA; A, B, C, D)", find=_find
)
