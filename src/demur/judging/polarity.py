"""Yes or no: where every accepted answer is a word of polarity, the text's first one decides.

"Yes. No question." says yes, "No. Yes-men may disagree." says no, "It isn't." says no. A word of polarity
inside another phrase is none ("no doubt", "no question"), and "no" before a noun counts only where no plain
"yes" or "no" stands in the text. Accepted answers may be yes and no, true and false, and the words for yes
and no of a few more languages.
Source: Demur; Yes/No-gold scored by containment counts "Yes. No question." for "no".
"""

from __future__ import annotations

import re

from demur.judging.normalise import normalise, spaced

_YES = (
    *("yes", "yeah", "yep", "yup", "true", "correct", "right", "affirmative", "indeed", "absolutely"),
    *(
        "definitely",
        "certainly",
        "sure",
        "ja",
        "oui",
        "si",
        "sim",
        "да",
        "evet",
        "tak",
        "はい",
        "是",
        "نعم",
    ),
    *(
        "jawohl",
        "是的",
        "对",
        "對",
        "そう",
        "네",
        "예",
        "हाँ",
        "हां",
        "i think so",
        "i believe so",
        "i guess so",
    ),
)
_NO = (
    *(
        "no",
        "nope",
        "nah",
        "false",
        "incorrect",
        "negative",
        "nein",
        "non",
        "nao",
        "нет",
        "hayir",
        "nie",
        "nej",
    ),
    *("いいえ", "不是", "否", "不对", "不對", "아니요", "아니오", "नहीं", "لا"),
)
_GOLD = {
    **dict.fromkeys(
        (
            "yes",
            "true",
            "ja",
            "oui",
            "si",
            "sim",
            "да",
            "evet",
            "tak",
            "はい",
            "是",
            "نعم",
            "हाँ",
            "हां",
            "네",
            "예",
            "是的",
        ),
        True,
    ),
    **dict.fromkeys(
        (
            "no",
            "false",
            "nein",
            "non",
            "nao",
            "нет",
            "hayir",
            "nie",
            "いいえ",
            "不是",
            "لا",
            "नहीं",
            "아니요",
            "아니오",
            "nej",
        ),
        False,
    ),
}
_NOT_SAID = re.compile(
    r"\bno (?:doubt|question|problem|wonder|matter|need|offence|offense)\b"
    r"|\byes (?:or|and) no\b(?! (?:doubt|question|problem|wonder))"
)
_NEGATED = (
    r"(?:(?:absolutely|definitely|certainly|of course|probably|surely) )?not\b"
    r"|(?:absolutely|definitely|certainly) no\b|not (?:true|correct|right)\b|untrue\b|never\b"
)
_WORD = re.compile(
    rf"(?<!\w)(?:(?P<no>{_NEGATED}|(?:{'|'.join(_NO)})(?![\w-])(?!_))"
    rf"|(?P<yes>(?:{'|'.join(_YES)}|of course)(?![\w-])))"
)
_PLAIN = re.compile(
    r"(?<!\w)(?:(?P<no>no|nope|false|incorrect|not (?:true|correct|right)|nein|нет)"
    r"|(?P<yes>yes|yeah|true|correct|ja|oui|да))(?!\w)(?=\s*(?:[.,;:!?)\"*]|$))"
)
_NEGATION = re.compile(r"(?<!\w)(?:not|cannot|never)(?!\w)|n't(?!\w)")


def accepted(answers: tuple[str, ...]) -> bool | None:
    """True where the accepted answers say yes, False where no, None where they say something else."""
    said = None
    for answer in answers:
        one = _GOLD.get(spaced(normalise(answer)))
        if one is None or said not in (None, one):
            return None
        said = one
    return said


def polarity(text: str) -> bool | None:
    """True where a text says yes, False where it says no, None where it says neither."""
    plain = _NOT_SAID.sub(" ", text.casefold().replace("\u2019", "'").replace("ã", "a").replace("í", "i"))
    match = _opening(plain) or _PLAIN.search(plain)
    if match:
        return match["yes"] is not None
    return False if _NEGATION.search(plain) else None


def _opening(plain: str) -> re.Match[str] | None:
    """The word of polarity that a text begins with."""
    return _WORD.match(plain, re.match(r"[\W_]*", plain).end())  # type: ignore[union-attr]
