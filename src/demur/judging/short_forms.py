"""What an accepted answer implies: its acronym or what one stands for, a place's head, what brackets hold.

Each gives further keys to look for in a text, in normal form: "Oslo" for "Oslo, Norway", "adenosine
diphosphate" and "ADP" for "adenosine diphosphate (ADP)", "Carl Linnaeus" for "Swedish botanist Carl
Linnaeus", "Sudbury" for "the city of Sudbury", "500" for "about 500", "44 BC" for "44 BCE". An acronym
must be written as one, in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from demur.judging.normalise import normalise, spaced
from demur.judging.places import PLACES

_WRAPPING = (
    "city|town|village|state|country|county|continent|republic|kingdom|province|island|region|area"
    "|planet|river|band|group|project|series|novel"
    "|film|movie|book|song|album|show|sitcom|drama|musical|play|opera|magazine|newspaper|company"
    "|genus|family|month"
    "|year|language|element|metal|letter|word|term|colour|color|number|churches"
)
_LEADING = re.compile(
    r"^(?:(?:in|at|on|from|by|to|near|during|since|into|within|inside|outside|around|about"
    r"|approximately|circa|ca?\."
    r"|nearly|almost|roughly|over|under|between|because of|due to|as|for|with|through|via|every)\s+)+",
    re.IGNORECASE,
)
_WRAPPED = re.compile(rf"^(?:the\s+)?(?:{_WRAPPING})\s+(?:of|called|named)\s+(?=[A-Z\d])")
_TRAILING = re.compile(rf"(?<=\w)\s+(?:{_WRAPPING})$")
_BRACKETED = re.compile(r"^(?P<outside>[^()]{2,}?)\s*\((?P<inside>[^()]+)\)$")
_ASIDE = re.compile(r"\s*\([^()]*\)\s*")
_OR_ACRONYM = re.compile(r"^(?P<long>.{4,}?),? (?:or|aka|i\.e\.) (?P<short>[A-Z]{2,6})$")
_WITH_YEAR = re.compile(r"^(?P<rest>\S+ \S.*?),? (?:of|in|from) \d{4}$")
_LETTERS = re.compile(r"[A-Z](?:[ ,]+[A-Z])+")
_SAID_AGAIN = re.compile(
    r"^(?:or|aka|a\.k\.a\.|also known as|also|accept|formerly|now)\b[:,]?\s*", re.IGNORECASE
)
_DESCRIBED = re.compile(
    r"(?:^|\s)(?!(?:and|or|of|in|on|at|to|by|for|from|with|as|along|near|de|van|von|the|a|an|into"
    r"|over|under)\s)[a-z][\w-]*\s+"
    r"(?P<name>[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*)+)$"
)
_NAMED = re.compile(rf"\s(?:{_WRAPPING})\s+(?P<name>[A-Z][\w'’-]{{3,}})$")
_OTHER_ERA = {"bce": "bc", "bc": "bce", "ce": "ad", "ad": "ce"}
_WITH_ERA = re.compile(r"\d (bce?|ce|ad)$")
_SPAN = re.compile(r"(?:from )?(\d{3,4}) ?(?:[-–—]|to) ?(\d{3,4})")
_THE = re.compile(r"^[Tt]he\s+")
_SAYS_MORE = re.compile(r"\s*(?:who|which|where|whose|when|or)\b")
_SMALL = frozenset({"of", "the", "and", "for", "in", "on", "de", "du", "des", "la", "to", "a", "an", "&"})
_IS_ACRONYM = re.compile(r"[A-Z]{3,6}|U[KS]")
_CAPITALS = re.compile(r"(?<![\w-])[A-Z]{2,6}(?![\w-])")
_NUMBERED = re.compile(r"\b[IVX]+$|\d")
_STATES = {
    "united states": {"US", "USA"},
    "united states of america": {"US", "USA"},
    "united kingdom": {"UK"},
    "united nations": {"UN"},
    "european union": {"EU"},
}
_LONG_FORM = {"us": "united states", "usa": "united states", "uk": "united kingdom", "un": "united nations"}
_TITLE = re.compile(
    r"^(?:King|Queen|Pope|Emperor|Empress|Tsar|Czar|Sultan|President|Sir|Dame|Dr\.?)\s+(?=[A-Z])"
)
_THE_SOMEBODY = re.compile(
    r"^(?:[Tt]he|[Aa]n?)\s+(?:(?!(?:of|in|and|or|for|to|with)\s)[a-z]+\s+){1,2}(?P<name>[A-Z][\w'’-]+)$"
)
_POINT = re.compile(r"(?<=\b[A-Z])\.")
_WORD = re.compile(r"[\w'’]+")
_CAPITAL_RUN = re.compile(
    r"(?:[A-Z][\w'’-]*(?:\s+(?:of|the|and|for|&|in|on|de)(?=\s))*\s+){1,7}[A-Z][\w'’-]*"
)


HAND_WRITTEN = 5
"""More accepted answers than this are titles of pages, told apart by brackets ("Malaya (film)")."""


@lru_cache(maxsize=1 << 14)
def implied_keys(answers: tuple[str, ...], few: bool) -> tuple[str, ...]:
    """Further keys of accepted answers, without those that are keys already.

    Args:
        few: whether the question has at most `HAND_WRITTEN` accepted answers.
    """
    known = {spaced(normalise(answer)) for answer in answers}
    found = (spaced(normalise(text)) for answer in answers for text in _implied(answer.strip(), few))
    return tuple(dict.fromkeys(key for key in found if len(key) > 1 and key not in known))


def full_name(key: str) -> str:
    """The full name of a state that a key gives by its letters ("usa"); empty for other keys."""
    return _LONG_FORM.get(key, "")


@lru_cache(maxsize=1 << 14)
def acronyms(answers: tuple[str, ...]) -> frozenset[str]:
    """The acronyms of accepted answers of three words or more, in capitals."""
    found = {acronym for answer in answers if (acronym := _acronym(answer))}
    for answer in answers:
        found |= _STATES.get(spaced(normalise(answer)), set())
    return frozenset(found)


def stated_acronyms(answers: tuple[str, ...]) -> frozenset[str]:
    """Accepted answers that are acronyms."""
    bare = (answer.strip().replace(".", "") for answer in answers)
    return frozenset(answer for answer in bare if _IS_ACRONYM.fullmatch(answer))


def gives_acronym(text: str, short: frozenset[str], stated: frozenset[str]) -> bool:
    """Whether a text has one of the acronyms ``short`` in capitals, or the words that one of ``stated``
    stands for.
    """
    if short and not (text.isupper() and " " in text.strip()):
        bare = _POINT.sub("", text) if "." in text else text
        if any(acronym in bare for acronym in short) and not short.isdisjoint(_CAPITALS.findall(bare)):
            return True
    return bool(stated) and any(_acronym(run.group()) in stated for run in _CAPITAL_RUN.finditer(text))


def _acronym(name: str) -> str | None:
    """The capitals of a name of three words or more; None where it has no acronym."""
    if " " not in name:
        return None
    words = _WORD.findall(name)
    if not 2 <= len(words) <= 10:
        return None
    initials = [word[0] for word in words if word.lower() not in _SMALL]
    if not 3 <= len(initials) <= 6 or not all(letter.isupper() for letter in initials):
        return None
    return None if _NUMBERED.search(name) else "".join(initials)


def _implied(answer: str, brackets: bool) -> Iterator[str]:
    if "(" in answer and not brackets:
        return
    match = _BRACKETED.match(answer)
    if match:
        yield from _parts(match["outside"])
        inside = _SAID_AGAIN.sub("", match["inside"])
        if inside != match["inside"] or re.fullmatch(r"[A-Z][A-Z.]{1,6}", inside):
            yield inside
        return
    if "(" in answer and _ASIDE.sub(" ", answer).strip(" -"):
        answer = _ASIDE.sub(" ", answer).strip(" -")
    yield from _parts(answer)
    if both := _OR_ACRONYM.match(answer):
        yield from both.groups()
    if dated := _WITH_YEAR.match(answer):
        yield dated["rest"]
    if _LETTERS.fullmatch(answer):
        yield re.sub("[ ,]+", "", answer)


def _parts(answer: str) -> Iterator[str]:
    yield answer
    bare = _LEADING.sub("", answer)
    wrapped = _WRAPPED.sub("", bare)
    yield from (bare, wrapped)
    if any(char.isupper() or char.isdigit() for char in wrapped):
        yield _TRAILING.sub("", _THE.sub("", wrapped))
    yield from _without_comma(wrapped)
    yield _TITLE.sub("", wrapped)
    if long_form := _LONG_FORM.get(spaced(normalise(bare))):
        yield long_form
    for form in (_DESCRIBED, _NAMED, _THE_SOMEBODY):
        if found := form.search(answer if form is _THE_SOMEBODY else wrapped):
            yield found["name"]
    yield from _in_other_letters(bare)


def _without_comma(answer: str) -> Iterator[str]:
    """The place alone, where what follows the comma says in which country or state it is."""
    head, comma, rest = answer.partition(",")
    if comma and spaced(normalise(rest.rpartition(",")[2])) in PLACES:
        yield head
    if comma and _SAYS_MORE.match(rest):
        yield head


def _in_other_letters(answer: str) -> Iterator[str]:
    """An era by its other name, a span of years with "to", letters that a file has lost."""
    lowered = answer.lower().replace(".", "")
    if era := _WITH_ERA.search(lowered):
        yield lowered[: era.start(1)] + _OTHER_ERA[era[1]]
    if span := _SPAN.fullmatch(answer):
        yield from (f"{span[1]} to {span[2]}", f"{span[1]} and {span[2]}", f"{span[1]}-{span[2]}")
    if not answer.isascii() and len(answer) >= 6:
        yield "".join(char if char.isascii() else "?" for char in answer)
