"""Which language a text is in: by its script, then by its frequent words.

Texts are short here, and answers in English data are often foreign names ("La Bohème", "Die Zeit"). So a
text in Latin letters counts as foreign only where several of its words do, more than are English. A library
for this (lingua, langdetect, py3langid) has megabytes of tables, and finds some language for any name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache

from demur.judging.languages.files import MARKING, Language, english, languages, unread

_ELIDED = re.compile(r"\b(l|d|j|n|c|s|m|t|qu|jusqu|lorsqu|un|dell|all|dall|nell|sull|quest|quell)'(?=\w)")
_LETTERS = re.compile(r"(?:[^\W\d_]|[\u0900-\u0963\u064b-\u065f])+(?:'[^\W\d_]+)?")
_NOT_LATIN = re.compile(r"[\u0370-\u1dff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufdff\ufe70-\ufefc]")
_SCRIPTS = (
    ("Greek", "\u0370-\u03ff\u1f00-\u1fff", "el"),
    ("Cyrillic", "\u0400-\u052f", "ru"),
    ("Armenian", "\u0530-\u058f", "hy"),
    ("Hebrew", "\u0590-\u05ff", "he"),
    ("Arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", "ar"),
    ("Devanagari", "\u0900-\u097f", "hi"),
    ("Bengali", "\u0980-\u09ff", "bn"),
    ("Gurmukhi", "\u0a00-\u0a7f", "pa"),
    ("Gujarati", "\u0a80-\u0aff", "gu"),
    ("Tamil", "\u0b80-\u0bff", "ta"),
    ("Telugu", "\u0c00-\u0c7f", "te"),
    ("Kannada", "\u0c80-\u0cff", "kn"),
    ("Malayalam", "\u0d00-\u0d7f", "ml"),
    ("Sinhala", "\u0d80-\u0dff", "si"),
    ("Thai", "\u0e00-\u0e7f", "th"),
    ("Lao", "\u0e80-\u0eff", "lo"),
    ("Burmese", "\u1000-\u109f", "my"),
    ("Georgian", "\u10a0-\u10ff", "ka"),
    ("Ethiopic", "\u1200-\u137f", "am"),
    ("Khmer", "\u1780-\u17ff", "km"),
    ("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3", "ko"),
    ("Kana", "\u3040-\u30ff", "ja"),
    ("Han", "\u3400-\u9fff\uf900-\ufaff", "zh"),
)
_WHOLE_WORD = re.compile(r"(?<![\w~\])\\'])[^\W\d_]{3,}(?![\w~\[('])")
_ANY_SCRIPT = re.compile("|".join(f"(?P<{name}>[{ranges}]+)" for name, ranges, _ in _SCRIPTS))
_CODES = {name: code for name, _, code in _SCRIPTS}
_DENSE = frozenset({"Hangul", "Kana", "Han"})
_OPENINGS = ("I ", "I'm ", "I’m ", "The ", "It ", "There ", "This ", "He ", "She ", "They ", "As an AI")
_WITHOUT_SPACES = frozenset({"th", "lo", "my", "km"})
_LOOKED_AT = 12
"""Words at the beginning of a text in which a foreign one is looked for before anything else is done."""


def may_be_foreign(text: str) -> bool:
    """A cheap look: False where a text is surely English, or a name without a frequent foreign word."""
    if text.startswith(_OPENINGS) and text.isascii():
        return False
    if not _markers().isdisjoint(text[: _LOOKED_AT * 12].lower().split()[:_LOOKED_AT]):
        return True
    return not text.isascii() and (
        _NOT_LATIN.search(text) is not None
        or not _markers().isdisjoint(words_of(text))
        or (" " in text and bool(by_letters(text)))
    )


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None where it is too short to tell, or not known.

    A text in another script than Latin has the language of its script, or one of its neighbours. A text in
    Latin letters needs four words (or three, all of them frequent ones) of which a quarter, and at least
    two, are frequent in one language. English has its code too: "en".
    """
    if not text.isascii() and _NOT_LATIN.search(text) and (code := _by_script(text)):
        return code
    words, ranked = _read(text)
    code, hits = ranked[0] if ranked else (None, 0)
    if hits < 2 or hits * 4 < len(words) or (len(words) < 4 and not hits == len(words) == 3):
        code = None
    of_english, _ = english()
    own = sum(word in of_english for word in words)
    if code is not None and hits > own:
        return code
    return "en" if own >= 2 and own * 4 >= len(words) and own > hits else None


def unread_language(text: str) -> str | None:
    """The code of a text's language where its refusals are not recognised, else None.

    None as well where the language is not known, and for a single word: a name is not said to be unread.
    """
    code = language_of(text) if may_be_foreign(text) else None
    if code is None or code == "en" or code in languages():
        return None
    return code if len(text.split()) > 1 or code in _WITHOUT_SPACES else None


def words_of(text: str) -> list[str]:
    """The words of a text, case folded; a French or Italian article is a word of its own ("l", "eau")."""
    plain = text.replace("İ", "i").replace("’", "'").casefold()
    return _LETTERS.findall(_ELIDED.sub(r"\1 ", plain))


def _by_script(text: str) -> str | None:
    """The language of the script that most letters are in; None for Latin, or fewer than two letters."""
    count: Counter[str] = Counter()
    for match in _ANY_SCRIPT.finditer(text):
        count[str(match.lastgroup)] += match.end() - match.start()
    if not count:
        return None
    script, letters = count.most_common(1)[0]
    latin = len(re.findall(r"[A-Za-z\u00c0-\u024f]", text))
    if letters < 2 or latin >= letters * (3 if script in _DENSE else 1):
        return None
    if script in _DENSE - {"Hangul"}:
        return "ja" if count["Kana"] * 8 >= count["Han"] else "zh"
    if script in ("Cyrillic", "Arabic", "Devanagari"):
        return _neighbour(text, _CODES[script])
    return _CODES[script]


def _neighbour(text: str, code: str) -> str:
    """Another language of the same script, where its letters or its words say so."""
    words, own = words_of(text), languages()[code].words
    for other, marks in unread().items():
        if not marks["letters"].isdisjoint(text):
            return other
        hits = sum(word in marks["words"] for word in words)
        if hits >= 2 and hits > sum(word in own for word in words):
            return other
    return code


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[list[str], list[tuple[str, int]]]:
    """The words of a text and its languages; a text is read more than once."""
    words = words_of(text)
    return words, _ranked(words)


def _ranked(words: list[str]) -> list[tuple[str, int]]:
    """Languages in Latin letters with the number of words that tell of them, most first."""
    hits: Counter[str] = Counter()
    weight: defaultdict[str, float] = defaultdict(float)
    for word in words:
        for code in _latin().get(word, ()):
            hits[code] += 1
        codes = _latin_all().get(word, ())
        for code in codes:
            weight[code] += 1 / len(codes)
    for code in set(hits) & languages().keys():
        weight[code] += sum(not languages()[code].letters.isdisjoint(word) for word in words)
    order = sorted(
        hits, key=lambda each: (-hits[each], -round(weight[each], 6), each not in languages(), each)
    )
    return [(code, hits[code]) for code in order]


def neighbours(text: str, code: str) -> list[str]:
    """Languages with a file that a text may be in as well: as many words tell of them, or almost."""
    ranked = dict(_read(text)[1]) if languages()[code].script == "Latin" else {}
    most = ranked.get(code, 0)
    least = most - 1 if most > 3 else most
    return [other for other in ranked if ranked[other] >= least and other != code and other in languages()]


@cache
def _latin() -> Mapping[str, frozenset[str]]:
    """For each frequent word, and each word of a sign, the languages in Latin letters that it tells of."""
    silent = frozenset().union(*english())
    return {word: codes for word, codes in _latin_all().items() if word not in silent}


@cache
def _latin_all() -> Mapping[str, frozenset[str]]:
    """For each frequent word, and each word of a sign, the languages in Latin letters that have it."""
    tables = {
        each.code: each.words | _of_signs(each) for each in languages().values() if each.script == "Latin"
    }
    return _by_word(tables | {code: marks["words"] for code, marks in unread().items()})


def _of_signs(language: Language) -> frozenset[str]:
    """The words of three letters or more that stand in a language's signs, without those of any ending."""
    classes = (sign for name in MARKING for sign in language.classes.get(name, ()))
    signs = (*language.every_sign(), *language.hedges, *classes)
    return frozenset(word for sign in signs for word in _WHOLE_WORD.findall(sign))


def _by_word(tables: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    known: dict[str, set[str]] = {}
    for code, words in tables.items():
        for word in {word.casefold() for word in words}:
            if not _NOT_LATIN.search(word):
                known.setdefault(word, set()).add(code)
    return {word: frozenset(codes) for word, codes in known.items()}


def candidates(words: list[str]) -> list[str]:
    """Languages in Latin letters that have a file and any of the words."""
    found = {code for word in words for code in _latin().get(word, ())}
    return sorted(found & languages().keys())


def by_letters(text: str) -> set[str]:
    """Languages with a file that have a letter of a text to themselves."""
    return {code for code, own in _own_letters().items() if not own.isdisjoint(text)}


@cache
def _own_letters() -> Mapping[str, frozenset[str]]:
    every = [*((each.code, each.letters) for each in languages().values())]
    every += [(code, marks["letters"]) for code, marks in unread().items()]
    return {
        code: letters.difference(*(others for other, others in every if other != code))
        for code, letters in every
        if code in languages()
    }


@cache
def _markers() -> frozenset[str]:
    """Words that make a text worth a closer look, also before a mark."""
    marks = ("", ".", ",", "!", "?", ":", ";")
    return frozenset(word + mark for word in _latin() if len(word) > 1 for mark in marks)
