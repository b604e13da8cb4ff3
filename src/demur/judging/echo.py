"""Texts that only repeat their question, and so hold no answer.

Of three kinds: the question itself, once or over and over ("Which planet has most moons? Which planet …");
the question as a statement, without what it asks for ("The villa in the film", of where that is); and words
of the question, or of "the answer to this question is", in a loop. A word that the question does not hold
is an answer, or part of one. Questions of yes or no and between options are left out: "The cat is black"
may answer them.
Source: Demur.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.refusal_answers import asks_whether
from demur.judging.refusal_content import stem
from demur.judging.refusal_words import word_set

_WORD = re.compile(r"\w+")
_ASKS = word_set("what who whom whose when where which why how")
_LITTLE = _ASKS | word_set("do does did is are was were has have had will would can could the a an happens")
_FRAME = frozenset(map(stem, word_set("the a an answer is to this that question it and")))
_FEWEST = 3
"""Words that say something in a statement that repeats its question."""
_PART = 0.75
"""The part of the question that it repeats at least."""
_LONGEST = 4000
"""Characters of a text that is looked at."""
_LONGEST_PERIOD = 40
"""Words of a fragment in a loop."""


@lru_cache(maxsize=4096)
def _asked(question: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The stems of a question, and those that a statement repeats; None where its words may answer it."""
    plain = question.lower().strip()
    words = _WORD.findall(plain)
    if asks_whether(plain) or "or" in words or _ASKS.isdisjoint(words):
        return None
    return tuple(map(stem, words)), () if "why" in words else _telling(words)


def _telling(words: list[str]) -> tuple[str, ...]:
    return tuple(stem(word) for word in words if word not in _LITTLE)


def only_echoes(text: str, question: str) -> bool:
    """Whether a text says nothing but its question, or parts of it over and over.

    Args:
        text: an answer as it was extracted.
        question: as asked; without one nothing is an echo.
    """
    asked = _asked(question) if question and text else None
    if asked is None or len(text) > _LONGEST:
        return False
    every, telling = asked
    stems: list[str] = []
    words: list[str] = []
    for match in _WORD.finditer(text.lower()):
        word = stem(match[0])
        if word not in every and word not in _FRAME:
            return False
        words.append(match[0])
        stems.append(word)
    if not stems:
        return False
    if len(stems) >= _FEWEST and all(word == every[n % len(every)] for n, word in enumerate(stems)):
        return True
    said = _telling(words)
    if len(said) >= max(_FEWEST, _PART * len(telling)) and telling[-len(said) :] == said:
        return True
    return _loops(stems)


def _loops(stems: list[str]) -> bool:
    """Whether a fragment stands four times or more, the last time perhaps in part."""
    longest = min(_LONGEST_PERIOD, len(stems) // 3)
    return any(stems[period:] == stems[:-period] for period in range(1, longest + 1)) and len(stems) > 4
