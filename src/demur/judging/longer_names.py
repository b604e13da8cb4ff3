"""An answer that stands only inside the name of something else: "Ohio" in "Ohio State University".

In English the last word of a name says what is named. So a capitalised answer that goes on with capitalised words is
another name, unless these say its kind ("Nile River", "Lagos State"), are in the question, or are a place that it
lies in; and so is a place after "New", "West" and the like ("New Mexico" for "Mexico"). A first name goes on with
the last one, so a question for a person is not looked at where the answer is one word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.normalise import normalise, spaced
from demur.judging.places import PLACES

_KINDS = frozenset(
    "river ocean sea lake island islands isle mountain mountains desert county province state republic district region"
    " territory peninsula valley bay gulf inc corp corporation company co ltd plc jr sr award awards prize trophy"
    " medal language languages people tribe band group family empire kingdom dynasty era period age war street road"
    " avenue festival day month award theory law effect disease syndrome oblast prefecture township village town"
    " station building tower bridge series show game games league team club party government army navy force".split()
)
_CITY_AFTER_ONE_WORD = frozenset({"city"})
_INSTITUTIONS = (
    "university|college|institute|school|academy|hospital|airport|museum|cathedral|stadium|times|post|gazette|tribune"
    "|orchestra|symphony|philharmonic|bank|airlines|airways|hotel|railway|united|hilton|falls"
)
_INSTITUTION = re.compile(rf"(?:\w+ ){{0,2}}(?:{_INSTITUTIONS})\b", re.IGNORECASE)
_GOES_ON = re.compile(r"[ -]((?:(?:of |and )?[A-Z][\w'’]*[ -]?)+)")
_OTHER_PLACE = re.compile(
    r"\b(?:New|North|South|East|West|Northern|Southern|Eastern|Western|Equatorial|Papua New|Inner|Outer|Upper|Lower"
    r"|San|Santa|St\.?|Saint|Port|Fort|Little)[ -]$"
)
_PERSON = re.compile(r"\bwho(?:m|se|'s)?\b|\b(?:actor|actress|singer|player|character|name)\b", re.IGNORECASE)
_NO_NAME = frozenset(
    "the a an is was are were in on at and or of by he she it they this i but from for with january february march"
    " april may june july august september october november december monday tuesday wednesday thursday friday saturday"
    " sunday during after before which who".split()
)


def only_in_longer_names(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether every accepted answer in a text is part of a longer name.

    False also where no answer is found as it is written, or the capitals of the text say nothing.
    """
    words = text.split()
    if len(words) < 2 or text.isupper() or _PERSON.search(question) and all(" " not in a.strip() for a in answers):
        return False
    found = False
    for answer in answers:
        pattern = _pattern(answer)
        for match in pattern.finditer(text) if pattern else ():
            found = True
            if not _is_longer(question, answers, text, match):
                return False
    return found


def _is_longer(question: str, answers: tuple[str, ...], text: str, match: re.Match[str]) -> bool:
    name, before, after = match.group(), text[: match.start()], text[match.end() :]
    asked = f" {spaced(normalise(question))} "
    institution = _INSTITUTION.match(after.removeprefix(" ")) if after.startswith(" ") else None
    if institution and not _known(institution.group(), asked):
        return True
    if not name[0].isupper():
        return False
    direction = _OTHER_PLACE.search(before)
    if direction and spaced(normalise(direction.group() + name)) in PLACES | _COMPOUNDS:
        return True
    rest = _GOES_ON.match(after)
    return rest is not None and not _same_thing(name, rest[1].strip(" -"), asked) and not _titled(text)


_COMPOUNDS = frozenset(
    "new england;new orleans;new guinea;papua new guinea;equatorial guinea;south sudan;new caledonia;east timor;west"
    " germany;east germany;new delhi;saint louis;st louis;san jose;port louis;new holland;new hampshire;south georgia".split(
        ";"
    )
)


def _same_thing(name: str, rest: str, asked: str) -> bool:
    words = spaced(normalise(rest)).split()
    if not words or words[0] in _NO_NAME or " ".join(words) in PLACES or words[-1] in _KINDS:
        return True
    if words[-1] in _CITY_AFTER_ONE_WORD and " " in name:
        return True
    return all(f" {word} " in asked for word in words)


def _known(institution: str, asked: str) -> bool:
    return f" {institution.split()[-1].lower()} " in asked


def _titled(text: str) -> bool:
    """Whether the text writes nearly every word with a capital, so that capitals say nothing."""
    words = [word for word in text.split() if word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in words)
    return len(words) > 5 and capitals >= 0.8 * len(words)


@lru_cache(maxsize=1 << 14)
def _pattern(answer: str) -> re.Pattern[str] | None:
    """The answer as a whole in a text, whatever its case; None for figures, which no name goes on from."""
    words = re.findall(r"[\w'’.]+", answer)
    if not words or any(char.isdigit() for char in answer) or not answer[0].isalpha():
        return None
    if words[0].lower() in ("the", "a", "an") and len(words) > 1:
        words = words[1:]
    return re.compile(r"(?<!\w)" + r"\W+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)
