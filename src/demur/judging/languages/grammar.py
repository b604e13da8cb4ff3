"""Finds refusals by how words of several classes stand together, in every language by the same rules.

A language file lists words by class (`[classes]`): what says that nothing is known, what asks back, nouns
of information, words of absence, verbs of knowing and telling, and so on. The rules below say which
classes, near one another in one part of a sentence, decline to answer: a word for "no" and a noun of
information, a word for "impossible" and a verb of telling. A class that a language leaves out has no rule.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from demur.judging.languages.files import languages, one_of
from demur.judging.languages.patterns import UNSPACED

Span = tuple[int, int]

_CHARACTERS_A_WORD = 3
"""Characters that count as a word in scripts without spaces."""
_SHORT_QUESTION = 8
"""A question of up to so many words that has a question word asks back."""
_LONGEST_QUESTION = 24
_PARTS = re.compile(r"[.!?]+(?=\s|$)|[。！？؟।\n;؛,،、]+|:(?=\s)|\s[-–—]\s|—|\s\(|\)")
_QUESTION = re.compile(r"[^.!?。！？؟।\n;؛]{2,300}[?？؟]")


class _Rule(NamedTuple):
    """Classes that stand near one another: at most ``far`` words between, in this order or in any."""

    classes: tuple[str, ...]
    far: int
    ordered: bool = False


_ALONE = ("inot", "clarify", "idiom")
_RULES = (
    _Rule(("impossible", "say"), 6),
    _Rule(("nobody", "knows"), 6),
    _Rule(("none", "info"), 3, ordered=True),
    _Rule(("info", "absent"), 5),
    _Rule(("not", "recorded"), 3),
    _Rule(("text", "not", "mention"), 5),
    _Rule(("text", "silent"), 6),
)


class Grammar:
    """The word classes of one language, to be looked for in a text in its normal form."""

    def __init__(self, classes: Mapping[str, re.Pattern[str]], unspaced: bool) -> None:
        self.classes, self._unspaced = classes, unspaced

    def refusals(self, plain: str) -> list[Span]:
        """Where words stand together that decline to answer."""
        found = [span for name in _ALONE for span in self.places(name, plain)]
        borders = [match.start() for match in _PARTS.finditer(plain)]
        known: dict[str, list[Span]] = {}
        for rule in _RULES:
            places = []
            for name in rule.classes:
                if name not in known:
                    known[name] = self.places(name, plain)
                if not known[name]:
                    break
                places.append(known[name])
            else:
                found += self._together(places, rule, plain, borders)
        return found + list(self._questions(plain))

    def first_person(self, plain: str) -> list[Span]:
        """Where the writer declines for himself, or asks back."""
        return [span for name in ("inot", "clarify") for span in self.places(name, plain)]

    def places(self, name: str, plain: str) -> list[Span]:
        """Where words of a class stand."""
        pattern = self.classes.get(name)
        return [match.span() for match in pattern.finditer(plain)] if pattern else []

    def conditional(self, plain: str, start: int) -> bool:
        """Whether the part of a sentence that holds a place opens with "if": no statement of its own."""
        pattern = self.classes.get("if")
        if pattern is None:
            return False
        borders = [match.end() for match in _PARTS.finditer(plain, 0, start)]
        led = plain[max(borders, default=0) : start].lstrip()
        return pattern.match(led) is not None

    def _together(
        self, places: list[list[Span]], rule: _Rule, plain: str, borders: list[int]
    ) -> Iterator[Span]:
        chosen: list[tuple[Span, ...]] = [()]
        for part in places:
            chosen = [(*before, span) for before in chosen for span in part][:64]
        for spans in chosen:
            row = list(spans) if rule.ordered else sorted(spans)
            near = all(self._near(a, b, rule.far, plain) for a, b in pairwise(row))
            if near and self.conditional(plain, row[0][0]):
                continue
            if near and bisect_right(borders, row[0][0]) == bisect_right(borders, row[-1][1] - 1):
                yield row[0][0], row[-1][1]

    def _near(self, first: Span, second: Span, far: int, plain: str) -> bool:
        if second[0] < first[1]:
            return False
        between = plain[first[1] : second[0]]
        words = len(between) / _CHARACTERS_A_WORD if self._unspaced else len(between.split())
        return words <= far

    def _questions(self, plain: str) -> Iterator[Span]:
        """Where the text asks back: a short question with a question word, or one with a verb of asking."""
        if "?" not in plain and "؟" not in plain:
            return
        for match in _QUESTION.finditer(plain):
            if not (asked := self.places("which", match[0])):
                continue
            words = len(match[0]) / _CHARACTERS_A_WORD if self._unspaced else len(match[0].split())
            if words <= _SHORT_QUESTION or (words <= _LONGEST_QUESTION and self.places("ask", match[0])):
                yield match.start() + asked[0][0], match.end()


@cache
def grammar_of(code: str) -> Grammar:
    """The word classes of a language that has a file."""
    language = languages()[code]
    classes = {name: one_of(signs, language) for name, signs in language.classes.items()}
    return Grammar(classes, language.script in UNSPACED)
