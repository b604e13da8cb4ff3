"""An accepted answer that is a number, in the other ways to write that number, and what is part of one.

"1000" is "1,000", "1000.0" and "one thousand", "1.5 million" is "1500000". A number that goes on is
another one: "5" does not stand in "5 million", nor "twenty" in "twenty five". The word "one" is mostly no
number: it counts as the whole text, and where the question asks how many (`counted`), as "none" and "no
eggs" do for 0. Figures that begin with a zero ("007") are a name. English words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 1000}
_NUMBER = re.compile(
    rf"(?P<figures>-?(?:0|[1-9]\d{{0,17}})(?:\.\d{{1,9}})?)(?: (?P<scale>{'|'.join(SCALES)}))?"
)

_SMALL = "|".join(UNITS[1:])
_TEN = "|".join(TENS[2:])
_SCALE = "|".join(("hundred", *SCALES))
NUMBER_WORDS = frozenset((*UNITS, *TENS[2:], "hundred", *SCALES))
_GOES_ON_AFTER_ANY = re.compile(rf" (?:(?:{_SCALE})\b|and half\b|point (?:zero|{_SMALL})\b)")
_GOES_ON_AFTER_TEN = re.compile(rf" (?:{'|'.join(UNITS[1:10])})\b")
_GOES_ON_AFTER_SCALE = re.compile(rf" (?:and )?(?:{_SMALL}|{_TEN})\b")
_BEGAN_BEFORE = re.compile(rf"\b(?:(?:{_TEN}) |(?:{_SCALE}) (?:and )?)$")


_OTHER_FIGURES = re.compile(rf"\d|\b(?:{'|'.join((*UNITS[2:], *TENS[2:]))})\b")
number_in_words = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
"""A pattern of one word of a number."""


def value_of_words(words: str) -> int | None:
    """The whole number that words say, up to 999 of every scale; None where they say none."""
    return _values().get(" ".join(words.lower().replace("-", " ").split()).replace(" and ", " "))


def other_numbers(key: str) -> Iterator[str]:
    """The ways to write the number that a normal form is; nothing where it is none."""
    value = _value(key)
    if value is None:
        return
    plain = _plain(value)
    yield plain
    yield from (f"{plain}.0", f"{plain}.00") if value == int(value) else (f"{plain}0",)
    for name, scale in SCALES.items():
        scaled = value / scale
        if scaled >= 1 and round(scaled, 3) == scaled:
            yield f"{_plain(scaled)} {name}"
    if value == int(value) and 1 < value < 10**15:
        yield from _in_words(int(value))
    if value < 0:
        yield f"minus {plain.removeprefix('-')}"
        yield from (f"minus {words}" for words in other_numbers(plain.removeprefix("-")))


_EQUATION = re.compile(
    r"\d[\d.,]*\)?\s*(?:[-+*/×÷·−x]\s*[($€£]*\d[\d.,]*\)*[%]?\s*)+=\s*(?P<result>[$€£]?-?\d[\d.,]*)(?!\s*[-+*/×÷·−]\s*\d)"
)
_FIGURES = re.compile(r"[$€£]?-?\d[\d.,]*")
_RANGE = re.compile(
    r"\W*(?:about |around |approximately |between |from )?(\d{1,3}|\d{5,})\s*(?:-|–|—|~|to|and|or|bis|à|a"
    r"|до)\s*(\d{1,3}|\d{5,})\b[^\d\n]{0,30}",
    re.IGNORECASE,
)


def result(text: str, answers: tuple[str, ...]) -> str:
    """A text from the result of its last sum on, where the accepted answers are numbers; else the text.

    "12 + 6 = 18" gives 18: what is added, and the sums before it, are on the way to the answer.
    """
    if "=" not in text or not all(map(_FIGURES.fullmatch, answers)):
        return text
    starts = [sum_.start("result") for sum_ in _EQUATION.finditer(text)]
    return text[starts[-1] :] if starts else text


def is_range(text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text is a range of two numbers ("2-3"), and the accepted answers are single ones."""
    match = _RANGE.fullmatch(text)
    return match is not None and match[1] != match[2] and all(map(_FIGURES.fullmatch, answers))


_HOW_MANY = re.compile(r"\bhow (?:many|often|much|old)\b|\bnumber of\b|\bwhat number\b", re.IGNORECASE)
_COUNT_ONE = re.compile(
    r"(?<!\w)(?<!the )(?<!no )(?<!any )(?<!some )(?<!every )(?<!each )(?<!this )(?<!that )(?<!which )one\b"
    r"(?! (?:of|who|that|another|which|day|can|should|must|could|would|may|might)\b)|\b(?:a|an)"
    r" single\b|\bsingle\b|\bonce\b"
)
_COUNT_ZERO = re.compile(
    r"(?<!\w)(?:zero|none|nil|nothing|nobody|never|no(?! (?:one|idea|clue|doubt|answer|information"
    r"|way)\b))\b"
)
_COUNT_TWO = re.compile(r"(?<!\w)(?:twice|(?:a )?pair|(?:a )?couple|both)\b")
_COUNT_DOZEN = re.compile(r"(?<!half a )(?<!two )(?<!half )\bdozen\b")
COUNTS = {"0": _COUNT_ZERO, "zero": _COUNT_ZERO, "none": _COUNT_ZERO, "1": _COUNT_ONE, "one": _COUNT_ONE}
_COUNT_HUNDRED = re.compile(
    r"(?<!several )(?<!few )(?<!many )(?<!half )\bhundred\b(?! and| thousand| million| billion)"
)
_COUNT_THOUSAND = re.compile(r"(?<!several )(?<!few )(?<!many )(?<!half )(?<!hundred )\bthousand\b(?! and)")
COUNTS |= {"100": _COUNT_HUNDRED, "1000": _COUNT_THOUSAND}
COUNTS |= {"2": _COUNT_TWO, "two": _COUNT_TWO, "12": _COUNT_DOZEN, "twelve": _COUNT_DOZEN}


def counted(question: str, key: str, normal: str) -> bool:
    """Whether a normal form says a small number in a word that is mostly none ("one", "none", "twice")."""
    if key in COUNTS and normal in ("zero", "one", "none", "nil", "twice", "once"):
        return COUNTS[key].fullmatch(normal) is not None
    if key not in COUNTS or not _HOW_MANY.search(question) or _OTHER_FIGURES.search(normal):
        return False
    return COUNTS[key].search(normal) is not None


def part_of_a_number(text: str, start: int, end: int) -> bool:
    """Whether what stands at ``start`` to ``end`` of a normal form is a piece of a longer number."""
    words, rest = text[start:end].split(" "), text[end:]
    last = words[-1]
    if not (last[-1:].isdigit() or last in NUMBER_WORDS or words[0] in NUMBER_WORDS):
        return False
    if (last[-1:].isdigit() or last in NUMBER_WORDS) and _GOES_ON_AFTER_ANY.match(rest):
        return True
    if last in TENS and _GOES_ON_AFTER_TEN.match(rest):
        return True
    if last in ("hundred", *SCALES) and _GOES_ON_AFTER_SCALE.match(rest):
        return True
    return words[0] in NUMBER_WORDS and _BEGAN_BEFORE.search(text[:start]) is not None


def _value(key: str) -> Decimal | None:
    """The number that a normal form is; also "minus five"."""
    if key.startswith("minus "):
        positive = _value(key.removeprefix("minus "))
        return None if positive is None else -positive
    match = _NUMBER.fullmatch(key)
    if match:
        return Decimal(match["figures"]) * SCALES.get(match["scale"], 1)
    value = _values().get(key.replace(" and ", " "))
    return None if value is None else Decimal(value)


def _plain(value: Decimal) -> str:
    """Figures without zeros at the end of a fraction, and without an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _values() -> dict[str, int]:
    """Numbers in words, up to 999 and up to 999 of every scale."""
    return {
        words: number * scale
        for scale in (1, *SCALES.values())
        for number in range(1, 1000)
        for words in _in_words(number * scale)
    }


def _in_words(number: int) -> Iterator[str]:
    """A number from 1 on in words, without "and" and with one before the last part where there can be."""
    parts = []
    for name, scale in SCALES.items():
        if number >= scale:
            parts.append(f"{_below_thousand(number // scale)} {name}")
            number %= scale
    if number >= 100:
        parts.append(f"{UNITS[number // 100]} hundred")
        number %= 100
    rest = _below_hundred(number) if number else ""
    yield " ".join((*parts, rest)).strip()
    if parts and rest:
        yield " ".join((*parts, "and", rest))


def _below_thousand(number: int) -> str:
    hundreds = f"{UNITS[number // 100]} hundred" if number >= 100 else ""
    rest = _below_hundred(number % 100) if number % 100 else ""
    return f"{hundreds} {rest}".strip()


def _below_hundred(number: int) -> str:
    if number < len(UNITS):
        return UNITS[number]
    return f"{TENS[number // 10]} {UNITS[number % 10] if number % 10 else ''}".strip()
