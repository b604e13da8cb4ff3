"""Reads the language files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from demur.core.errors import DataError
from demur.judging.languages.normal import folding, normal_sign
from demur.judging.languages.patterns import bounded, expression, is_expression

FAMILIES = (
    "dont_know",
    "cannot_know",
    "no_information",
    "declines",
    "unknown",
    "no_context",
    "premise",
    "asks_back",
    "excuse",
)
"""The families of refusal signs: what a text says that has one (``docs/judging.md`` explains them)."""

MARKING = ("inot", "clarify", "idiom", "nobody", "knows", "say", "impossible", "which", "silent")
"""Classes whose words also tell which language a text is in."""

_LISTS = ("final_answer", "hedges", "but", "idle", "negations")
_PART = re.compile(r"\{([a-z]+)\}")
_UNREAD, _ENGLISH = "unread.toml", "english.toml"


@dataclass(frozen=True)
class Language:
    """One language file.

    Attributes:
        code: ISO 639-1, the file's name.
        name: in English.
        script: Latin, Cyrillic, Han, Japanese, Arabic, Devanagari or Hangul.
        words: frequent words that a text in this language is known by.
        letters: letters that decide where as many words tell of two languages ("ñ"); may be left out.
        fold: letters that are read as others ("ёе": ё as е).
        final_answer: what leads in a final answer ("die Antwort lautet"), as signs.
        refusal: the signs of each of `FAMILIES`.
        hedges: signs of an answer that is not sure of itself.
        but: words with which a text turns.
        idle: what stands in clauses that say nothing of what was asked: excuses, offers, advice.
        negations: words that take a sign of the families ``unknown`` and ``premise`` back.
        classes: words by class, for the rules of `demur.judging.languages.grammar`, as signs.
    """

    code: str
    name: str
    script: str
    words: frozenset[str]
    letters: frozenset[str]
    fold: Mapping[int, str]
    final_answer: tuple[str, ...]
    refusal: Mapping[str, tuple[str, ...]]
    hedges: tuple[str, ...]
    but: tuple[str, ...]
    idle: tuple[str, ...]
    negations: tuple[str, ...]
    classes: Mapping[str, tuple[str, ...]]

    def every_sign(self) -> tuple[str, ...]:
        """The refusal signs of all families."""
        return tuple(sign for family in FAMILIES for sign in self.refusal[family])


@cache
def languages() -> Mapping[str, Language]:
    """All languages that have a file, by their code, in alphabetical order."""
    folder = files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    read = (_read(_toml(name), name) for name in names if name not in (_UNREAD, _ENGLISH))
    return MappingProxyType({language.code: language for language in read})


@cache
def unread() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Languages that are known by sight only: their frequent ``words`` and distinctive ``letters``."""
    return MappingProxyType(
        {
            code: {
                "words": frozenset(entry.get("words", "").split()),
                "letters": frozenset(entry.get("letters", "")),
            }
            for code, entry in _toml(_UNREAD).items()
        }
    )


@cache
def english() -> tuple[frozenset[str], frozenset[str]]:
    """Words that make a text English, and words that are English as well as something else."""
    data = _toml(_ENGLISH)
    return frozenset(data["words"].split()), frozenset(data["shared"].split())


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def _read(data: dict[str, Any], name: str) -> Language:
    missing = [
        key for key in ("code", "name", "script", "words", "refusal", "classes", *_LISTS) if key not in data
    ]
    missing += [f"refusal.{family}" for family in FAMILIES if not data.get("refusal", {}).get(family)]
    if missing or f"{data['code']}.toml" != name:
        raise DataError(
            expected="a language file with all fields, named after its code",
            found=f"missing: {', '.join(missing)}" if missing else f"code {data['code']!r}",
            where=name,
            fix="add the field, see the section Languages of docs/judging.md",
        )
    parts: dict[str, str] = {}
    for part, text in data.get("parts", {}).items():
        parts[part] = _PART.sub(lambda name: parts[name[1]], text)
    return Language(
        code=data["code"],
        name=data["name"],
        script=data["script"],
        words=frozenset(data["words"].split()),
        letters=frozenset(data.get("letters", "")),
        fold=folding(data.get("fold", "")),
        refusal=MappingProxyType({each: _signs(data["refusal"][each], parts) for each in FAMILIES}),
        classes=MappingProxyType({each: _signs(text, parts) for each, text in data["classes"].items()}),
        **{key: _signs(data[key], parts) for key in _LISTS},
    )


def _signs(lines: str, parts: Mapping[str, str]) -> tuple[str, ...]:
    """One sign a line; "{info}" stands for the part of that name."""
    return tuple(_PART.sub(lambda name: parts[name[1]], line) for line in lines.split("\n") if line.strip())


@cache
def lead_ins() -> re.Pattern[str]:
    """Finds what leads in a final answer, in every language that has a file; English is not among them.

    A match ends right before the answer, or before a colon or white space that follows it. The text needs
    no normalising: upper and lower case and full-width colons are matched.
    """
    found = [
        bounded(expression(sign, each.script), each.script)
        for each in languages().values()
        for sign in each.final_answer
    ]
    return re.compile("|".join(found), re.IGNORECASE)


@dataclass(frozen=True)
class Signs:
    """The signs of one language, to be searched for in a text in normal form.

    Attributes:
        doubt: that the writer does not know, or is not sure.
        refusal: all other families but ``premise``.
        premise: that there is no such thing.
        taken_back: right before a sign, what takes it back.
    """

    doubt: re.Pattern[str]
    refusal: re.Pattern[str]
    premise: re.Pattern[str]
    hedges: re.Pattern[str]
    but: re.Pattern[str]
    idle: re.Pattern[str]
    taken_back: re.Pattern[str]


@cache
def signs_of(code: str) -> Signs:
    """The signs of a language that has a file."""
    language = languages()[code]
    others = [each for each in FAMILIES if each not in ("dont_know", "premise")]
    return Signs(
        doubt=one_of(language.refusal["dont_know"], language),
        refusal=one_of([sign for each in others for sign in language.refusal[each]], language),
        premise=one_of(language.refusal["premise"], language),
        hedges=one_of(language.hedges, language),
        but=one_of(language.but, language),
        idle=one_of([*language.idle, *language.classes.get("elsewhere", ())], language),
        taken_back=re.compile(rf"(?:{one_of(language.negations, language).pattern})\s?$"),
    )


def one_of(signs: Iterable[str], language: Language) -> re.Pattern[str]:
    """Finds any of the signs in a text in the language's normal form."""
    normal = [normal_sign(sign, language.fold) for sign in signs]
    plain = [expression(sign, language.script) for sign in normal if not is_expression(sign)]
    free = [expression(sign, language.script) for sign in normal if is_expression(sign)]
    return re.compile("|".join([bounded("|".join(plain), language.script)] * bool(plain) + free))
