"""Several different answers listed: "Paris, Rome, London, Berlin" gives none of them.

A list of three items or more, or two with "or" or a stroke between, is wrong for an answer that is one of them. A
list is right where the question asks for several, where the accepted answer is itself a list, where the other items
are further accepted answers, and where they only say where the first one lies ("Paris, Texas, USA").
Two items with "and" are no such list: people sing, write and found things together.
"""

from __future__ import annotations

import re

from demur.judging.normalise import normalise, spaced
from demur.judging.places import PLACES
from demur.judging.short_forms import acronyms

_COUNTS = "two|three|four|five|six|seven|eight|nine|ten|[2-9]|1\\d|some|several|all|any|both|other"
_ASKS_FOR_SEVERAL = re.compile(
    rf"\b(?:list|mention|enumerate|give)\b|\b(?:what|which|who|name|the|of|these|those)\s+(?:are|were|{_COUNTS})\b"
    r"|\bexamples?\b|\b(?:which|what)\s+(?:[\w'-]+\s+){0,2}?[\w'-]*[^\W_s]s\s+(?:are|were|have|do|did|can|make|border)\b"
    r"|\b(?:names of|combination|consists? of|made (?:up )?of|composed of|members|between)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:[,;\n]\s*(?:and\b|or\b)?|\s/\s|(?<=\w\w)/(?=\w\w)|\band\b|\bor\b|\n)\s*", re.IGNORECASE)
_HAS_SEPARATOR = re.compile(r"[,;\n/]|\b(?:or|and)\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+", re.MULTILINE)
_SENTENCE_WORD = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|did|does|do|will|would|can|could|which|who|whose|that|because|since"
    r"|when|where|while|from|with|by|as|but|although|though|after|before|until|he|she|it|they|we|you|i)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:the )?(?:answer|capital|city|name)?\s*(?:is|:)\s+|^(?:it|he|she|they|this|that)(?:'s| is| was| are| were) (?:in |at |by |from |born in )?",
    re.IGNORECASE,
)
_ITEM = r"(?:[A-Z][\w.'’-]*(?: (?:of |de |van |the )?[A-Z][\w.'’-]*){0,3}|\d[\d.,]*\d|\d)"
_RUN = re.compile(rf"{_ITEM}(?:, {_ITEM})*,? (?P<last>or|and) {_ITEM}")
LONGEST_ITEM = 5
"""Words of an item of a list; more are a clause."""


def lists_others(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether a text that gives an accepted answer gives others of the same rank beside it."""
    if not _HAS_SEPARATOR.search(text):
        return False
    items, coordinated = _items(text)
    if len(items) < 2 or _is_one_thing(items, coordinated, answers):
        return False
    if coordinated != "or" and len(items) < 3:
        return False
    return not _ASKS_FOR_SEVERAL.search(question)


def _items(text: str) -> tuple[list[str], str]:
    """The items that a text lists, in normal form, and the word before the last; no items where it lists nothing."""
    bare = re.sub(r"\([^)]*\)", "", text).strip(" .!\n")
    bare = _LEAD.sub("", bare)
    if not _SENTENCE_WORD.search(bare) and ". " not in _BULLET.sub("", bare):
        bare = _BULLET.sub("", bare)
        parts = [part for part in _SEPARATOR.split(bare) if part.strip()]
        if all(len(part.split()) <= LONGEST_ITEM for part in parts):
            return [_key(part) for part in parts], _coordination(bare)
        return [], ""
    run = max(_RUN.finditer(text), key=lambda found: len(found.group()), default=None)
    if run is None:
        return [], ""
    return [_key(part) for part in _SEPARATOR.split(run.group()) if part.strip()], run["last"]


def _coordination(text: str) -> str:
    if re.search(r",\s*or\b", text) and text.count(",") == 1:
        return ""  # "Bombay, or Mumbai" says one thing twice
    if re.search(r"\bor\b|\w\w/\w\w|\s/\s", text):
        return "or"
    return "and" if re.search(r"\band\b", text) else ""


def _is_one_thing(items: list[str], coordinated: str, answers: tuple[str, ...]) -> bool:
    """Whether the items are no rivals: all accepted, or a place with what it lies in, or the answer's own parts."""
    keys = [_key(answer) for answer in answers]
    given = set(items)
    if not any(_gives(item, key) for item in given for key in keys):
        return True  # the answer stands elsewhere, or is made of several items
    others = [item for item in given if not any(_gives(item, key) or _gives(key, item) for key in keys)]
    if not others:
        return True
    if coordinated == "" and items[-1] in PLACES and len(items) <= 3:
        return True
    initials = {acronym.lower() for acronym in acronyms(answers)}
    return all(item in initials for item in others)


def _gives(item: str, key: str) -> bool:
    return f" {key} " in f" {item} "


def _key(text: str) -> str:
    return spaced(normalise(text))
