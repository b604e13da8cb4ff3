"""A first look at a text: which signs of refusal are worth a search, by the words that it holds.

Most answers hold none of the words, and are cleared at once; for the others a few patterns are tried.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from demur.judging.refusal_hints import HINTS
from demur.judging.refusal_signs import FAMILIES
from demur.judging.refusal_words import FIND_OUT, HARD

_PUNCTUATION = str.maketrans(dict.fromkeys(".,;:!?\"'()<>{}*_|/\u2018\u2019\u00b4`-–—\n\t", " "))


def may_decline(text: str) -> bool:
    """Whether a text in lower case, plain or as it was said, is worth a closer look."""
    return not HINTS.isdisjoint(text.translate(_PUNCTUATION).split()) or "?" in text[-3:]


OPENINGS = (
    # It shrugs, or asks back at once.
    r"\W*(?:(?:sorry|hmm+|well|oh|ah|honestly|truly|uh+|um+|unfortunately|good question|great question|no"
    r"|ok|sure)\W+){0,2}"
    r"(?:(?:i )?(?:have )?(?:absolutely |really |still )?(?:no idea|no clue|not (?:\w+ )?(?:sure|certain)"
    r"|dunno|idk"
    r"|(?:do|did) not (?:really |actually )?(?:know|remember|recall)|unsure|uncertain"
    r"|have not (?:the (?:faintest|foggiest|slightest)|a clue)"
    r"|(?:can|could) not (?:really )?(?:say|tell|answer|help|find|remember|recall|verify|(?:see"
    r"|check|access)"
    r" (?:that|this|it|your|any))"
    r"|unknown(?= ?[,(;:]|\s*\Z| to me)|unclear(?= ?[,(;:]|\s*\Z)|not known(?=,|\s*\Z)))\b",
    r"\W*(?:not (?:in|stated in|given in|found in|mentioned in|specified in) (?:the|this))\b",
    r"\W*(?:sorry\W+)?no (?:further |relevant |specific |reliable )?(?:information|info|data|details"
    r"|answer|records?)"
    r"(?: (?:is |was |were |are )?(?:available|found|provided|given|exists?))?(?=[.,!]|\s*\Z| (?:on|about"
    r"|for|regarding)\b)",
    r"\W*no comment\b",
    r"\W*not applicable\b",
    r"\W*(?:hmm+\W+|sorry\W+|well\W+|um+\W+)?(?:which (?:of |one |\w+ )?[^?.\n]{0,80}|what (?:kind|sort"
    r"|type|exactly)\b[^?.\n]{0,80})\?\s*\Z",
    r"\W*(?:hmm+\W+|sorry\W+|well\W+)?(?:do you (?:mean|have)|is (?:that|this|it) the [^?\n]{1,60}"
    r" or)\b[^?\n]{0,80}\?\s*\Z",
    r"\W*(?:i )?wish i (?:knew|could)\b",
    r"\W*please (?:provide|give|share|send|paste|attach|upload|supply|show|tell me)\b",
    r"\W*search me\b",
    rf"\W*{HARD} (?:for me )?to (?:\w+ )?{FIND_OUT}\b",
    r"\W*(?:it )?can not be (?:answered|determined)\b",
    r"\s*(?:please )?(?:clarify|rephrase|specify|(?:provide|give) (?:me )?(?:\w+ ){0,2}(?:more|additional"
    r"|further))\b",
)
"""Signs at the beginning of a text only."""
_OPEN = (
    *("dunno", "idk", "unsure", "uncertain", "unknown", "unclear", "search", "difficult", "hard", "tough"),
    *(
        "tricky",
        "challenging",
        "too",
        "impossible",
        "please",
        "clarify",
        "rephrase",
        "specify",
        "provide",
        "give",
    ),
    *(
        "don",
        "do",
        "did",
        "didn",
        "haven",
        "have",
        "can",
        "could",
        "couldn",
        "dont",
        "didnt",
        "cant",
        "couldnt",
    ),
    *(
        "not",
        "sorry",
        "hmm",
        "hmmm",
        "well",
        "oh",
        "ah",
        "honestly",
        "truly",
        "uh",
        "um",
        "unfortunately",
        "no",
    ),
    *("ok", "sure", "good", "great", "which", "what", "wish", "is", "i"),
)
"""First words of a text that may open with a sign."""
_DENIALS = (
    "exist exists existed existent nonexistent fictional fictitious imaginary mythical invented"
    " hypothetical"
    " fabricated premise assumption assumptions presupposition assumes presupposes presumes",
    "made&up",
    "not never&exist seem appear refer correspond real actual existing recognized recognised known"
    " happen happened"
    " take took occur occurred character player contestant song album book novel film movie show series"
    " episode verse"
    " word term phrase word characters place king queen president capital emperor official",
    "no&there such exists existed was were",
)
_OTHERS = (
    "please you i try would&check consult visit refer ask contact look search checking consulting visiting"
    " asking",
    "depends depend vary varies",
    "different many various several multiple number variety&can could may might&things meanings"
    " words concepts",
    "insert [insert [name] [your [date] [year] [city] [person]",
)


class Look(NamedTuple):
    """What is worth a search in one text."""

    patterns: tuple[re.Pattern[str], ...]
    """Signs of refusal."""
    opens: bool
    """Whether it may begin with a sign that counts there only."""
    denies: bool
    """Whether it may deny what the question takes for granted."""
    other: bool
    """Whether it may hold advice, or a gap to be filled in."""


class _Index(NamedTuple):
    """The gates by their first words, so that a text's words lead to the few that may open."""

    by_word: dict[str, tuple[int, ...]]
    words: frozenset[str]
    rests: tuple[tuple[frozenset[str], ...], ...]
    patterns: tuple[re.Pattern[str] | None, ...]
    opening: frozenset[str]
    denials: int
    """From this number on gates belong to denials,"""
    others: int
    """and from this one on to the rest."""


@lru_cache(maxsize=1)
def _index() -> _Index:
    gates = [gate for gate, _, _ in FAMILIES]
    patterns: list[re.Pattern[str] | None] = [
        re.compile(rf"(?:{beginning}(?:{'|'.join(ends)}))(?![a-z0-9_])") for _, beginning, ends in FAMILIES
    ]
    denials, others = len(gates), len(gates) + len(_DENIALS)
    gates += [*_DENIALS, *_OTHERS]
    patterns += [None] * (len(gates) - denials)
    by_word: dict[str, tuple[int, ...]] = {}
    for number, gate in enumerate(gates):
        for word in set(gate.partition("&")[0].split()):
            by_word[word] = (*by_word.get(word, ()), number)
    rests = tuple(tuple(frozenset(part.split()) for part in gate.split("&")[1:]) for gate in gates)
    return _Index(by_word, frozenset(by_word), rests, tuple(patterns), frozenset(_OPEN), denials, others)


def look(text: str) -> Look | None:
    """What is worth a search in plain text in lower case; None: nothing is."""
    index = _index()
    tokens = text.translate(_PUNCTUATION).split()
    if not tokens:
        return None
    words = frozenset(tokens)
    found: set[int] = set()
    for word in words & index.words:
        found.update(index.by_word[word])
    opens = tokens[0] in index.opening
    passed = [n for n in found if not any(map(words.isdisjoint, index.rests[n]))]
    if not passed and not opens:
        return None
    passed.sort()
    return Look(
        tuple(pattern for n in passed if (pattern := index.patterns[n]) is not None),
        opens,
        any(index.denials <= n < index.others for n in passed),
        any(n >= index.others for n in passed),
    )


@lru_cache(maxsize=1)
def _opening() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(OPENINGS)})(?![a-z0-9_])")


_BEFORE = " \t\n.,;:!?\"'()[]<>{}*_-“”«»"


def signs_in(plain: str, seen: Look) -> list[tuple[int, int]]:
    """Where built-in signs of a refusal stand in plain text, as (start, end), unordered."""
    opening = _opening().match(plain) if seen.opens else None
    found = [(opening.end() - len(opening[0].lstrip(_BEFORE)), opening.end())] if opening else []
    for pattern in seen.patterns:
        # Whether a word begins there is checked afterwards: patterns that begin with letters are faster.
        match = pattern.search(plain)
        while match:
            start, end = match.span()
            if start == 0 or not (plain[start - 1].isalnum() and plain[start].isalnum()):
                found.append((start, end))
            else:
                end = start + 1
            match = pattern.search(plain, end)
    return found
