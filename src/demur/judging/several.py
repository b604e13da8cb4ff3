"""Several different answers listed: "Paris, Rome, London, Berlin" gives none of them.

A list of three items or more, or two with "or" or a stroke between, is wrong for an answer that is one of
them. A list is right where the question asks for several, where the accepted answer is itself a list,
where the other items are further accepted answers, and where they only say where the first one lies
("Paris, Texas, USA"). Two people with "and" are no such list, nor are three names within a sentence:
people sing, write and found things together.
"""

from __future__ import annotations

import re

from demur.judging.normalise import normalise, spaced, word_set
from demur.judging.places import PLACES
from demur.judging.short_forms import acronyms

_COUNTS = "two|three|four|five|six|seven|eight|nine|ten|[2-9]|1\\d|some|several|all|any|both|other"
_ASKS_FOR_SEVERAL = re.compile(
    rf"\b(?:list|mention|enumerate|give)\b|\b(?:what|which|who|name|the|of|these|those)\s+(?:are"
    rf"|were|{_COUNTS})\b"
    r"|\bexamples?\b|\b(?:which|what)\s+(?:[\w'-]+\s+){0,2}?[\w'-]*[^\W_s]s\s+(?:are|were|have|do"
    r"|did|can|make|border)\b"
    r"|\b(?:names of|combination|consists? of|made (?:up )?of|composed of|members|between)\b",
    re.IGNORECASE,
)
_OR = (
    r"(?:\bor\b|\b(?:oder|ou|или|أو|या)(?= )|(?<=\w )o(?= (?-i:[A-ZÁÉÍÓÚÑ]))|(?<=[\u3040-\u9fff])"
    r"(?:或者?|还是|還是|または|もしくは|か(?=[\u30a0-\u9fff])))"
)
_SEPARATOR = re.compile(
    rf"\s*(?:[,;\n、]\s*(?:and\b|or\b)?|\s/\s|(?<=\w\w)/(?=\w\w)|\band\b|{_OR}|\n)\s*", re.IGNORECASE
)
_HAS_SEPARATOR = re.compile(rf"[,;\n/、]|\band\b|{_OR}", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+", re.MULTILINE)
_SENTENCE_WORD = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|did|does|do|will|would|can|could|which|who|whose"
    r"|that|because|since"
    r"|when|where|while|from|with|by|as|but|although|though|after|before|until|he|she|it|they|we|you|i"
    r"|ich|ist|war|aber|dass|weil|je|elle|est|était|mais|que|pense|yo|es|fue|creo|pero|foi|acho|sono|che|credo"
    r"|я|что|но|это|был|была|было|думаю|он|она)\b",
    re.IGNORECASE,
)
_NO_ITEM = word_set(
    "in on at of to for during on under over into means its his her their not played plays wrote opened"
)
_PARTICLES = word_set("of the de la le van von der da del al and possibly maybe perhaps probably")
_LEAD = re.compile(
    r"^(?:the )?(?:answer|capital|city|name)?\s*(?:is|:)\s+|^(?:it|he|she|they|this|that)(?:'s| is|"
    r" was| are| were) (?:in |at |by |from |born in )?",
    re.IGNORECASE,
)
_WHO = re.compile(r"\bwho(?:m|se)?\b|\bby what\b|\bartists?\b|\bband\b|\bsong\b", re.IGNORECASE)
_ITEM = r"(?:[A-Z][\w.'’-]*(?: (?:of |de |van |the )?[A-Z][\w.'’-]*){0,3}|\d[\d.,]*\d|\d)"
_RUN = re.compile(rf"{_ITEM}(?:, {_ITEM})*,? (?P<last>or|and) {_ITEM}")
LONG_LIST = 4
"""Within a sentence, this many items or more with "and" are rivals."""
ALIKE = 5
"""Two names that share so many first letters are taken for forms of one."""
LONGEST_ITEM = 5
"""Words of an item of a list; more are a clause."""


def lists_others(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether a text that gives an accepted answer gives others of the same rank beside it."""
    if not _HAS_SEPARATOR.search(text):
        return False
    items, coordinated, elsewhere = _items(text.rpartition(": ")[2])
    asked = f" {_key(question)} "
    items = [item for item in items if f" {item} " not in asked]
    if len(items) < 2 or (coordinated == "" and len(items) < 3):
        return False
    if coordinated == "and" and len(items) < 3 and (elsewhere or _WHO.search(question)):
        return False
    keys = [_key(answer) for answer in answers]
    if any(_gives(_key(elsewhere), key) for key in keys) or _is_one_thing(items, coordinated, keys):
        return False
    initials = {acronym.lower() for acronym in acronyms(answers)}
    if any(item in initials for item in items):
        return False
    return not _ASKS_FOR_SEVERAL.search(question)


def _items(text: str) -> tuple[list[str], str, str]:
    """The items that a text lists, in normal form, what joins the last one, and the text beside the
    list.
    """
    bare = re.sub(r"\([^)]*\)", "", text).strip(" .!\n")
    bare = _LEAD.sub("", bare)
    if not _SENTENCE_WORD.search(bare) and ". " not in _BULLET.sub("", bare):
        bare = _BULLET.sub("", bare)
        parts = [part for part in _SEPARATOR.split(bare) if part.strip()]
        if len(parts) < 2 or not _of_one_rank(parts):
            return [], "", ""
        return [_key(part) for part in parts], _coordination(bare, parts), ""
    run = max(_RUN.finditer(text), key=lambda found: len(found.group()), default=None)
    if run is None:
        return [], "", ""
    parts = [part for part in _SEPARATOR.split(run.group()) if part.strip()]
    if run["last"] == "and" and len(parts) < LONG_LIST:
        return [], "", ""
    return [_key(part) for part in parts], run["last"], text[: run.start()] + " | " + text[run.end() :]


def _of_one_rank(parts: list[str]) -> bool:
    """Whether parts look like items of one list: all names, all figures or all common words, and none too
    long.
    """
    words = [part.split() for part in parts]
    if any(len(item) > LONGEST_ITEM or item[0].lower() in _NO_ITEM for item in words):
        return False
    ranks = {_rank(item[0]) for item in words[1:]}
    if len(ranks) > 1:
        return False
    if ranks == {"name"}:
        return all(_rank(word) != "word" or word.lower() in _PARTICLES for item in words for word in item)
    return ranks != {"figure"} or _rank(words[0][-1]) == "figure"


def _rank(word: str) -> str:
    if word[0].isdigit():
        return "figure"
    return "name" if word[0].isupper() or not word[0].isalpha() else "word"


def _coordination(text: str, parts: list[str]) -> str:
    if re.search(r",\s*or\b", text) and text.count(",") == 1:
        return ""  # "Bombay, or Mumbai" says one thing twice
    if (
        re.search(rf"{_OR}|\w\w/\w\w|\s/\s", text, re.IGNORECASE)
        and len({part.strip()[0].isupper() for part in parts}) == 1
    ):
        return "or"  # "Solidus or slash": a name and what it is
    if re.search(r"\band\b", text):
        return "and"
    return "address" if "," in text and len(parts) == 3 and not re.search(r"[;\n/]", text) else ""


def _is_one_thing(items: list[str], coordinated: str, keys: list[str]) -> bool:
    """Whether the items are no rivals: several are accepted, or the answer is a list, or a place with its
    country.
    """
    accepted = {item for item in items if any(_gives(item, key) for key in keys)}
    if not accepted or len(accepted) > 1:
        return True
    others = [item for item in items if item not in accepted and not any(_alike(key, item) for key in keys)]
    return not others or (coordinated == "address" and items[-1] in PLACES and len(items) <= 3)


def _alike(key: str, item: str) -> bool:
    """Whether an item is a part of an accepted answer, or begins as it does ("Hellenism or
    Hellenismos").
    """
    return _gives(key, item) or (len(key) > ALIKE and key[:ALIKE] == item[:ALIKE])


def _gives(item: str, key: str) -> bool:
    return f" {key} " in f" {item} "


def _key(text: str) -> str:
    return spaced(normalise(text))
