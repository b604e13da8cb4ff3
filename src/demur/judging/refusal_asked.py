"""What a question takes for granted, and where a denial of it begins and ends.

Patterns are for the plain form of `refusal_text`, in lower case. Source: Demur.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from demur.judging.refusal_answers import asks_whether
from demur.judging.refusal_content import WORD, content, share, stem

_ASKS = re.compile(
    r"\b(?:why|how|what|which|who|whom|whose|where|when)\b|(?:please )?(?:list|name|give|describe"
    r"|explain)\b"
)
_NEGATED = re.compile(
    r"\b(?:not|never|no|none|nor|neither|except|unable|impossible|incorrect|false|unknown|cannot)\b"
    r"|\b(?:lack|fail|avoid)\w*|'t\b"
)
_ATTITUDE = re.compile(
    r"\b(?:do|does|did|would|will) .*\b(?:believe|think|feel|agree|happen)\b"
    r"|\b(?:differ(?:s|ed)?|differences?|happen\w*)\b"
)
_OPTIONS = re.compile(r"[^?,:.]*\bor\b[^?,:.]*")
_AMOUNT = re.compile(r"\bhow (?:many|much)\b(?! (?:is|are|was|were|do|does|did|will|would|can|could)\b)")
_COUNTS = re.compile(
    r"\bhow (?:many|much) (?P<what>.*?) (?:is|are|was|were|do|does|did|has|have|had|can|could|will"
    r"|would|in|of)\b"
)
_WHY = re.compile(r"(?:and |so |but )?why\b")
_STOPS = re.compile(r"[.;!?:\n](?=\s|\Z)")
_END = re.compile(
    r"[.!?;:\n](?=\s|\Z)|,? \(|,? (?:as|because|since|so|due|and therefore|but|although|though|instead"
    r"|rather"
    r"|which|unless|for|hence|whereas|while|given|or|like(?: \w+)? other) |, "
)
"""Where a denial ends."""
_LESS = re.compile(
    r" ?(?:only|just|single|definitive|universal|one|merely|simply|necessarily|always|entirely|fully"
    r"|completely|exactly|all|every|yet|even"
    r"|solely|so|very|too|sure|certain|clear|mentioned|stated|known(?= [^.]*\b(?:who|when|how|why|what"
    r"|if|whether)\b|\W*\Z))\b"
)
"""What a negation denies in part only, or of what is known."""
BOUNDED = re.compile(
    r"\b(?:until|till|before|after|unless|except|other than|anymore|any more|any longer)\b"
)
_PRONOUNS = frozenset({"it", "they", "he", "she", "you", "we", "people", "one", "this", "that", "these"})
_RELATIVE = re.compile(
    r"\b(?:which|who|that|because|since|if|when|where|while|although|though|said|says)\b"
)
NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+)"
_COUNTED = re.compile(
    rf"\b(?:{NUMBER}|\d+(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
    rf"|tenth|\w*th)\b"
)


class Asked(NamedTuple):
    """A question that presupposes something."""

    words: frozenset[str]
    """The stems of those that say something,"""
    plain: frozenset[str]
    """and of all."""
    options: frozenset[str]
    """The stems of the options that it names: "cats or dogs"."""
    amount: bool
    counts: frozenset[str]
    """The stems of what "how many" counts."""
    attitude: bool
    why: bool
    who: bool
    counted: bool
    """Whether it holds a number."""
    when: bool
    thing: bool
    """Whether it asks what, which, who, when or where, and neither why nor how."""


@lru_cache(maxsize=4096)
def presupposed(question: str) -> Asked | None:
    """What a question presupposes; None where it is of yes or no, or negates."""
    question = question.strip()
    if not question or asks_whether(question) or not _ASKS.search(question) or _NEGATED.search(question):
        return None
    return Asked(
        frozenset(content(question)),
        frozenset(map(stem, WORD.findall(question))),
        frozenset(content(" ".join(_OPTIONS.findall(question)))),
        _AMOUNT.search(question) is not None,
        frozenset(content(counted["what"])) if (counted := _COUNTS.search(question)) else frozenset(),
        _ATTITUDE.search(question) is not None,
        _WHY.match(question) is not None,
        re.search(r"\bwho\b", question) is not None,
        _COUNTED.search(question) is not None,
        re.match(r"(?:(?:in|on|at) )?(?:when|what year|which year|what date)\b", question) is not None,
        re.search(r"\b(?:why|how)\b", question) is None,
    )


def until_stop(text: str) -> str:
    """The text up to the end of its sentence."""
    stop = _STOPS.search(text)
    return text[: stop.start()] if stop else text


def until_end(text: str) -> str:
    """The text up to where a denial ends."""
    end = _END.search(text)
    return text[: end.start()] if end else text


def is_subject(subject: str, asked: Asked, *, pronouns: bool = True) -> bool:
    """Whether the words before a negation are what was asked about."""
    if _RELATIVE.search(subject) or "," in subject or len(subject.split()) > 16:
        return False
    said = [word for word in subject.split() if not word.endswith("ly")]
    if pronouns and said and len(said) <= 2 and said[-1] in (*_PRONOUNS, "i"):
        return True
    if subject.strip() == "the us" and "we" in asked.plain:
        return True
    words = content(subject)
    return bool(words) and (words[0] in asked.words or share(words, asked.words) >= 0.5)


def in_part(rest: str, asked: Asked) -> bool:
    """Whether a negation denies only that it is always so, and not what is asked."""
    less = _LESS.match(rest)
    return less is not None and stem(less[0].strip()) not in asked.plain
