"""The form of a text in which the signs of other languages are looked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'"))
_DROPPED = re.compile(
    "[\u00ad\u0307\u0610-\u061a\u0640\u064b-\u065f\u0670\u093c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff*_#¿¡]"
)
"""Soft hyphens, zero-width and direction marks, the dot of a Turkish İ in lower case, Arabic vowel signs
and stretching, the Devanagari dot below (spelt or not), Markdown, and the Spanish opening marks."""
QUOTED = re.compile(
    r"\"[^\"]*\"|“[^”]*”|„[^“”\"]*[“”\"]|«[^»]*»|「[^」]*」|『[^』]*』|《[^》]*》|(?<!\w)'[^'\n]*'(?!\w)"
)
"""What stands in quotation marks, with them."""
_BLANKS = re.compile(r"[^\S\n]+")
_ELIDED = re.compile(r"(?<=[^\W\d_])'(?=[\w(\[{])")
_GAP = "\ue000"


def folding(pairs: str) -> Mapping[int, str]:
    """The letters to read as others, from pairs such as "ёе ıi"."""
    return {ord(pair[0]): pair[1:] for pair in pairs.split()}


def normal(text: str, fold: Mapping[int, str]) -> str:
    """A text with one spelling for what is spelt in several ways.

    Unicode NFKC (full-width letters, ligatures, Arabic forms by position, every blank a space), case folded
    (ß is ss), straight apostrophes
    with a blank after them ("l' eau"), without what `_DROPPED` names, and the letters of ``fold`` replaced.
    """
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    text = unicodedata.normalize("NFC", _DROPPED.sub("", text)).translate(fold)
    text = _ELIDED.sub("' ", text)
    return _BLANKS.sub(" ", text).strip()


def normal_sign(sign: str, fold: Mapping[int, str]) -> str:
    """A sign in the same form; in a regular expression the letters alone are folded."""
    if sign.startswith("/"):
        return sign.translate(fold)
    return normal(sign.replace("…", _GAP), fold).replace(_GAP, "…")
