"""Answers without a letter or a figure ("+", "∅", "😀", "?"): compared exactly.

Normalising leaves nothing of them, so they are looked for in the text as it is: among its runs of signs,
the punctuation that ends a sentence, quotes and brackets taken off where the answer is none of these. The
answer must be the only sign that the text gives: "+ or -" gives none.
"""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[^\w\s]+")
_WRAPPING = "\"'`*.,;:!()[]{}“”‘’«»「」。、"
_SENTENCE_END = set("?!.,;:？！。؟")
_INVISIBLE = {
    0xFE0E: None,
    0xFE0F: None,
    0x200B: None,
    0x200D: None,
    **dict.fromkeys(range(0x1F3FB, 0x1F400)),
}


def is_symbol(answer: str) -> bool:
    """Whether an answer has signs only."""
    return bool(answer.strip()) and not any(char.isalnum() for char in answer)


def gives(text: str, answer: str) -> bool:
    """Whether a text gives an answer of signs, and no other sign beside it."""
    text, answer = _form(text), _form(answer)
    if text == answer:
        return True
    own = "".join(char for char in _WRAPPING if char not in answer)
    if text.strip(own + " ") == answer:
        return True
    found = (run[0] for run in _RUN.finditer(text) if not _ends_a_sentence(text, run))
    runs = {run.strip(own) for run in found if not _inside_word(text, run)}
    return runs - {""} == {answer}


def _inside_word(text: str, run: str) -> bool:
    """Whether a run of signs is an apostrophe or a hyphen within a word, wherever it stands."""
    return run in ("'", "-", "’") and re.search(rf"\w{re.escape(run)}\w", text) is not None


def _ends_a_sentence(text: str, run: re.Match[str]) -> bool:
    """Whether a run is the punctuation right behind a word: "I don't know?" does not give "?"."""
    return set(run[0]) <= _SENTENCE_END and text[: run.start()][-1:].isalnum()


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_INVISIBLE).replace("\u2212", "-").strip()
