"""Texts in the form in which refusals are looked for, and the parts that they are read in.

In the plain form every way to write a negation is one: "don’t", "don´t", "don&#39;t", "dont", "don t" and
"do n't" are "do not", "I'm" is "i am", "cannot" is "can not". Emphasis, invisible characters and wrappers
("Answer: …", a JSON object with one answer) are gone. A part is a clause as far as this matters: where one
can decline and the next can answer, there is a border between them.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from functools import lru_cache
from typing import Any

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u00b4\u2032\uff07\u02bb\u055a", "'"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"),
        "\u2026": "...",
        **dict.fromkeys("\u2010\u2011\u2012", "-"),
    }
)
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|~~|(?m:^#+ )")
_SPACES = re.compile(r"[^\S\n]{2,}")
_NOT = re.compile(r" ?[nN]'[tT]\b")
_SHORTENED = re.compile(
    r"'(?:[mM]|[vV][eE]|[lL][lL]|[dD]|[rR][eE]"
    r"|(?:(?<=\b[iI]t')|(?<=\b[tT]hat')|(?<=\b[tT]here')|(?<=\b[hH]e')|(?<=\b[sS]he')|(?<=\b[wW]hat')"
    r"|(?<=\b[wW]ho')"
    r"|(?<=\b[hH]ere'))[sS])\b"
)
_FULL = {"m": " am", "ve": " have", "ll": " will", "d": " would", "re": " are", "s": " is"}
_BROKEN = re.compile(
    r"\b(?:(?P<verb>ca|wo|do|does|did|is|are|was|were|have|has|had|could|would|should)(?:nt|n t|n 't)\b"
    r"|(?P<can>can) t\b"
    r"|(?P<do>do)n not\b"
    r"|(?P<i>i) ?(?P<be>m|ve) (?=not\b|never\b|no\b|un|afraid|sorry|an?\b|just\b))",
    re.IGNORECASE,
)
"""Contractions without their apostrophe."""
_STEMS = (
    *(("ca not", "can not"), ("Ca not", "Can not"), ("CA NOT", "CAN NOT"), ("wo not", "will not")),
    *(("Wo not", "Will not"), ("WO NOT", "WILL NOT"), ("cannot", "can not"), ("Cannot", "Can not")),
    ("CANNOT", "CAN NOT"),
)
_WITHOUT_APOSTROPHE = (
    *("dont", "cant", "wont", "didnt", "doesnt", "isnt", "arent", "wasnt", "werent", "couldnt", "wouldnt"),
    *("havent", "hasnt", "shouldnt", "hadnt"),
)
_MAY_BE_BROKEN = ("n t ", "can t ", "n 't", "i m ", "im ", "ive ", "i ve ", "don not", *_WITHOUT_APOSTROPHE)

_NEXT_TURN = re.compile(r"\n+\s*(?:q|question|user|human|### ?\w+)\s*:", re.IGNORECASE)
_LABEL = re.compile(
    r"[\s*_#]*(?:the |my |final |short |correct ){0,3}(?:answer|response|output|reply|a)[*_]*\s*(?:is\s*)?"
    r"[:=]+[\s*_]*",
    re.IGNORECASE,
)
_ANSWER_KEYS = ("answer", "final_answer", "response", "result", "output", "value", "text", "prediction")


def canonical(text: str) -> str:
    """A text in its plain form, with its capitals."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_CHARACTERS)).translate(_CHARACTERS)
    if "`" in text:
        text = re.sub(r"(?<=\w)`(?=\w)", "'", text).replace("`", "")
    if "*" in text or "_" in text or "~" in text or "#" in text:
        text = _EMPHASIS.sub("", text)
    if "  " in text or "\t" in text:
        text = _SPACES.sub(" ", text)
    lowered = text.lower()
    if any(map(lowered.__contains__, _MAY_BE_BROKEN)):
        text = _BROKEN.sub(_mended, text)
        lowered = text.lower()
    if "'" in text:
        text = _SHORTENED.sub(_written_out, _NOT.sub(_negated, text))
    if "cannot" in lowered or " not" in text or " NOT" in text:
        for short, full in _STEMS:
            text = text.replace(short, full)
    return text


def _negated(match: re.Match[str]) -> str:
    return " NOT" if match[0].strip().isupper() else " not"


def _written_out(match: re.Match[str]) -> str:
    return _FULL[match[0][1:].lower()]


def _mended(match: re.Match[str]) -> str:
    if match["verb"]:
        return match["verb"] + (" NOT" if match[0].isupper() else " not")
    if match["can"]:
        return match["can"] + " not"
    return match["do"] + " not" if match["do"] else match["i"] + _FULL[match["be"].lower()] + " "


def lower(text: str) -> str:
    """Lower case, each character in its place."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(char.lower()[0] for char in text)


def unwrapped(text: str) -> str | None:
    """The answer within a wrapper: without a label, the next question's turn, JSON. None: JSON's null."""
    if "</think>" in text or "<|message|>" in text:
        text = re.split(r"</think>|<\|message\|>", text)[-1]
    if "\n" in text and (turn := _NEXT_TURN.search(text)):
        text = text[: turn.start()]
    stripped = text.strip().removeprefix("```json").strip("`").strip()
    if stripped.startswith("{"):
        try:
            found = json.loads(stripped)
        except (ValueError, RecursionError):
            return text
        return _answer_of(found, text)
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


def _answer_of(found: Any, text: str) -> str | None:
    if not isinstance(found, dict):
        return text
    key = next((key for key in _ANSWER_KEYS if key in found), None)
    if key is None and len(found) == 1:
        key = next(iter(found))
    if key is None:
        return text
    value = found[key]
    return None if value is None else value if isinstance(value, str) else text


SENTENCE_END = re.compile(
    r"(?:\.+(?<!\b[a-z]\.)(?<!\bdr\.)(?<!\bst\.)(?<!\bmr\.)(?<!\bmrs\.)(?<!\bms\.)(?<!\bvs\.)(?<!\bno\.)"
    r"(?<!\betc\.)(?<!\be\.g\.)(?<!\bi\.e\.)|[!?]+)[\"')\]]*(?=\s|\Z)|[。！？]|\n+"
)
"""Where a sentence of plain text ends: not after an initial or a common abbreviation."""

_GUESSED = (
    r"(?:(?:but |and |so )?(?:maybe|perhaps|possibly|probably|presumably|likely|most likely|i (?:think"
    r"|believe"
    r"|guess|suppose|would|will|recall)|(?:it|he|she|they) (?:is|was|could|might|may|must)|let's say"
    r"|let us say"
    r"|my (?:best )?guess|around|about|roughly|approximately|somewhere|sometime|at least|at most))\b"
)
_TURNS = r"(?:but|however|though|although|yet(?= i\b| it\b| the\b))\b,?"
_CLAUSE_END = re.compile(
    rf"\.\.\.+|;|—|:\s|\)|\s(?:[-–—]+\s|\(|{_TURNS})"
    rf"|,\s+(?:{_TURNS}|(?={_GUESSED})|(?=(?:so|and|or)? ?(?:i|we|you|there|please|let|could|can|no one"
    rf"|nobody) )"
    rf"|(?=(?:with (?:an?|the|no)|since|because|as there|as it|as the) ))"
)
_LAST_WORDS = re.compile(r",\s+(?=[\w' -]{1,30}\Z)")
_LAST_GUESS = re.compile(
    r",\s+(?=[\w' -]{1,30} (?:maybe|perhaps|probably|possibly|i (?:guess|think|believe))\Z)"
)
"""A guess at the end of a sentence: "I'm not sure, Rome?", "idk, rome maybe"."""


class Part:
    """A clause of a text: where it stands, in which sentence, and whether a turn leads to it."""

    __slots__ = ("asks", "end", "sentence", "start", "text", "turned")

    def __init__(self, text: str, start: int, end: int, sentence: int) -> None:
        self.text = text[start:end]
        self.start, self.end, self.sentence = start, end, sentence
        self.asks = False
        """Whether a question mark ends it."""
        self.turned = False
        """Whether it follows "but", "however" and the like."""


def parts(plain: str) -> list[Part]:
    """The clauses of a plain text in lower case, without empty ones."""
    found: list[Part] = []
    start, number = 0, 0
    for match in [*SENTENCE_END.finditer(plain), None]:
        stop, following = (match.start(), match.end()) if match else (len(plain), len(plain))
        before = len(found)
        asks = match is not None and "?" in match[0]
        number = _clauses(plain, start, stop, number, found, asks=asks)
        if asks and len(found) > before:
            found[-1].asks = True
        start = following
    return found


_LEAD = re.compile(
    r"\s*(?:as of|based on|while|although|though|given|according to|from what|for [\w ]+ reasons|at this"
    r"|in (?:this|my)"
    r"|to (?:be|the best)|as far as)\b[^,.;]{1,90}(,\s+)"
)
"""A lead-in, up to its comma: "As of my last update, …", "While I cannot taste it, …"."""
_CONCEDING = ("while", "although", "though")
_TURN_WORDS = ("but", "however", "though", "although", "yet")
_TURN = re.compile(r"\W*(?:but|however|though|although|yet|that said|nevertheless|nonetheless|still)\b,?")


def _clauses(plain: str, start: int, stop: int, number: int, found: list[Part], *, asks: bool) -> int:
    """Add the clauses of a sentence; gives the number of the next one."""
    opening = _TURN.match(plain, start, stop)
    turned = opening is not None
    start = opening.end() if opening else start
    borders = [match.span() for match in _CLAUSE_END.finditer(plain, start, stop)]
    last = _LAST_WORDS if asks else _LAST_GUESS
    if match := last.search(plain, borders[-1][1] if borders else start, stop):
        borders.append(match.span())
    position = start
    for end, following in borders:
        turned = _append(plain, position, end, number, found, turned=turned) and turned
        border = plain[end:following]
        number += ";" in border
        turned = turned or any(word in border for word in _TURN_WORDS)
        position = following
    _append(plain, position, stop, number, found, turned=turned)
    return number + 1


def _append(plain: str, start: int, stop: int, number: int, found: list[Part], *, turned: bool) -> bool:
    """Add a part unless it is empty; gives whether a turn is still to be noted."""
    if lead := _LEAD.match(plain, start, stop):
        turned = _append_one(plain, start, lead.start(1), number, found, turned=turned) and turned
        turned = turned or lead[0].lstrip().startswith(_CONCEDING)
        start = lead.end()
    return _append_one(plain, start, stop, number, found, turned=turned)


def _append_one(plain: str, start: int, stop: int, number: int, found: list[Part], *, turned: bool) -> bool:
    body = plain[start:stop]
    kept = body.strip(" ,.\"'*\n\t[]{}<>")
    if not kept or not any(map(str.isalnum, kept)):
        return True
    first = start + body.index(kept)
    part = Part(plain, first, first + len(kept), number)
    part.turned = turned
    found.append(part)
    return False


@lru_cache(maxsize=1024)
def question_form(question: str) -> str:
    """A question in plain form and lower case."""
    return lower(canonical(question))
