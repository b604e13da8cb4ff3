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

from demur.core.records import Reading
from demur.judging.languages.denials import denies, gives_nothing
from demur.judging.languages.files import Language, Signs, languages, signs_of
from demur.judging.languages.grammar import Grammar, grammar_of
from demur.judging.languages.guess import (
    by_letters,
    candidates,
    language_of,
    may_be_foreign,
    neighbours,
    words_of,
)
from demur.judging.languages.normal import QUOTED, normal
from demur.judging.languages.patterns import UNSPACED

State = Reading

SHORT_ANSWER_WORDS = 6
"""A clause beside a sign is an answer by itself up to this many words."""
_SHORT_AFTER = 4
"""The same for a sentence without a turn that follows a sign: a longer one gives advice."""
LONG = 20
"""Words from which on a text that declines, and then turns, is unclear."""
_FEW = 10
"""Words up to which a text whose language is not sure is compared with the signs of every language."""
_SHORT_TEXT = 60
"""Characters up to which a text whose words tell of no language is read in that of the question."""
_MEANING = 2
"""Words up to which a text is the meaning of a word that was asked about: "Unknown."."""
_NEXT = 12
"""Characters within which a sign follows a colon."""
_LETTERS_A_WORD = 3
"""Characters that count as a word in scripts without spaces."""

_ENDS = re.compile(r"[.!?]+(?=\s|$)|[。！？!?؟।\n;؛]+|\s[-–—]\s|—|:(?=\s)|\s\(|\)")
_MARKS = "\"'“”„«»「」『』《》 "
_SENTENCE_END = re.compile(r"[.!?。！？؟।;؛:\n]")
_ATTRIBUTE = re.compile(
    r"(?<=った)[\u3400-\u9fff]|(?<=ない)[\u3400-\u9fff](?!でしょ)"
    r"|[은던] (?!것|정보|내용|상태|사항|점)\w|(?<=않)은 (?!것)"
)
"""What follows a Japanese or Korean verb that describes the noun after it."""
_NO_COMMA = frozenset({"fr", "es", "it", "pt", "nl", "hi"})
"""Languages that put no comma before "whose"."""
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

    text: str
    plain: str
    question: str
    language: Language
    signs: Signs

    @cached_property
    def _grammar(self) -> Grammar:
        return grammar_of(self.language.code)

    @cached_property
    def _found(self) -> tuple[list[tuple[int, int]], ...]:
        """Where signs of refusing, of doubt and of a denied premise stand."""
        return self._refusals, self._spans(self.signs.doubt), self._spans(self.signs.premise)

    def state(self) -> State:
        refusals, doubts, denials = self._found
        found = sorted([*refusals, *doubts])
        if self._asked_words and not refusals and self._length(self.plain) <= _MEANING:
            return "answered"
        if denials and (not found or denials[0][0] < found[0][0]):
            return "corrects-premise"
        if not found:
            return self._without_a_sign()
        beside = self._beside(found)
        return "refused" if beside is None else "hedged" if doubts and beside == "answered" else beside

    def _without_a_sign(self) -> State:
        """What a text without a sign does, seen beside what was asked."""
        grammar = self._grammar
        first = _SENTENCE_END.split(self.plain.strip(), maxsplit=1)[0]
        if not self._hedges(first) and denies(self.plain, self.question, self.language, grammar):
            return "contradicts"
        if self._hedges(self.plain):
            return "hedged"
        nothing = gives_nothing(self.text, self.plain, self.question, self.language, grammar)
        return "refused" if nothing else "answered"

    def has_sign(self) -> bool:
        return any(self._found)

    @cached_property
    def _refusals(self) -> list[tuple[int, int]]:
        """Where a sign, or words that stand together, decline to answer."""
        grammar = self._grammar
        own = grammar.first_person(self.plain) if self._asked_words else grammar.refusals(self.plain)
        composed = [
            (start, end)
            for start, end in own
            if self._counts(start, end) and not any(a <= start and end <= b for a, b in self._quoted)
        ]
        return composed if self._asked_words else [*self._spans(self.signs.refusal), *composed]

    def _beside(self, found: list[tuple[int, int]]) -> State | None:
        """What a text with signs does beside declining: None where nothing."""
        turned = hedged = False
        for clause in self._clauses:
            end = clause.start + len(clause.text)
            own = [span for span in found if span[0] < end and clause.start < span[1]]
            if own:
                hedged |= self._hedged_part(clause, own)
            elif not self._says_something(clause.text) or self._asks_or_explains(clause, found[0][0]):
                continue
            elif end <= found[0][0] and not clause.turned:
                return "hedged" if self._hedges(clause.text) else "answered"
            elif self._hedges(clause.text):
                hedged = True
            elif self._length(clause.text) <= (SHORT_ANSWER_WORDS if clause.turned else _SHORT_AFTER):
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
            opens = self.signs.but.match(text.lstrip()) is not None
            if not opens and self._explains(start, text):
                found.append(_Clause(start, text, False))
                continue
            for index, (offset, part) in enumerate(self._turns(start, text)):
                found.append(_Clause(start + offset, part, index > 0 or opens))
        return found

    def _explains(self, start: int, text: str) -> bool:
        """Whether a sentence without a sign follows one: a turn in it does not lead away from declining."""
        end = start + len(text)
        signs = [a for a, _ in self._refusals]
        return any(a < start for a in signs) and not any(start <= a < end for a in signs)

    def _turns(self, start: int, text: str) -> Iterator[tuple[int, str]]:
        """The parts of a sentence between words with which it turns; not those inside a sign."""
        at = 0
        for match in self.signs.but.finditer(text):
            place = start + match.start()
            if not any(a <= place < b for a, b in self._refusals):
                yield at, text[at : match.start()]
                at = match.end()
        yield at, text[at:]

    def _asks_or_explains(self, clause: _Clause, first_sign: int) -> bool:
        """Whether a clause is a question, or is explained after a colon by the first sign."""
        rest = self.plain[clause.start + len(clause.text) :].lstrip()
        after = clause.start + len(clause.text) <= first_sign
        bracket = not after and self.plain[: clause.start].rstrip().endswith("(")
        return (
            bracket
            or rest.startswith(("?", "؟"))
            or (after and rest.startswith(":") and self._sign_follows(clause))
        )

    def _sign_follows(self, clause: _Clause) -> bool:
        end = clause.start + len(clause.text)
        return any(0 <= start - end <= _NEXT for start, _ in self._refusals)

    def _says_something(self, clause: str) -> bool:
        bare = self.signs.hedges.sub(" ", clause)
        return any(char.isalnum() for char in bare) and not self.signs.idle.search(clause)

    def _hedges(self, text: str) -> bool:
        """Whether a text is not sure of what it says; a hedge alone says nothing."""
        found = self.signs.hedges.search(QUOTED.sub(" ", text))
        return found is not None and any(char.isalnum() for char in self.signs.hedges.sub("", text))

    def _length(self, text: str) -> int:
        if self.language.script in UNSPACED:
            return -(-sum(char.isalnum() for char in text) // _LETTERS_A_WORD)
        return len(text.split())

    def _spans(self, sign: re.Pattern[str]) -> list[tuple[int, int]]:
        """Where a sign stands and counts."""
        return [
            (start, end)
            for start, end in (match.span() for match in sign.finditer(self.plain))
            if self._counts(start, end)
            and not self.signs.taken_back.search(self.plain, max(0, start - 24), start)
            and not self._grammar.conditional(self.plain, start)
        ]

    def _counts(self, start: int, end: int) -> bool:
        """Whether words say something of this answer: no quotation, no remark, not in the question."""
        return (
            end > start
            and not (self.question and self.plain[start:end] in self.question)
            and not any(word in self.plain[start:end] for word in self._asked_words)
            and not (self._asked_words and ":" in self.plain[:start])
            and not any(a <= start and end <= b for a, b in (*self._quotes, *self._hedge_spans))
            and not self._is_aside(start, end)
            and not self._describes(start, end)
        )

    @cached_property
    def _asked_words(self) -> list[str]:
        """What the question puts in quotation marks, where it asks about words; they are no sign here."""
        if not self._grammar.places("wording", self.question):
            return []
        quoted = (match[0].strip(_MARKS) for match in QUOTED.finditer(self.question))
        return [word for word in quoted if word]

    @cached_property
    def _hedge_spans(self) -> list[tuple[int, int]]:
        return [match.span() for match in self.signs.hedges.finditer(self.plain)]

    @cached_property
    def _quoted(self) -> list[tuple[int, int]]:
        return [match.span() for match in QUOTED.finditer(self.plain)]

    @cached_property
    def _quotes(self) -> list[tuple[int, int]]:
        """Quotations, without one that is the whole text."""
        whole = (0, len(self.plain.rstrip(" .。!！")))
        return [quote for quote in self._quoted if quote != whole]

    def _describes(self, start: int, end: int) -> bool:
        """Whether a sign describes what is named: "a foundling whose origin was never cleared up"."""
        if _ATTRIBUTE.match(self.plain, end):
            return True
        ends = (match.end() for match in _SENTENCE_END.finditer(self.plain, 0, start))
        led = self.plain[max(ends, default=0) : start]
        for a, _ in self._grammar.places("relative", led):
            main = led[:a].strip(" ,،")
            comma = led[:a].rstrip().endswith((",", "،")) or self.language.code in _NO_COMMA
            if main and comma and not self.signs.idle.search(main) and not self._asks_or_denies(main):
                return True
        return False

    def _asks_or_denies(self, main: str) -> bool:
        return any(self._grammar.places(name, main) for name in ("not", "which", "ask"))

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
    if not may_be_foreign(text) and not (question and _asked_abroad(text, question)):
        return None
    code = language_of(text)
    if code in languages():
        assert code is not None
        return _known(text, question, code)
    if code is not None:
        return None
    return _beside_the_question(text, question) or (None if _is_title(text) else _short(text, question))


def _beside_the_question(text: str, question: str) -> State | None:
    """The state of a text of no known language, read in that of its question, or of both together.

    None where it answers.
    """
    own = (language_of(question) or language_of(f"{question} {text}")) if question else None
    if own is None or own not in languages():
        return None
    state = _reading(text, question, own).state()
    return None if state == "answered" else state


def _asked_abroad(text: str, question: str) -> bool:
    """Whether a short text answers a question in a language that has a file."""
    short = len(text) <= _SHORT_TEXT and may_be_foreign(question)
    return short and language_of(question) in languages()


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
    found = {*candidates(words), *by_letters(text)} | ({own} if own in languages() and own else set())
    near = sorted(found, key=lambda each: (each != own, each))
    readings = [_reading(text, question, each) for each in near]
    if declining := [reading.state() for reading in readings if reading.has_sign()]:
        return declining[0]
    hedging = (state for reading in readings if (state := reading.state()) == "hedged")
    return next(hedging, None)


def _is_title(text: str) -> bool:
    """Whether a text of three words or more writes all of them with a capital, as titles are in English."""
    words = text.split()
    return len(words) > 2 and all(word[0].isupper() for word in words)


def _reading(text: str, question: str, code: str) -> _Reading:
    language = languages()[code]
    return _Reading(text, normal(text, language.fold), _asked(question, code), language, signs_of(code))


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
