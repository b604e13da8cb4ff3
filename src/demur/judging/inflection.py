"""One form for the forms of a word: singular and plural, a country and its adjective, two spellings.

English only, by endings and short tables. `base` keeps to what changes no meaning, and serves an answer of
one word; `stem` takes verb endings off as well, which is safe only where other words agree too ("marking
locations", "marks locations"; but "box" is not "boxing").
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.places import COUNTRY_OF

_IRREGULAR = {
    **{
        "men": "man",
        "women": "woman",
        "children": "child",
        "feet": "foot",
        "teeth": "tooth",
        "mice": "mouse",
    },
    **{"geese": "goose", "wolves": "wolf", "leaves": "leaf", "knives": "knife", "wives": "wife"},
    **{"lives": "life", "halves": "half", "oxen": "ox", "dice": "die", "phenomena": "phenomenon"},
    **{
        "criteria": "criterion",
        "cacti": "cactus",
        "fungi": "fungus",
        "nuclei": "nucleus",
        "series": "series",
    },
    **{"species": "species", "news": "news", "gas": "gas", "grey": "gray", "axes": "axis", "gases": "gas"},
}
_ABBREVIATED = {
    **{"st": "saint", "mt": "mount", "dr": "doctor", "ft": "fort", "prof": "professor", "jr": "junior"},
    **{"sr": "senior", "gen": "general", "gov": "governor", "sen": "senator", "capt": "captain"},
    **{
        "corp": "corporation",
        "univ": "university",
        "dept": "department",
        "ave": "avenue",
        "bros": "brother",
    },
    **{"intl": "international", "govt": "government", "tv": "television", "hrs": "hour", "hr": "hour"},
    **{"yrs": "year", "yr": "year", "mins": "minute", "min": "minute", "secs": "second", "km": "kilometer"},
    **{
        "kg": "kilogram",
        "mi": "mile",
        "lbs": "pound",
        "lb": "pound",
        "cm": "centimeter",
        "mm": "millimeter",
    },
    **{"aeroplane": "airplane", "programme": "program", "bicycle": "bike", "telephone": "phone"},
}
_RELATED: dict[str, tuple[str, ...]] = {}
for _one, _other in (*COUNTRY_OF.items(), *_IRREGULAR.items(), *_ABBREVIATED.items()):
    if _one[:4] != _other[:4]:
        _RELATED[_one] = (*_RELATED.get(_one, ()), _other)
        _RELATED[_other] = (*_RELATED.get(_other, ()), _one)
_COUNTRIES = frozenset(COUNTRY_OF.values())
_SILENT = re.compile(r"(?:(?<=[sxz])|(?<=ch)|(?<=sh))e$")
"""An e that a plural hides: "nurses" is taken for a plural of "nurs", so "nurse" is cut alike."""
_KEPT = re.compile(r"(?:ss|us|is|as|os)$")
_DOUBLED = re.compile(r"([bdgklmnprt])\1$")


@lru_cache(maxsize=1 << 15)
def base(word: str) -> str:
    """A word of a normal form without its plural, a people's word as its country, one spelling."""
    word = word.removesuffix("'s").replace("'", "")
    for table in (COUNTRY_OF, _IRREGULAR, _ABBREVIATED):
        if word in table:
            return table[word]
    if word in _COUNTRIES:
        return word
    single = _singular(word)
    return COUNTRY_OF.get(single) or _ABBREVIATED.get(single) or _SILENT.sub("", _american(single))


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """`base` without the endings of a verb."""
    word = base(word)
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and re.search("[aeiouy]", rest):
            return _DOUBLED.sub(r"\1", rest).removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


def related(word: str) -> tuple[str, ...]:
    """Forms of a word that do not begin as it does."""
    return _RELATED.get(word, ())


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or _KEPT.search(word):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if re.search(r"(?:s|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1]


def _american(word: str) -> str:
    if len(word) > 4 and word.isascii():
        word = re.sub(r"our(?=$|ed$|ing$)", "or", word)
        word = re.sub(r"(?<=[bct])re$", "er", word)
        word = re.sub(r"is(?=(?:e|ed|ing|ation)$)", "iz", word) if len(word) > 6 else word
    return word
