"""Values of fields: texts, accepted answers, options, truth values, labels; every value is checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, cast

from demur.core.templates import LETTERS
from demur.datasets.fields import RowError, plain_name
from demur.datasets.files.tables import value_in
from demur.datasets.problems import describe, shorten, text_fault

TRUTH = {
    **dict.fromkeys(("true", "yes", "1", "1.0"), True),
    **dict.fromkeys(("false", "no", "0", "0.0"), False),
}
"""Truth values in words and numbers."""
ANSWERABLE = TRUTH | {"answerable": True, "unanswerable": False}
_SAID = {True: ("yes", "true"), False: ("no", "false")}
"""What answers a question whose accepted answer is a truth value."""
_BOOLEAN_CELLS = {"true": True, "false": False}
_LETTERED = re.compile(r"\(?([A-Za-z])[).:](.*)", re.DOTALL)
"""A letter as tests print it: "(B)", "B.", "B) Paris"."""
_LIST_LIKE = re.compile(r"\[\s*['\"].*\]|\{\s*['\"].*\}", re.DOTALL)


def is_number(value: object) -> bool:
    """Whether a value is a finite number, truth values apart."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_nothing(value: object) -> bool:
    """Whether a value is null, or a number that stands for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str:
    """A text without the space around it; a number as it is written, a whole one without a point."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def answers_in(
    value: Any, field: str, options: Sequence[Any], *, table: bool, separator: str | None
) -> tuple[str, ...]:
    """Accepted answers: texts, numbers or truth values, one or a list of them, the preferred first.

    Args:
        options: of a choice question, for which the answers are letters; else none.
        table: whether the value is a table's cell, where a list is written as text.
        separator: divides a text into several answers.

    Raises:
        RowError: there is none, or a value is none of these.
    """
    if isinstance(value, str):
        value = _cell(value) if table else _json_list(value) if _is_plural(field) else value
    listed = value if isinstance(value, list) else [value]
    found = list(chain.from_iterable(_answer(answer, field, separator) for answer in listed))
    if not found:
        fix = "give an answer, or set answerable to false where there is none"
        raise RowError(f"the answer ({field}) is empty", fix)
    if options:
        return tuple(dict.fromkeys(chain.from_iterable(letters(each, options) for each in found)))
    return tuple(dict.fromkeys(map(text_of, found)))


def is_truth(value: Any, *, table: bool) -> bool:
    """Whether an accepted answer is a truth value; in a table's cell, the word for one."""
    word = value.strip().casefold() if table and isinstance(value, str) else ""
    return isinstance(value, bool) or word in _BOOLEAN_CELLS


def _cell(cell: str) -> Any:
    """What a cell of a table holds: a list, a truth value, or text."""
    if cell.strip()[:1] in ("[", "{", "(") or cell.strip().startswith("array("):
        return unpacked(cell)
    return _BOOLEAN_CELLS.get(cell.strip().casefold(), cell)


def unpacked(cell: str) -> Any:
    """The list or object that a table's cell holds, in JSON or as Python prints it; other text as it is.

    Raises:
        RowError: it looks like a list and cannot be read as one.
    """
    value = value_in(cell)
    if value is cell and _LIST_LIKE.fullmatch(cell.strip()):
        fix = 'write a list in a cell as JSON: ["first", "second"]'
        raise RowError(f"{shorten(cell)} looks like a list but cannot be read as one", fix)
    return value


def _is_plural(field: str) -> bool:
    """Whether a field's name says that it holds several answers; a text in ``answer`` stays a text."""
    return plain_name(field).endswith(("s", "list"))


def _json_list(text: str) -> Any:
    """The list of texts that a text holds as JSON, as PopQA has it on the Hub; other text as it is."""
    if not (text[:1] == "[" and text[-1:] == "]" and '"' in text):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else text


def _answer(value: Any, field: str, separator: str | None) -> list[Any]:
    """The answers that one value gives; none where it is empty."""
    if isinstance(value, bool):
        return list(_SAID[value])
    fault = None if is_number(value) else text_fault(value)
    if fault == "empty":
        return []
    if fault:
        fix = "write answers as text, a number, or a list of those"
        raise RowError(f"the answer ({field}) is {fault}", fix)
    if separator and isinstance(value, str):
        return [part for part in value.split(separator) if part.strip()]
    return [value]


def options_in(value: Any, field: str, *, table: bool) -> list[Any]:
    """The options of a choice question as they stand in the file: texts or numbers; none where it has none.

    Raises:
        RowError: they are no options.
    """
    if isinstance(value, str):
        value = _listed(unpacked(value) if table else _json_list(value)) if value.strip() else None
    if isinstance(value, dict):  # {"text": [...]} as hubs have it, or {"A": ..., "B": ...}
        value = value["text"] if isinstance(value.get("text"), list) else list(value.values())
    if value is None or value == []:
        return []
    fix = 'write the options as a list of texts: ["first", "second"]'
    if not isinstance(value, list) or not 2 <= len(value) <= len(LETTERS):
        found = f"the options ({field}) are {describe(value)}"
        raise RowError(found, f"{fix}, at least 2 and at most {len(LETTERS)}")
    for option in value:
        fault = None if is_number(option) else text_fault(option)
        if fault:
            raise RowError(f"an option ({field}) is {fault}", fix)
    return value


def _listed(value: Any) -> Any:
    """Options that stand in one text, with vertical bars between them."""
    return [part.strip() for part in value.split("|")] if isinstance(value, str) and "|" in value else value


def letters(answer: Any, options: Sequence[Any]) -> list[str]:
    """The letters of the options that an answer means: by their text, by letter, or by number from 0.

    A number beside options that are texts may mean either ("2" of "1", "2", "3"): where the two
    differ, it is refused rather than guessed.

    Raises:
        RowError: it means none, or may mean either.
    """
    text = text_of(answer)
    same = [LETTERS[place] for place, option in enumerate(options) if text_of(option) == text]
    number = int(text) if text.isdecimal() and len(text) < 3 else len(options)
    by_number = [LETTERS[number]] if number < len(options) else []
    unclear = not isinstance(answer, str) and not all(map(is_number, options))
    if unclear and same and by_number and same != by_number:
        raise RowError(
            f"the answer {text} may be option {by_number[0]}, counted from 0, or {same[0]}, by its text",
            "give the letter of the option",
        )
    if same:
        return same
    if len(text) == 1 and text.upper() in LETTERS[: len(options)]:
        return [text.upper()]
    if by_number:
        return by_number
    if written := _LETTERED.fullmatch(text):
        place = LETTERS.find(written[1].upper())
        if place < len(options) and written[2].strip() in ("", text_of(options[place])):
            return [LETTERS[place]]
    raise RowError(
        f"the answer {shorten(text)} is none of the {len(options)} options",
        "give the option's text, its letter, or its number counted from 0",
    )


def truth_in(value: Any, field: str, role: str, words: Mapping[str, bool] = TRUTH) -> bool | None:
    """A truth value, also where it is written as a word or a number; None where there is none.

    Raises:
        RowError: it is something else.
    """
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().casefold() if isinstance(value, str | int | float) else ""
    if word in words:
        return words[word]
    raise RowError(f"{role} ({field}) is {describe(value)}", "write true or false")


def passage_in(value: Any, field: str) -> str | None:
    """A passage: text or a list of texts; None where there is none.

    Raises:
        RowError: it is something else.
    """
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "\n".join(value)
    fault = None if value is None or value == "" else text_fault(value)
    if value is None or value == "" or fault == "empty":
        return None
    if fault:
        fix = "write the passage as text or a list of texts, or add --context-field none"
        raise RowError(f"the context ({field}) is {fault}", fix)
    return cast(str, value)


def label_in(value: Any, field: str, role: str) -> str | None:
    """A short text or whole number: an id, a split, a domain, a group; None where there is none.

    Raises:
        RowError: it is something else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if fault := text_fault(value):
        fix = f"write it as text or a whole number, or add --{role}-field none"
        raise RowError(f"the {role} ({field}) is {fault}", fix)
    return cast(str, value).strip()
