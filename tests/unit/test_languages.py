"""Refusals in other languages: the files, the guess of a language, and what the signs say of sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from demur.core.errors import DataError
from demur.judging.languages import foreign_state, language_of, languages, lead_ins, unread_language
from demur.judging.languages.files import FAMILIES, one_of, signs_of
from demur.judging.languages.guess import may_be_foreign
from demur.judging.languages.normal import normal
from demur.judging.languages.patterns import expression

CASES = Path(__file__).parent / "languages"
"""One file a language. ``family + text``: declines by a sign of that family. ``family - text``: a near miss.
``state = text``: that state."""


def cases() -> list[tuple[str, str, str, str]]:
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, mark, text = line.split(" ", 2)
            found.append((path.stem, kind, mark, text))
    return found


EVERY = cases()


def ids(part: list[tuple[str, str, str, str]]) -> list[str]:
    return [f"{code}-{kind}-{text}" for code, kind, _, text in part]


SIGNS = [case for case in EVERY if case[2] == "+"]
NEAR = [case for case in EVERY if case[2] == "-"]
STATES = [case for case in EVERY if case[2] == "="]


@pytest.mark.parametrize(("code", "family", "mark", "text"), SIGNS, ids=ids(SIGNS))
def test_a_sign_declines(code: str, family: str, mark: str, text: str) -> None:
    language = languages()[code]
    assert one_of(language.refusal[family], language).search(normal(text, language.fold))
    assert foreign_state(text) == ("corrects-premise" if family == "premise" else "refused")


@pytest.mark.parametrize(("code", "family", "mark", "text"), NEAR, ids=ids(NEAR))
def test_a_near_miss_answers(code: str, family: str, mark: str, text: str) -> None:
    language = languages()[code]
    assert foreign_state(text) in (None, "answered")
    assert language_of(text) in (None, code)
    quoted = re.compile("[\"«“„《「].*?[\"»”“》」]")
    assert not one_of(language.refusal[family], language).search(quoted.sub("", normal(text, language.fold)))


@pytest.mark.parametrize(("code", "state", "mark", "text"), STATES, ids=ids(STATES))
def test_other_states(code: str, state: str, mark: str, text: str) -> None:
    found = foreign_state(text)
    assert found == state or (state == "answered" and found is None)
