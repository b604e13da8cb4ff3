"""Whether a text takes back what its question assumes, or gives none of what was asked for."""

from __future__ import annotations

import re

from demur.judging.languages.files import Language
from demur.judging.languages.grammar import Grammar
from demur.judging.languages.normal import QUOTED
from demur.judging.languages.patterns import UNSPACED

_FIRST = re.compile(r"[^.!?。！？؟।;؛\n]{1,300}")
_WORDS = re.compile(r"[^\W\d_][\w\u0900-\u0963\u064b-\u065f]{3,}")
_HANGUL = re.compile(r"[\uac00-\ud7a3]{2,}")
_RUNS = re.compile(r"[\u30a0-\u30ff]{2,}|[\u3400-\u9fff]{2}")
_INSIDE = re.compile(r"(?<=[\w,;] )[^\W\d_]\w+")
_VERB_LAST = frozenset({"ja", "ko", "hi", "tr"})
"""Languages in which what takes back stands after what it takes back."""
_OPENING_WORDS = 3
"""A question that is no yes-or-no question has its question word among so many words, in Latin letters."""
_NEAR = 2
"""Words between a "not" and the word of the question that it takes back."""
_FEWEST = 3
_TWO = 2


def denies(plain: str, question: str, language: Language, grammar: Grammar) -> bool:
    """Whether the first sentence denies what an open question assumes.

    It says "never" of a word of the question ("Kafka never got the Nobel Prize"), or "not" right beside one
    ("has no mountains"). A later sentence does so by "never" and two words of the question ("Halka is by
    Moniuszko. Chopin wrote no opera at all."). Both texts are in normal form.
    """
    if not _is_open(question, language, grammar):
        return False
    if grammar.places("many", question):
        return False  # none is an answer to "how many"
    first, *later_ones = _FIRST.findall(plain) or [""]
    if not any(char.isdigit() for char in plain) and any(
        grammar.places("never", each) and len(_shared(each, question, language)) >= _TWO
        for each in later_ones
    ):
        return True
    return _first_denies(first, _shared(first, question, language), language, grammar)


def _first_denies(first: str, shared: list[tuple[int, int]], language: Language, grammar: Grammar) -> bool:
    """The same for the first sentence alone; ``shared``: where words of the question stand in it."""
    if shared and grammar.places("never", first):
        return True
    later = language.code in _VERB_LAST
    for start, end in grammar.places("not", first):
        for a, b in shared:
            between = first[b:start] if later and b <= start else first[end:a] if end <= a else None
            if between is not None and _words(between, language) <= _NEAR:
                return True
    return False


def gives_nothing(text: str, plain: str, question: str, language: Language, grammar: Grammar) -> bool:
    """Whether a text that denies something names no one, and no time, though it was asked who or when.

    Args:
        text: as said, in upper and lower case; ``plain`` and ``question`` are in normal form.
    """
    fact = grammar.places("fact", QUOTED.sub(" ", question))
    if not fact or not _is_open(question, language, grammar):
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
    if QUOTED.search(question) and grammar.places("wording", question):
        return False  # what a word means is not denied by the words that explain it
    spaced = language.script in ("Latin", "Cyrillic")
    opening = " ".join(question.split()[:_OPENING_WORDS]) if spaced else question
    return bool(grammar.places("which", opening))


def _shared(text: str, question: str, language: Language) -> list[tuple[int, int]]:
    """Where words of the question stand in a text, by their stems, without frequent ones."""
    if language.script in UNSPACED:
        return [match.span() for run in set(_RUNS.findall(question)) for match in re.finditer(run, text)]
    words = _HANGUL if language.script == "Hangul" else _WORDS
    stems = {_stem(word, language) for word in words.findall(question) if word not in language.words}
    return [
        match.span()
        for match in words.finditer(text)
        if any(match[0].startswith(stem) for stem in stems) and match[0] not in language.words
    ]


def _stem(word: str, language: Language) -> str:
    if language.script == "Hangul":
        return word[: max(2, len(word) - 1)]
    return word[: max(4, len(word) - 3)]


def _words(text: str, language: Language) -> float:
    return len(text) / 3 if language.script in UNSPACED else len(text.split())
