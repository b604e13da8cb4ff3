"""Whether a text takes back what its question assumes, or gives none of what was asked for."""

from __future__ import annotations

import re

from demur.judging.languages.files import Language
from demur.judging.languages.grammar import Grammar
from demur.judging.languages.patterns import UNSPACED

_FIRST = re.compile(r"[^.!?。！？؟।;؛\n]{1,300}")
_WORDS = re.compile(r"[^\W\d_][\w\u0900-\u0963\u064b-\u065f]{3,}")
_RUNS = re.compile(r"[\u30a0-\u30ff]{2,}|[\u3400-\u9fff]{2}")
_INSIDE = re.compile(r"(?<=[\w,;] )[^\W\d_]\w+")
_VERB_LAST = frozenset({"ja", "ko", "hi", "tr"})
"""Languages in which what takes back stands after what it takes back."""
_OPENING_WORDS = 3
"""A question that is no yes-or-no question has its question word among so many words, in Latin letters."""
_NEAR = 2
"""Words between a "not" and the word of the question that it takes back."""
_FEWEST = 3


def denies(plain: str, question: str, language: Language, grammar: Grammar) -> bool:
    """Whether the first sentence denies what an open question assumes.

    It says "never" of a word of the question ("Kafka never got the Nobel Prize"), or "not" right beside one
    ("has no mountains"). Both texts are in normal form.
    """
    if not _is_open(question, language, grammar):
        return False
    if grammar.places("many", question):
        return False  # none is an answer to "how many"
    first = _FIRST.match(plain)
    shared = _shared(first[0], question, language) if first else []
    if first is None or not shared:
        return False
    if grammar.places("never", first[0]):
        return True
    later = language.code in _VERB_LAST
    for start, end in grammar.places("not", first[0]):
        for a, b in shared:
            between = first[0][b:start] if later and b <= start else first[0][end:a] if end <= a else None
            if between is not None and _words(between, language) <= _NEAR:
                return True
    return False


def gives_nothing(text: str, plain: str, question: str, language: Language, grammar: Grammar) -> bool:
    """Whether a text that denies something names no one, and no time, though it was asked who or when.

    Args:
        text: as said, in upper and lower case; ``plain`` and ``question`` are in normal form.
    """
    if not _is_open(question, language, grammar) or not grammar.places("fact", question):
        return False
    denied = [span for name in ("not", "nobody") for span in grammar.places(name, plain)]
    described = [span for span in grammar.places("relative", plain) if span[0] > 0]
    if not denied or (described and min(described) < min(denied)) or any(char.isdigit() for char in plain):
        return False
    if denies(plain, question, language, grammar):
        return False
    inside = (word for word in _INSIDE.findall(text) if word[0].isupper())
    names = (name for name in inside if name.casefold() not in question)
    return _words(plain, language) >= _FEWEST and next(names, None) is None


def _is_open(question: str, language: Language, grammar: Grammar) -> bool:
    """Whether a question asks who, what, when or the like, and denies nothing itself."""
    if not question or any(grammar.places(name, question) for name in ("not", "yesno")):
        return False
    spaced = language.script in ("Latin", "Cyrillic")
    opening = " ".join(question.split()[:_OPENING_WORDS]) if spaced else question
    return bool(grammar.places("which", opening))


def _shared(text: str, question: str, language: Language) -> list[tuple[int, int]]:
    """Where words of the question stand in a text, by their stems, without frequent ones."""
    if language.script in UNSPACED:
        return [match.span() for run in set(_RUNS.findall(question)) for match in re.finditer(run, text)]
    stems = {_stem(word) for word in _WORDS.findall(question) if word not in language.words}
    return [
        match.span()
        for match in _WORDS.finditer(text)
        if any(match[0].startswith(stem) for stem in stems) and match[0] not in language.words
    ]


def _stem(word: str) -> str:
    return word[: max(4, len(word) - 3)]


def _words(text: str, language: Language) -> float:
    return len(text) / 3 if language.script in UNSPACED else len(text.split())
