"""An answer that stands only inside the name of something else: "Ohio" in "Ohio State University".

In English the last word of a name says what is named. Where a place is asked for, or the accepted answer
is a country or a state, and a capitalised answer goes on with further capitals, another thing is named,
unless these say its kind ("Nile River", "Lagos State"), are in the question, or are a place that it lies
in. So is a place after "New", "West" and the like ("New Mexico" for "Mexico"), and a short text that
makes a person's full name longer ("Martin Luther King" for "Martin Luther").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from demur.judging.normalise import normalise, spaced, word_set
from demur.judging.places import PLACES

_KINDS = word_set(
    "river ocean sea lake island islands isle mountain mountains desert county"
    " province state republic district region"
    " territory peninsula valley bay gulf inc corp corporation company co ltd plc jr sr award awards"
    " prize trophy"
    " medal language languages people tribe band group family empire kingdom dynasty era period age war"
    " festival day month theory law effect disease syndrome oblast prefecture township village town"
    " motorcycles motors cars"
    " raid battle fc afc cf series show game games league team club party government army navy force"
    " race ii iii iv"
)
_REGIONS = word_set(
    "state republic county province district region territory oblast prefecture township village town"
    " kingdom empire island islands isle peninsula"
)
"""Kinds of what is asked for by "which state" and the like."""
_VENUES = word_set(
    "racecourse park palace castle hall beach harbour harbor abbey house stadium"
    " arena forest station building tower bridge"
    " square field farm garden gardens zoo"
)
"""Kinds of places that are an answer to "where", and none to "which city"."""
_CITY_AFTER_ONE_WORD = frozenset({"city"})
_INSTITUTIONS = (
    "university|college|institute|school|academy|hospital|airport|museum|cathedral|stadium|times"
    "|post|gazette|tribune"
    "|orchestra|symphony|philharmonic|bank|airlines|airways|hotel|railway|united|hilton|falls"
)
_INSTITUTION = re.compile(rf"(?:\w+ ){{0,2}}(?:{_INSTITUTIONS})\b", re.IGNORECASE)
_GOES_ON = re.compile(r"[ -]((?:[A-Z][\w'’]*[ -]?)+)")
_OTHER_PLACE = re.compile(
    r"\b(?:New|North|South|East|West|Northern|Southern|Eastern|Western|Equatorial|Papua New|Inner"
    r"|Outer|Upper|Lower"
    r"|San|Santa|St\.?|Saint|Port|Fort|Little)[ -]$"
)
_PERSON = re.compile(r"\bwho(?:m|se|'s)?\b", re.IGNORECASE)
_ASKS_FOR_PLACE = re.compile(
    r"\bwhere\b|\b(?:which|what)(?:\s+\w+){0,2}\s+(?:state|city|country|town|county|province"
    r"|continent|nation|capital|village"
    r"|place)\b|\b(?:capital|city|country|state|town)\s+of\b",
    re.IGNORECASE,
)
_ASKS_FOR_REGION = re.compile(
    r"\b(?:which|what)(?:\s+\w+){0,2}\s+(?:state|city|country|town|county|province|continent|nation"
    r"|capital|village)\b"
    r"|\b(?:capital|city|country|state|town)\s+of\b",
    re.IGNORECASE,
)
SHORT_TEXT = 5
"""A text of at most this many words may be all name."""
_NO_NAME = word_set(
    "the a an is was are were in on at and or of by he she it they this i but from"
    " for with january february march"
    " april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday"
    " sunday during after before which who"
)


def only_in_longer_names(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether every accepted answer in a text is part of a longer name.

    False also where no answer is found as it is written, or the capitals of the text say nothing.
    """
    if " " not in text or text.isupper():
        return False
    always, in_short, others, asked = _looked_for(question, answers)
    names = (*always, *in_short) if in_short and text.count(" ") < SHORT_TEXT else always
    lowered = text.lower() if names else ""
    if len(lowered) != len(text):
        return False
    found = False
    for name in names:
        for start in _occurrences(lowered, name):
            found = True
            if not _is_longer(asked, text, start, start + len(name)):
                return False
    if not found or not others:
        return found
    normal = spaced(normalise(text))
    return not any(key in normal for key in others)


def _occurrences(lowered: str, name: str) -> Iterator[int]:
    """Where a name stands as whole words."""
    start = lowered.find(name)
    while start >= 0:
        before, after = lowered[start - 1 : start], lowered[start + len(name) : start + len(name) + 1]
        if not (before.isalnum() or after.isalnum()):
            yield start
        start = lowered.find(name, start + 1)


@lru_cache(maxsize=1 << 14)
def _looked_for(
    question: str, answers: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]:
    """Answers looked for in every text, in short ones, keys of those that are not looked for; the
    question's words.
    """
    place = _ASKS_FOR_PLACE.search(question) is not None
    person = _PERSON.search(question) is not None
    always: list[str] = []
    in_short: list[str] = []
    others: list[str] = []
    for answer in answers:
        key = spaced(normalise(answer))
        name = _name(answer) if place or key in PLACES or not person or " " in answer.strip() else None
        if name is None:
            others.append(key)
        elif place or key in PLACES:
            always.append(name)
        else:
            in_short.append(name)
    return tuple(always), tuple(in_short), tuple(others), f" {spaced(normalise(question))} "


def _is_longer(asked: str, text: str, start: int, end: int) -> bool:
    name, before, after = text[start:end], text[:start], text[end:]
    institution = _INSTITUTION.match(after.removeprefix(" ")) if after.startswith(" ") else None
    if institution and f" {institution.group().split()[-1].lower()} " not in asked:
        return True
    if not name[0].isupper() or _titled(text):
        return False
    direction = _OTHER_PLACE.search(before)
    if direction and spaced(normalise(direction.group() + name)) in PLACES | _COMPOUNDS:
        return True
    rest = _GOES_ON.match(after)
    return rest is not None and not _same_thing(name, rest[1].strip(" -"), asked)


_COMPOUNDS = word_set(
    "new england;new orleans;new guinea;papua new guinea;equatorial guinea;south"
    " sudan;new caledonia;east timor;west"
    " germany;east germany;new delhi;saint louis;st louis;san jose;port louis;new holland;new"
    " hampshire;south georgia",
    ";",
)


def _same_thing(name: str, rest: str, asked: str) -> bool:
    words = spaced(normalise(rest)).split()
    if not words or words[0] in _NO_NAME or " ".join(words) in PLACES or words[-1] in _REGIONS:
        return True
    if words[-1] in _KINDS and not _ASKS_FOR_REGION.search(asked):
        return True
    if words[-1] in _VENUES and not _ASKS_FOR_REGION.search(asked):
        return True
    if words[-1] in _CITY_AFTER_ONE_WORD and " " in name:
        return True
    return all(f" {word} " in asked for word in words)


def _titled(text: str) -> bool:
    """Whether the text writes nearly every word with a capital, so that capitals say nothing."""
    words = [word for word in text.split() if word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in words)
    return len(words) > 5 and capitals >= 0.8 * len(words)


def _name(answer: str) -> str | None:
    """The answer in small letters, without an article; None for figures and the like, which no name goes
    on from.
    """
    bare = answer.strip().lower()
    for article in ("the ", "an ", "a "):
        bare = bare.removeprefix(article)
    return None if not bare or any(char.isdigit() for char in bare) or not bare[0].isalpha() else bare
