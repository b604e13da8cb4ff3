"""Denials without a verb of the question: there is none, nobody does, it was cancelled, it is another one.

Patterns are for the plain form of `refusal_text`, in lower case. Source: Demur.
"""

from __future__ import annotations

import re

from demur.judging.refusal_asked import BOUNDED, NUMBER, Asked, in_part, is_subject, until_end, until_stop
from demur.judging.refusal_content import WORD, content, contrary, share

_AFTERWARDS = re.compile(r"[^.!?\n]{4,160}[.!?] there (?:is|are|was|were) no ")
_NONE = re.compile(
    r"(?:(?P<subject>[^.,;:]{0,90}?)(?<!there )\b(?:has|have|had) (?:\w+ly )?no|(?:so |and |therefore |,"
    r" )*there "
    r"(?:is|are|was|were|has|have|had) (?:\w+ly )?(?:(?:been )?no|not (?:an?|any)|never (?:been )?(?:an?"
    r"|any)|not(?= (?:two|three|four|five|six"
    r"|seven|eight|nine|ten|\d)))|(?:no|none of)(?! (?:one|longer|single|definitive|best|right|universal"
    r"|easy|simple|comment|idea|clue|information|record))) "
)
_NO_THERE = re.compile(r"[^.;]*?\bso there (?:is|are|was|were) (?:none|no|not any)\b")
_UNREAL = re.compile(
    r"(?P<subject>[^.,;:]{1,60}?) (?:is|are|was|were) (?:just |only |simply |purely |entirely |a |an )*"
    r"(?:(?:mythical|mythological|fictional|fictitious|imaginary|legendary|made[- ]up|hypothetical)"
    r"(?: \w+){0,2}"
    r"|myths?|legends?|folklore|hoax(?:es)?|fabrications?|not (?:actually )?real)(?P<after>[.,;!]|"
    r" (?:and|so)\b|\s*\Z)"
)
_CANCELLED = re.compile(r"(?P<subject>[^.,;:]{1,60}?) (?:was|were) (?:\w+ly )?cancell?ed\b")
_IN_QUESTION = re.compile(
    r"\b(?:exist\w*|real|myth\w*|fiction\w*|legend\w*|kinds?|types?|creature|animal)\b"
)
_RULERS = frozenset({"monar", "king", "queen", "presi", "emper", "ruler"})
_INSTEAD = re.compile(
    r"(?:, (?:and |but )?|\()not (?:an? |the |in |on |at |by |from |between |of |for |\""
    r"|')*(?P<denied>[^.;,:()]{2,50})"
)


def repaired(opening: str, asked: Asked) -> bool:
    """Of the kind "The war was between Argentina and the United Kingdom, not France", of their war."""
    found = None if asked.amount else _INSTEAD.search(until_stop(opening))
    if found is None:
        return False
    before = content(opening[: found.start()])
    shared = sum(word in asked.words for word in before)
    return shared >= 1 and share(content(found["denied"]), asked.words) == 1


def none_of(opening: str, asked: Asked) -> bool:
    """Of the kind "There are no schools on the Moon", "England has no president", "No river flows …"."""
    if asked.amount and not _not_the_counted(opening, asked):
        return False
    if match := "so there" in opening and _NO_THERE.match(opening):
        return share(content(until_end(opening[match.end() :])), asked.words) >= 0.5
    if later := _AFTERWARDS.match(opening):
        words = content(until_end(opening[later.end() :]))
        return len(words) > 1 and share(words, asked.words) == 1
    found = _NONE.match(opening) if "no" in opening or "never" in opening else None
    if found is None:
        return False
    subject = found["subject"]
    rest = opening[found.end() :]
    said = until_end(rest)
    if in_part(rest, asked) or BOUNDED.search(said) or rest[len(said) :].startswith((", but", " but")):
        return False
    words = content(said)
    if subject is not None:
        ruled = asked.who and bool(words) and words[0] in _RULERS
        fits = ruled or share(words, asked.words) >= 0.5
        return fits and is_subject(subject, asked, pronouns=False)
    return share(words, asked.words) >= 0.6


_NO_MORE = re.compile(
    r"there (?:is|are|was|were|will be) no (?:(?:more|further|new|other) )?(?P<what>[^.,;:]*)"
)


def _not_the_counted(opening: str, asked: Asked) -> bool:
    """Of the kind "There are no more seasons left to air", of how many days are left until the next."""
    found = _NO_MORE.match(opening)
    words = content(found["what"]) if found else []
    return (
        bool(words)
        and bool(asked.counts)
        and asked.counts.isdisjoint(words)
        and share(words, asked.words) >= 0.6
    )


_TURN = re.compile(
    r", (?:but|although|though) (?:it|he|she|they|this|that) (?:is|are|was|were|do|does|did|has|have|had)"
    r" (?:\w+ly )?(?:not|never) (?:an? "
    r"|the )?(?P<what>[^.,;:]{2,60}?)(?: in the \w+ sense)?(?=[.,;:]|\s*\Z)"
)


def after_all(opening: str, asked: Asked) -> bool:
    """Of the kind "It is called a sea, but it is not a sea", of the kind of sea, at a sentence's end."""
    found = _TURN.search(until_stop(opening) + ".") if asked.thing else None
    return found is not None and share(content(found["what"]), asked.words) == 1


def not_all(opening: str, asked: Asked) -> bool:
    """Of the kind "Not all minerals need …", of why all do."""
    if not opening.startswith("not all ") or "all" not in asked.plain:
        return False
    return share(content(until_end(opening)), asked.words) >= 0.6


def nobody(opening: str, asked: Asked) -> bool:
    """Of the kind "Nobody lives on Mars", and "Nothing was taken to it"."""
    found = (
        None
        if asked.amount
        else re.match(r"(?:nobody|no one|nothing) (?:has |can |could |ever )*", opening)
    )
    if found is None:
        return False
    words = content(until_end(opening[found.end() :]))
    if asked.who or found[0].startswith("nothing"):
        return len(words) > 1 and share(words, asked.words) == 1
    return share(words, asked.words) >= 0.5 and words[-1] in asked.words


_ONLY = re.compile(
    rf"(?:(?P<subject>[^.,;:]{{1,60}}?) (?:has|have|had|contains?|is|are)|there (?:is|are|was|were))"
    rf" (?:\w+ly )?(?:only|just)"
    rf" {NUMBER} (?P<what>[^.,;:]{{2,50}})"
)


def only_so_many(opening: str, asked: Asked) -> bool:
    """Of the kind "Earth has just one moon", of the third largest."""
    found = _ONLY.match(opening) if asked.counted else None
    if found is None:
        return False
    return any(word in asked.words for word in content(found["what"])) and (
        found["subject"] is None or is_subject(found["subject"], asked, pronouns=False)
    )


def opposite(opening: str, asked: Asked, question: str) -> bool:
    """Of the kind "Coffee is perfectly legal in Italy", of why it is illegal."""
    said = re.match(r"[^.;:!?\n]*", opening)
    text = said[0] if said else ""
    if re.search(r"\b(?:because|due|since|reason|so that|in order)\b", text):
        return False
    words, theirs = WORD.findall(text), frozenset(WORD.findall(question))
    subject = content(" ".join(words[:3]))
    if not subject or subject[0] not in asked.words:
        return False
    denied = {word for word in theirs for other in words if contrary(word, other)}
    return bool(denied) and denied.isdisjoint(words)


def cancelled(opening: str, asked: Asked) -> bool:
    """Of the kind "The race of 1944 was cancelled", of who won it."""
    found = _CANCELLED.match(opening)
    return found is not None and not asked.why and share(content(found["subject"]), asked.words) == 1


def is_unreal(opening: str, question: str) -> bool:
    """Of the kind "Unicorns are mythical creatures", of how to feed them, and no more."""
    if not question:
        return False
    found = _UNREAL.match(opening)
    if found is None or _IN_QUESTION.search(question):
        return False
    words, asked = content(found["subject"]), set(content(question))
    if not words or share(words, frozenset(asked)) < 1 or asked <= set(words):
        return False
    rest = opening[found.end() :]
    return not rest.strip() or re.search(r"\b(?:not|no|cannot|never|vary|so)\b", rest[:160]) is not None
