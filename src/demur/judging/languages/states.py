"""Whether a text in another language than English declines to answer, by the signs of its language's file.

The rules are those of `demur.judging.refusals`, in short: a sign alone does not decide. It does not count
in quotation marks, in the question, after a word that takes it back, or in a remark between commas. A text
that goes on to answer is hedged; one that answered before is answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from demur.judging.languages.files import Language, Signs, languages, signs_of
from demur.judging.languages.guess import candidates, language_of, may_be_foreign, neighbours, words_of
from demur.judging.languages.normal import normal
from demur.judging.languages.patterns import UNSPACED

State = Literal["refused", "answered", "hedged", "corrects-premise", "unclear"]

SHORT_ANSWER_WORDS = 6
"""A clause beside a sign is an answer by itself up to this many words."""
LONG = 20
"""Words from which on a text that declines, and then turns, is unclear."""
_FEW = 10
"""Words up to which a text whose language is not sure is compared with the signs of every language."""
_LETTERS_A_WORD = 3
"""Characters that count as a word in scripts without spaces."""

_QUOTED = re.compile(
    r"\"[^\"]*\"|“[^”]*”|„[^“”\"]*[“”\"]|«[^»]*»|「[^」]*」|『[^』]*』|《[^》]*》|(?<!\w)'[^'\n]*'(?!\w)"
)
_ENDS = re.compile(r"[.!?]+(?=\s|$)|[。！？!?؟।\n;؛]+|\s[-–—]\s|—|:(?=\s)|\s\(|\)")
_COMMAS = re.compile(r"[,،、]")
_ASIDE = re.compile(r"\w+[^,،.!?]*[,،][^,،.!?]*$")
_ASIDE_ENDS = re.compile(r"\s*(?:\w+\s*)?[,،]\s*\w+\s+\w+")


@dataclass(frozen=True)
class _Clause:
    """A part of a text between two ends of sentences or turns; ``turned``: a turn leads to it."""

    start: int
    text: str
    turned: bool


@dataclass(frozen=True)
class _Reading:
    """One text in normal form, with what was found in it."""

    plain: str
    question: str
    language: Language
    signs: Signs

    @cached_property
    def _found(self) -> tuple[list[tuple[int, int]], ...]:
        """Where signs of refusing, of doubt and of a denied premise stand."""
        return tuple(map(self._spans, (self.signs.refusal, self.signs.doubt, self.signs.premise)))

    def state(self) -> State:
        refusals, doubts, denials = self._found
        found = sorted([*refusals, *doubts])
        if denials and (not found or denials[0][0] < found[0][0]):
            return "corrects-premise"
        if not found:
            return "hedged" if self._hedges(self.plain) else "answered"
        beside = self._beside(found)
        return "refused" if beside is None else "hedged" if doubts and beside == "answered" else beside

    def has_sign(self) -> bool:
        return any(self._found)

    def _beside(self, found: list[tuple[int, int]]) -> State | None:
        """What a text with signs does beside declining: None where nothing."""
        turned = hedged = False
        for clause in self._clauses:
            end = clause.start + len(clause.text)
            own = [span for span in found if span[0] < end and clause.start < span[1]]
            if own:
                hedged |= self._hedged_part(clause, own)
            elif not self._says_something(clause.text):
                continue
            elif end <= found[0][0] and not clause.turned:
                return "hedged" if self._hedges(clause.text) else "answered"
            elif self._hedges(clause.text):
                hedged = True
            elif self._length(clause.text) <= SHORT_ANSWER_WORDS:
                return "answered"
            elif clause.turned:
                turned = True
        if hedged:
            return "hedged"
        if turned:
            return "unclear" if self._length(self.plain) >= LONG else "answered"
        return None

    def _hedged_part(self, clause: _Clause, signs: list[tuple[int, int]]) -> bool:
        """Whether a part between commas, without a sign, gives an answer that is not sure of itself."""
        for start, part in _parts(_COMMAS, clause.text):
            place = clause.start + start, clause.start + start + len(part)
            if any(a < place[1] and place[0] < b for a, b in signs):
                continue
            following = min([a for a, _ in signs if a >= place[1]], default=clause.start + len(clause.text))
            rest = self.plain[place[0] : following]
            if self.signs.hedges.search(part) and self._says_something(rest):
                return True
        return False

    @cached_property
    def _clauses(self) -> list[_Clause]:
        found = []
        for start, text in _parts(_ENDS, self.plain):
            for index, (offset, part) in enumerate(_parts(self.signs.but, text)):
                turned = index > 0 or self.signs.but.match(text.lstrip()) is not None
                found.append(_Clause(start + offset, part, turned))
        return found

    def _says_something(self, clause: str) -> bool:
        bare = self.signs.hedges.sub(" ", clause)
        return any(char.isalnum() for char in bare) and not self.signs.idle.search(clause)

    def _hedges(self, text: str) -> bool:
        """Whether a text is not sure of what it says; a hedge alone says nothing."""
        found = self.signs.hedges.search(_QUOTED.sub(" ", text))
        return found is not None and any(char.isalnum() for char in self.signs.hedges.sub("", text))

    def _length(self, text: str) -> int:
        if self.language.script in UNSPACED:
            return -(-sum(char.isalnum() for char in text) // _LETTERS_A_WORD)
        return len(text.split())

    def _spans(self, sign: re.Pattern[str]) -> list[tuple[int, int]]:
        """Where a sign stands and counts."""
        found = [match.span() for match in sign.finditer(self.plain)]
        if not found:
            return []
        quotes = [match.span() for match in _QUOTED.finditer(self.plain)]
        whole = (0, len(self.plain.rstrip(" .。!！")))
        return [
            (start, end)
            for start, end in found
            if end > start
            and not (self.question and self.plain[start:end] in self.question)
            and not self.signs.taken_back.search(self.plain, max(0, start - 24), start)
            and not any(a <= start and end <= b for a, b in quotes if (a, b) != whole)
            and not self._is_aside(start, end)
        ]

    def _is_aside(self, start: int, end: int) -> bool:
        """Whether a sign stands in a remark: "the picture, whose painter is unknown, hangs in Rome"."""
        if self.language.script in UNSPACED:
            return False
        before = _ASIDE.search(self.plain, 0, start)
        if not before or self.signs.idle.search(before[0]):
            return False
        after = _ASIDE_ENDS.match(self.plain, end)
        return after is not None and self.signs.but.search(after[0]) is None


def foreign_state(text: str, question: str = "") -> State | None:
    """Whether a text in a language that has a file declines to answer; None for English and the rest.

    Args:
        text: what the system said.
        question: the question as asked; signs that stand in it do not count.

    Returns:
        "refused": it declines, and says nothing else. "hedged": it answers, and says that it may be wrong.
        "corrects-premise": it says that what is asked about does not exist or is not so. "unclear": it
        declines at length, and turns to something else. "answered": anything else.
    """
    if not may_be_foreign(text):
        return None
    code = language_of(text)
    if code in languages():
        assert code is not None
        return _known(text, question, code)
    return None if code is not None or _is_title(text) else _short(text, question)


def _known(text: str, question: str, code: str) -> State:
    """The state of a text whose language is known; Chinese characters may be Japanese, by the question."""
    if code == "zh" and _asked_in(question) == "ja":
        code = "ja"
    first = _reading(text, question, code)
    if first.has_sign():
        return first.state()
    others = (_reading(text, question, each) for each in neighbours(text, code))
    return next((each for each in others if each.has_sign()), first).state()


def _short(text: str, question: str) -> State | None:
    """The state of a text that is too short for its language to be known: by a sign of any, or a hedge."""
    words = words_of(text)
    if len(words) > _FEW:
        return None
    own = _asked_in(question)
    near = sorted(candidates(words), key=lambda each: each != own)
    readings = [_reading(text, question, each) for each in near]
    declining = (reading.state() for reading in readings if reading.has_sign())
    hedging = (state for reading in readings if (state := reading.state()) == "hedged")
    return next(declining, None) or next(hedging, None)


def _is_title(text: str) -> bool:
    """Whether a text of three words or more writes all of them with a capital, as titles are in English."""
    words = text.split()
    return len(words) > 2 and all(word[0].isupper() for word in words)


def _reading(text: str, question: str, code: str) -> _Reading:
    language = languages()[code]
    return _Reading(normal(text, language.fold), _asked(question, code), language, signs_of(code))


@lru_cache(maxsize=1024)
def _asked(question: str, code: str) -> str:
    """A question in the normal form of a language; many texts answer one."""
    return normal(question, languages()[code].fold) if question else ""


@lru_cache(maxsize=1024)
def _asked_in(question: str) -> str | None:
    """The language of a question."""
    return language_of(question) if question else None


def _parts(mark: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """The parts of a text between marks, each with its place."""
    start = 0
    for match in mark.finditer(text):
        yield start, text[start : match.start()]
        start = match.end()
    yield start, text[start:]
