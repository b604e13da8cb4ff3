"""Where signs of refusal stand in a text, without those that only look like one there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from demur.judging.refusal_look import Look, signs_in
from demur.judging.refusal_words import bounded

Span = tuple[int, int]
"""Start and end."""
PUNCTUATION = " \t\n.!?\"'[]<>(){}*_`|:-"
"""What may stand around a whole answer."""

QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'(?:[^']|(?<=\w)'(?=\w))*'(?!\w)")
_ASIDE = re.compile(r", (?:(?:about |of )?(?:who|whom|whose|which)|(?:al)?though (?:his|her|its)) [^,.;]*$")
"""Before a sign that is a remark on a name: "the earl, whose name is unknown, …"."""
_DEFINES = re.compile(
    r"\b(?:(?:view|belief|idea|theory|claim|position|doctrine|someone|somebody|one|things?|something"
    r"|form|kind"
    r"|type) (?:that|who|which)|(?:means|implies|holds) that) [^.;,]*$"
)
"""Before a sign that is part of a definition: "the view that the existence of God is unknown"."""
_WITHIN = re.compile(r"\b(?:whose|who|which) (?:\w+ ){0,3}$")


def sign_spans(
    composed: str, plain: str, question: str, keys: Sequence[str], seen: Look | None
) -> list[Span]:
    """Where signs of refusal stand, in order and without overlaps.

    Args:
        composed: the text in plain form, with its capitals.
        plain: the same in lower case.
        question: in plain form; signs that stand in it do not count.
        keys: the method's own refusal sentences, in plain form.
        seen: what the first look found worth a search.
    """
    found = [span for key in keys for span in _occurrences(plain, key)]
    if seen is not None:
        found += [span for span in signs_in(plain, seen) if not _is_title(composed, span)]
    if not found:
        return []
    quoted = '"' in plain or "'" in plain or not plain.isascii()
    quotes = [match.span() for match in QUOTED.finditer(plain)] if quoted else []
    whole = (len(plain) - len(plain.lstrip()), len(plain.rstrip(" .\n")))
    return merged(
        (start, end)
        for start, end in found
        if (plain[start:end] not in question or plain.strip(PUNCTUATION) == plain[start:end])
        and not _is_aside(plain, start, end)
        and not any(_inside((start, end), quote) for quote in quotes if quote != whole)
    )


def _is_aside(plain: str, start: int, end: int) -> bool:
    """Whether a sign is a remark on a name: after a comma, or with the main clause still to come."""
    before = plain[:start]
    if not any(word in before for word in ("who", "which", "though", "that")):
        return False
    if _ASIDE.search(before) or _DEFINES.search(before[-120:]):
        return True
    if not _WITHIN.search(before[-40:]):
        return False
    rest = re.match(r"[^.,;!?\n]*", plain[end:])
    return rest is not None and len(rest[0].split()) >= 2


def _is_title(text: str, span: Span) -> bool:
    """Whether a sign is the name of a work: "I Don't Know by Ozzy", in a text not all in capitals."""
    if not text[span[0]].isupper():
        return False
    words = [word for word in text[slice(*span)].split() if word != "not"]
    return (
        len(words) > 1
        and all(word[0].isupper() for word in words)
        and any(word[0].islower() for word in text.split())
    )


def _occurrences(plain: str, key: str) -> list[Span]:
    if key not in plain:
        return []
    return [match.span() for match in re.finditer(bounded(re.escape(key)), plain)]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _inside(span: Span, outer: Span) -> bool:
    return outer[0] <= span[0] and span[1] <= outer[1]


def without(text: str, spans: list[Span]) -> str:
    """A text with the spans cut out."""
    for start, end in reversed(spans):
        text = text[:start] + " " + text[end:]
    return text
