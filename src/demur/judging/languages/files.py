"""Reads the language files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from demur.judging.languages.patterns import expression


@dataclass(frozen=True)
class Language:
    """One language file.

    Attributes:
        code: ISO 639-1, the file's name.
        name: in English.
        script: Latin, Cyrillic, Han, Japanese, Arabic, Devanagari or Hangul.
        words: frequent words that a text in this language is known by.
        final_answer: what leads in a final answer ("die Antwort lautet"), as signs.
    """

    code: str
    name: str
    script: str
    words: frozenset[str]
    final_answer: tuple[str, ...]


@cache
def languages() -> Mapping[str, Language]:
    """All languages that have a file, by their code, in alphabetical order."""
    folder = files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    read = (_read(tomllib.loads((folder / name).read_text(encoding="utf-8"))) for name in names)
    return MappingProxyType({language.code: language for language in read})


def _read(data: dict[str, object]) -> Language:
    words, final = data["words"], data["final_answer"]
    assert isinstance(words, str)
    assert isinstance(final, list)
    return Language(
        code=str(data["code"]),
        name=str(data["name"]),
        script=str(data["script"]),
        words=frozenset(words.split()),
        final_answer=tuple(final),
    )


@cache
def lead_ins() -> re.Pattern[str]:
    """Finds what leads in a final answer, in every language that has a file; English is not among them.

    A match ends right before the answer, or before a colon or white space that follows it. The text needs no
    normalising: upper and lower case and full-width colons are matched.
    """
    found = [expression(sign, each.script) for each in languages().values() for sign in each.final_answer]
    return re.compile("|".join(found), re.IGNORECASE)
