"""The same words in other forms and another order, with what the question says put aside.

Both sides are reduced to their content words (`inflection`): articles, prepositions and the like go, and
so do words of the question, where something is left. Then a short text is right where

* it has the same content words: "Fort Ross, California" for "at Fort Ross in California", "dentists" for
  "the dentist", "Scottish" for "Scotland";
* it is a part of the accepted answer, of two content words or more that stand side by side there: "six
  steps" for "not more than six steps", "Thomas Hobbes" for "Thomas Hobbes in his Leviathan";
* it has two content words or more of the accepted answer, all of them in order, and at most two more
  between: "her abusive and alcoholic husband" for "her abusive husband".

Figures and denials must be the same on both sides. The order of words is not looked at where all agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from demur.judging.inflection import base, related, stem
from demur.judging.normalise import normalise, spaced, word_set
from demur.judging.numbers import TENS, number_in_words, value_of_words

_FUNCTION = word_set(
    "a an the of in on at to from by for with within into onto over near as is are"
    " was were be been being it its his"
    " her hers their theirs he she they them him this that these those there and or if so than then"
    " also just only"
    " about around approximately roughly nearly almost called named known which who whom whose what"
    " when where how"
    " i we you my our your me do does did has have had will would can could most some any such very"
    " during through between among along per via because due both own s it's that's he's she's"
    " they're there's"
)
_DENIALS = frozenset({"not", "no", "never", "without", "neither", "nor", "non", "un", "except"})
_BOUND = re.compile(r"\b(?:(?:not|no) (?:more|less|fewer|later|earlier) than|at (?:most|least)|up to)\b")
_BOUNDS = frozenset({"less", "fewer", "under", "below", "more", "above", "least"})
HINT = 4
"""Letters that two forms of a word share."""
LONGEST = 16
"""A text of more words than this is no short answer."""
_WORDS_OF_A_NUMBER = re.compile(rf"\b(?:{number_in_words})(?: (?:and )?(?:{number_in_words}))*\b")
_FIRST_TO_NINTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_FROM_TENTH = (
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)
_ORDINALS = {word: number for number, word in enumerate((*_FIRST_TO_NINTH, *_FROM_TENTH), start=1)}
_TENS = {word: number for number, word in enumerate(TENS[2:], start=2)}
_COMPOUND_ORDINAL = re.compile(rf"\b({'|'.join(_TENS)}) ({'|'.join(_FIRST_TO_NINTH)})\b")
_WORLD_WAR = re.compile(r"\bww ?(?=(?:i{1,2}|[12])\b)")
_ROMAN = {
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "xi": 11,
    "xii": 12,
    "xiii": 13,
}
_ROMAN |= {"xiv": 14, "xv": 15, "xvi": 16}
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    """Content words, and what of them is compared first."""

    words: Words
    known: frozenset[str]
    figures: Words
    denials: frozenset[str]


def same_wording(question: str, answers: tuple[str, ...], normal: str) -> bool:
    """Whether a text's content words are those of an accepted answer, as said above.

    Args:
        normal: the text in normal form, hyphens as spaces.
    """
    if normal.count(" ") >= LONGEST:
        return False
    words = content(normal)
    known = set(words)
    given: _Content | None = None
    new: _Content | None = None
    for wanted, rest, capitals in _wanted(question, answers):
        if known.isdisjoint(wanted.known):
            continue
        if given is None or new is None:
            asked = _asked(question)
            given, new = _content(words), _content(tuple(word for word in words if word not in asked))
        if _agree(given, wanted, capitals) or (rest.words and _agree(new, rest, capitals)):
            return True
    return False


@lru_cache(maxsize=1 << 15)
def content(normal: str) -> Words:
    """The content words of a normal form, reduced; numbers in figures."""
    plain = _BOUND.sub(" ", normal)
    if "ww" in plain:
        plain = _WORLD_WAR.sub("world war ", plain)
    plain = _COMPOUND_ORDINAL.sub(lambda found: str(_TENS[found[1]] * 10 + _ORDINALS[found[2]]), plain)
    if plain.endswith(" i"):  # "Elizabeth I"
        plain = plain[:-1] + "1"
    numbered = _WORDS_OF_A_NUMBER.sub(_in_figures, plain)
    words = [word for word in numbered.split() if word not in _FUNCTION]
    reduce = stem if len(words) > 1 else base
    return tuple(_figure(word) or reduce(word) for word in words)


def hints(keys: Iterable[str]) -> tuple[str, ...]:
    """What a text must hold of, in part, to have the wording of an answer: starts of its content words.

    Args:
        keys: the accepted answers in normal form, hyphens as spaces.
    """
    found: dict[str, None] = {}
    for key in keys:
        for word in key.split():
            if word not in _FUNCTION:
                found[word[:HINT]] = None
                for other in related(word):
                    found[other[:HINT]] = None
                if word in _ORDINALS or word in _ROMAN:
                    found[str(_ORDINALS.get(word) or _ROMAN[word])] = None
    return tuple(found)


def _content(words: Words) -> _Content:
    return _Content(words, frozenset(words), _figures(words), _denials(words))


def _agree(given: _Content, wanted: _Content, capitals: frozenset[str]) -> bool:
    if not given.words or given.figures != wanted.figures or given.denials != wanted.denials:
        return False
    if given.known == wanted.known:
        return True
    if len(given.words) < len(wanted.words):
        return len(given.words) >= 2 and _side_by_side(given.words, wanted.words, capitals)
    more = len(given.words) - len(wanted.words)
    return len(wanted.words) >= 2 and more <= 2 and _in_order(wanted.words, given.words)


def _side_by_side(part: Words, whole: Words, capitals: frozenset[str]) -> bool:
    """Whether words stand side by side in others, no name cut off at its beginning ("Miller Road", "Glen
    Miller Road").
    """
    size = len(part)
    for start in range(len(whole) - size + 1):
        if whole[start : start + size] == part and not (start and {whole[start - 1], part[0]} <= capitals):
            return True
    return False


def _in_order(part: Words, whole: Words) -> bool:
    """Whether the words of one stand in the other in order, the first of one first and the last last."""
    rest = iter(whole)
    return part[0] == whole[0] and part[-1] == whole[-1] and all(word in rest for word in part)


def _figures(words: Words) -> Words:
    return tuple(word for word in words if any(char.isdigit() for char in word))


def _denials(words: Words) -> frozenset[str]:
    return frozenset(word for word in words if word in _DENIALS or word in _BOUNDS or word.endswith("n't"))


def _in_figures(match: re.Match[str]) -> str:
    value = value_of_words(match.group())
    return match.group() if value is None else str(value)


def _figure(word: str) -> str | None:
    """An ordinal, or a Roman number, as figures."""
    if word in _ORDINALS or word in _ROMAN:
        return str(_ORDINALS.get(word) or _ROMAN[word])
    match = re.fullmatch(r"(\d+)(?:st|nd|rd|th)", word)
    return match[1] if match else None


@lru_cache(maxsize=1 << 14)
def _asked(question: str) -> frozenset[str]:
    """The content words of a question, reduced both ways."""
    words = [word for word in spaced(normalise(question)).split() if word not in _FUNCTION]
    return frozenset(form for word in words for form in (base(word), stem(word)))


@lru_cache(maxsize=1 << 14)
def _wanted(
    question: str, answers: tuple[str, ...]
) -> tuple[tuple[_Content, _Content, frozenset[str]], ...]:
    """For each accepted answer its content words, those that the question does not say, and the
    capitalised ones.
    """
    asked = _asked(question)
    found: dict[Words, tuple[_Content, _Content, frozenset[str]]] = {}
    for answer in answers:
        words = content(spaced(normalise(answer)))
        if words and ":" not in answer:  # the title of a work and its subtitle are one name
            capitals = " ".join(spaced(normalise(token)) for token in answer.split() if token[0].isupper())
            rest = tuple(word for word in words if word not in asked)
            found[words] = (_content(words), _content(rest), frozenset(map(stem, capitals.split())))
    return tuple(found.values())
