"""Whether words stand in a text: as whole words, not denied, not inside a longer number.

Both are normalised (`demur.judging.normalise`) and the answer must begin and end at word boundaries, so
that "supported" is not found in "not_supported" or "unsupported", "19" not in "1911", "3" not in "3.14".
An occurrence that is denied right before ("not Paris", "isn't in Paris") does not count.
Scripts without spaces have no boundaries: there a substring counts, except that an answer of a single
character must stand alone. Korean particles may follow an answer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.dates import other_dates
from demur.judging.normalise import hangul, normalise, spaced, spaceless, without_spaces
from demur.judging.numbers import other_numbers, part_of_a_number

_DENIALS = frozenset(
    {"not", "never", "neither", "nor", "isn't", "wasn't", "aren't", "weren't", "doesn't", "didn't", "don't"}
    | {"isnt", "wasnt", "cannot", "can't"}
)
_BETWEEN_DENIAL_AND_ANSWER = frozenset(
    {
        "in",
        "at",
        "on",
        "by",
        "from",
        "of",
        "for",
        "to",
        "as",
        "be",
        "been",
        "the",
        "a",
        "an",
        "called",
        "named",
    }
)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:rather than|instead of|nicht|kein|keine|keiner|keinen|keinem|pas|не|ни|ليس|ليست|لیس|لیست)"
    r"|\b(?:no|nao) (?:es|esta|fue|era|son|nacio|e|foi|nasceu)|\bnon (?:e|era|fu|sono))"
    r"(?: (?:in|im|aus|von|bei|der|die|das|a|en|de|du|des|dans|la|le|les|el|los|em|no|na|il|nee?"
    r"|в|во|на|из|фی|فی))*$"
    r"|(?:不是|並非|并非|不在|沒有|没有)$"
)
_DENIED_AFTER = re.compile(
    r" (?:is|was|would be) (?:wrong|incorrect|false|not (?:right|correct|true|it"
    r"|the (?:right |correct )?answer))\b"
    r"| (?:ist|war) (?:falsch|nicht richtig)\b| est (?:faux|fausse|incorrecte?)\b"
    r"| es (?:incorrect[oa]|fals[oa])\b"
    r"| ?(?:では(?:ない|なく|ありません)|じゃ(?:ない|ありません)|で(?:ない|なく))"
    r"| ?(?:가|이) 아니| नहीं"
)
"""Denials in other languages, in normal form, and denials that follow."""
_LOOK_BACK = 40
"""Characters before an occurrence that may deny it."""


@lru_cache(maxsize=1 << 16)
def answer_keys(answers: tuple[str, ...]) -> tuple[str, ...]:
    """The normal forms to look for, hyphens as spaces; "A Hard Day's Night" also without its article.

    A date or a number comes in all of its ways to be written, Chinese and Japanese also without spaces.
    """
    keys: dict[str, None] = {}
    for answer in answers:
        key = spaced(normalise(answer))
        if key:
            keys[key] = None
            article, _, rest = key.partition(" ")
            if article == "a" and " " in rest:
                keys[rest] = None
            keys |= dict.fromkeys(spaced(normalise(text)) for text in other_dates(answer))
            keys |= dict.fromkeys(other_numbers(key))
            keys[without_spaces(key)] = None
    return tuple(keys)


def contains_words(normal: str, key: str) -> bool:
    """Whether a key of `answer_keys` stands in a normal form between word boundaries, not denied."""
    if _found(normal, key):
        return True
    if "'" in normal or "'" in key:  # "McDonald's" and "McDonalds" are one
        return _found(normal.replace("'", ""), key.replace("'", ""))
    return False


def _found(normal: str, key: str) -> bool:
    text = spaced(normal)
    start = text.find(key)
    while start >= 0:
        end = start + len(key)
        whole = _bounded(normal, start, end) and not part_of_a_number(text, start, end)
        if whole and not _denied(text[:start], text[end:]):
            return True
        start = text.find(key, start + 1)
    return False


def _bounded(normal: str, start: int, end: int) -> bool:
    before = normal[start - 1] if start else " "
    after = normal[end] if end < len(normal) else " "
    if end - start == 1 and spaceless(normal[start]):
        return before == after == " "
    particle = hangul(normal[end - 1]) and hangul(after)
    return _boundary(before, normal[start]) and (particle or _boundary(normal[end - 1], after))


def _boundary(left: str, right: str) -> bool:
    """Whether a word may end between two neighbouring characters of a normal form."""
    return left in " '" or right in " '" or spaceless(left) or spaceless(right)


def _denied(before: str, after: str) -> bool:
    """Whether the words right before or behind an occurrence deny it."""
    if _DENIED_AFTER.match(after) or _DENIED_BEFORE.search(before[-_LOOK_BACK:].rstrip()):
        return True
    words = before.split()[-3:]
    while words and words[-1] in _BETWEEN_DENIAL_AND_ANSWER:
        words.pop()
    return bool(words) and words[-1] in _DENIALS
