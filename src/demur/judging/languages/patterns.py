"""The short syntax in which signs of other languages are written, and its regular expressions.

===========  ==========================================================================================
``weiß ich``  these words, one after the other, a comma between them or not; as whole words in scripts
              that put spaces between words
``(a|b)``     one of these
``[a]``       this, or nothing; the space beside it goes with it. ``[a|b]``: one of these, or nothing
``know~``     the word with any ending (at most 12 letters)
``a … b``     up to five words between (in Chinese and Japanese up to twelve characters), in one sentence
``a:``        a colon, with white space before it or not
``/…/``       a regular expression, for what cannot be said otherwise
===========  ==========================================================================================

What comes out is bounded everywhere: no repetition without a limit, and none inside another but that of the
gap, whose words a space divides. So no text can make a search slow.
"""

from __future__ import annotations

import re

from demur.core.errors import DataError

UNSPACED = frozenset({"Han", "Japanese"})
"""Scripts without spaces between words."""

_MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963"
"""Vowel signs that belong to a word and are no letters for ``re``: Arabic and Devanagari."""
_WORD = rf"[\w{_MARKS}]"
_SPACE = r",?\s{1,3}"
_ENDING = _WORD + "{0,12}"
_BLANK = r"\s{1,3}"
_COLON = r"\s{0,2}[:：]"
_GAP = r"(?:[^\s.!?;:,،؟।]{1,30}\s{1,3}){0,5}"
_GAP_UNSPACED = r"[^。！？!?.；\n]{0,12}"


def expression(sign: str, script: str) -> str:
    """The regular expression of a sign, within a word or not: see `bounded`.

    Args:
        sign: a sign in the syntax of this module.
        script: the language's script; it decides what a word's border is.

    Raises:
        DataError: for a sign with an open bracket, an empty alternative, or an invalid expression.
    """
    if is_expression(sign):
        found = sign[1:-1]
    else:
        reader = _Reader(sign, script in UNSPACED)
        found = reader.alternatives()
        if reader.at < len(sign):
            raise _fault(sign, f"{sign[reader.at]!r} at character {reader.at + 1} closes nothing")
    try:
        re.compile(found)
    except re.error as error:
        raise _fault(sign, str(error)) from error
    return found


def is_expression(sign: str) -> bool:
    """Whether a sign is a regular expression between slashes."""
    return len(sign) > 2 and sign[0] == sign[-1] == "/"


def bounded(found: str, script: str) -> str:
    """An expression that matches whole words only, as the script divides words."""
    if script in UNSPACED:
        return f"(?:{found})"
    before = rf"(?<!{_WORD})"
    if script == "Hangul" or found.endswith(_COLON):  # particles and endings follow
        return f"{before}(?:{found})"
    if script == "Arabic":  # "and", "so" are written with the word that follows
        return rf"{before}[وف]?(?:{found})(?!{_WORD})"
    return rf"{before}(?:{found})(?!{_WORD})"


class _Reader:
    """Reads one sign from left to right."""

    def __init__(self, sign: str, unspaced: bool) -> None:
        self.sign, self.at, self.unspaced = sign, 0, unspaced

    def alternatives(self) -> str:
        """What stands between brackets, or the whole sign."""
        found = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            found.append(self._sequence())
        if "" in found:
            raise _fault(self.sign, "an alternative is empty")
        return "|".join(found)

    def _peek(self) -> str:
        return self.sign[self.at : self.at + 1]

    def _sequence(self) -> str:
        parts: list[tuple[str, str]] = []
        while (char := self._peek()) and char not in "|)]":
            self.at += 1
            parts.append(self._part(char))
        return _joined(parts)

    def _part(self, char: str) -> tuple[str, str]:
        if char == " ":
            return "space", _SPACE
        if char == "(":
            return "text", f"(?:{self._inside(')')})"
        if char == "[":
            return "optional", self._inside("]")
        if char == "~":
            return "text", _ENDING
        if char == "…":
            return "gap", _GAP_UNSPACED if self.unspaced else _GAP
        return "text", _COLON if char == ":" else re.escape(char)

    def _inside(self, closing: str) -> str:
        found = self.alternatives()
        if self._peek() != closing:
            raise _fault(self.sign, f"{closing!r} is missing")
        self.at += 1
        return found


def _joined(parts: list[tuple[str, str]]) -> str:
    """The parts in a row; one space goes with each optional part, and the gap holds the one after it."""
    last = next((kind for kind, _ in reversed(parts) if kind not in ("optional", "space")), "")
    while last == "gap" and parts and parts[-1][0] in ("gap", "space", "optional"):
        parts.pop()  # what follows the sign may be anything
    found = ""
    after = "end"  # the kind of part to the right
    index = len(parts) - 1
    while index >= 0:
        kind, text = parts[index]
        before = parts[index - 1][0] if index else "start"
        if kind == "space" and before == "gap":
            text = ""
        elif kind == "space" and after == "gap":
            text = _BLANK
        elif kind == "optional":
            if after == "space" and before in ("space", "start"):
                found, text = found.removeprefix(_SPACE), f"(?:(?:{text}){_SPACE})?"
            elif after != "space" and before == "space":
                text, index = f"(?:{_SPACE}(?:{text}))?", index - 1
            else:
                text = f"(?:{text})?"
        found, after = text + found, kind
        index -= 1
    return found


def _fault(sign: str, what: str) -> DataError:
    return DataError(
        expected="a sign in the syntax of demur.judging.languages.patterns",
        found=f"{sign!r}: {what}",
        where="a language file",
        fix="close the bracket, fill the alternative, or write a regular expression between slashes",
    )
