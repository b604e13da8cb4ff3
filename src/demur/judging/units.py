"""Quantities: a number with its unit, currency or per cent, however it is written, and rounded numbers.

"5 dollars" is "$5", "US$ 5.00" and "five dollars"; "50%" is "50 percent", "fifty per cent" and "0.5"; "4
in" is "4-inch". The same number with another unit is another quantity ("5 euros"), and no unit is
converted. A bare number answers a quantity, since the question names the unit. "About 3.46 million" is
3,461,902: a number that is rounded to two figures or more, written with its scale or said to be about so
much, and rounded rightly. Blanks inside a number ("2. 1", "3, 461, 902", "3 461 902") are no part of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from demur.judging.normalise import BEHIND_A_NUMBER
from demur.judging.numbers import NUMBER_WORDS, SCALES, number_in_words, value_of_words

_NAMES = {
    "dollar": "$ us$ usd dollar dollars us_dollar us_dollars u.s._dollars buck bucks",
    "euro": "€ eur euro euros",
    "pound": "£ gbp quid lb lbs pound pounds",
    "yen": "¥ jpy yen",
    "rupee": "₹ inr rs rupee rupees",
    "cent": "¢ cent cents",
    "percent": "% percent pct per_cent percentage prozent por_ciento pour_cent por_cento per_cento процент"
    " процента процентов",
    "meter": "m meter meters metre metres",
    "kilometer": "km kms kilometer kilometers kilometre kilometres",
    "centimeter": "cm centimeter centimeters centimetre centimetres",
    "millimeter": "mm millimeter millimeters millimetre millimetres",
    "mile": "mi mile miles",
    "foot": "ft foot feet ′",
    "inch": "in inch inches ″",
    "yard": "yd yds yard yards",
    "gram": "g gram grams gramme grammes",
    "kilogram": "kg kgs kilo kilos kilogram kilograms",
    "ounce": "oz ounce ounces",
    "ton": "t ton tons tonne tonnes",
    "liter": "l liter liters litre litres",
    "milliliter": "ml milliliter milliliters millilitre millilitres",
    "gallon": "gal gallon gallons",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "wk wks week weeks",
    "month": "mo mos month months",
    "year": "yr yrs year years",
    "celsius": "°c ℃ c celsius degrees_celsius degrees_c degrees_centigrade centigrade",
    "fahrenheit": "°f ℉ f fahrenheit degrees_fahrenheit degrees_f",
    "degree": "° degree degrees",
    "mph": "mph miles_per_hour miles_an_hour",
    "kmh": "km/h kmh kph kilometers_per_hour kilometres_per_hour",
    "gigabyte": "gb gigabyte gigabytes",
    "megabyte": "mb megabyte megabytes",
    "kilowatt": "kw kilowatt kilowatts",
    "watt": "w watt watts",
    "time": "times",
}
_UNITS = {name.replace("_", " "): unit for unit, names in _NAMES.items() for name in names.split()}
_MARKS = r"US\$|[$€£¥₹]"
_SCALE = {**SCALES, "k": 1000, "m": 10**6, "bn": 10**9, "mn": 10**6, "tn": 10**12}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?<![\w.,])(?P<sign>-|minus )?(?P<before>(?i:{_MARKS}|usd|eur|gbp))?"
    rf" ?(?P<figures>\d[\d,]*(?:\.\d+)?)(?![\d_\u2044/])"
    rf"(?:[ -]?(?P<scale>(?i:thousand|million|billion|trillion|bn|mn|tn))(?!\w)|(?P<short>[kKmM])(?!\w))?"
    rf"(?:[ -]?(?P<unit>(?i:{_UNIT}))(?!\w))?(?P<more> ?[A-Za-z]+)?"
)
_WORDS = re.compile(rf"\b(?:{number_in_words})(?:[ -](?:and )?(?:{number_in_words}))*\b", re.IGNORECASE)
_PART_OF = {"half": "50%", "quarter": "25%", "three quarters": "75%"}
_PARTS = re.compile(r"\b(?:an? |one )?(three[ -]quarters|half|quarter)\b", re.IGNORECASE)
_OF_WHAT = re.compile(
    r" (?:old|long|tall|high|wide|deep|away|thick|in (?:length|height|width|depth|weight|size))$"
)
_FIGURE = re.compile(r"\d")
_HEDGE = re.compile(
    r"\b(?:about|around|approximately|approx|roughly|some|circa|ca|nearly|almost|over|under|more"
    r" than|less than"
    r"|just over|just under|close to|estimated)\b|~|≈"
)
_LEADING_HEDGE = re.compile(
    r"^(?:(?:about|around|approximately|approx\.?|roughly|circa|ca?\.|nearly|almost|some|an estimated|over"
    r"|more than|at least|at most|up to|no more than|not more than|~|≈) ?)+",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"(?<=\d)(?: ?([.,]) (?=\d)| ([.,])(?=\d))")
_BLANK_THOUSANDS = re.compile(r"(?<![\d.,] )(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d]| \d)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, None where it has none; how many significant figures it was written with."""

    value: Decimal
    unit: str | None
    figures: int
    scaled: bool
    """Whether a word such as "million" stands with it."""
    alone: bool
    """Whether no word follows that could be a unit unknown here."""
    hedged: bool = False


@lru_cache(maxsize=1 << 14)
def quantity(answer: str) -> Quantity | None:
    """The quantity that an accepted answer is; None where it is something else."""
    if not (_FIGURE.search(answer) or NUMBER_WORDS.intersection(answer.lower().replace("-", " ").split())):
        return None
    plain = _LEADING_HEDGE.sub("", _plain(answer).strip(" ."))
    plain = _OF_WHAT.sub("", plain)
    if not _QUANTITY.fullmatch(_in_figures(plain)):
        return None
    found = list(_read(plain))
    return found[0] if len(found) == 1 and found[0].alone else None


def gives_quantity(text: str, wanted: Quantity) -> bool:
    """Whether a text gives a quantity, in any spelling, without its unit, or rounded."""
    if wanted.unit == "percent":
        text = _PARTS.sub(lambda found: _PART_OF[found[1].lower().replace("-", " ")], text)
    return any(_same(given, wanted) for given in _read(_plain(text)))


def has_another_unit(text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text gives the number of an accepted quantity with another unit: "50 people" for "50%"."""
    sure = _with_units(answers)
    if not sure:
        return False
    said = list(_read(_plain(text)))
    return any(given.value == one.value for given in said for one in sure) and not any(
        _same(given, one) for given in said for one in sure
    )


@lru_cache(maxsize=1 << 14)
def _with_units(answers: tuple[str, ...]) -> tuple[Quantity, ...]:
    """The accepted quantities, where every accepted answer is one with a unit; none otherwise."""
    wanted = [quantity(answer) for answer in answers]
    sure = tuple(one for one in wanted if one is not None and one.unit is not None)
    return sure if len(sure) == len(wanted) else ()


def tight(text: str) -> str:
    """A text without the blanks that stand inside numbers and around apostrophes."""
    text = _BLANKS.sub(lambda found: found[1] or found[2], text)
    text = _BLANK_THOUSANDS.sub(lambda found: found.group().replace(" ", ""), text)
    text = re.sub(r"(?<=\w) ?(['’]) ?(?=(?:s|t|re|ve|ll|d|m)\b)", r"\1", text)
    return re.sub(r"\b([ODLodl]) ?(['’]) ?(?=\w{2})", r"\1\2", text)


def _same(given: Quantity, wanted: Quantity) -> bool:
    if (
        {given.unit, wanted.unit} == {"percent", None}
        and given.unit is None
        and given.value * 100 == wanted.value
    ):
        return given.value < 1  # "0.5" for "50%"
    if given.unit == "percent" and wanted.unit is None and given.value == wanted.value * 100:
        return wanted.value < 1  # and "50%" for "0.5"
    if given.unit is None:
        if wanted.unit is not None and not given.alone:
            return False
    elif wanted.unit is not None and given.unit != wanted.unit:
        return False
    if given.value == wanted.value:
        return given.unit is not None or wanted.unit is not None or given.scaled
    return _rounded(given, wanted) or _rounded(wanted, given)


def _rounded(coarse: Quantity, fine: Quantity) -> bool:
    """Whether one number is another one rounded, to two figures or more."""
    if not 2 <= coarse.figures < fine.figures or fine.value < 3000 or not (coarse.scaled or coarse.hedged):
        return False
    step = Decimal(10) ** (coarse.value.adjusted() - coarse.figures + 1)
    return (fine.value / step).quantize(Decimal(1), ROUND_HALF_UP) * step == coarse.value


def _plain(text: str) -> str:
    text = (
        unicodedata.normalize("NFKC", BEHIND_A_NUMBER.sub("_", text))
        .replace("\u2212", "-")
        .replace("\u2019", "'")
    )
    return tight(" ".join(text.split()))


def _in_figures(text: str) -> str:
    """Number words as figures; "one" only before a unit, where it counts."""
    return _WORDS.sub(lambda match: _figures(match.group()), text)


def _figures(words: str) -> str:
    value = value_of_words(words)
    return words if value is None else str(value)


def _read(text: str) -> Iterator[Quantity]:
    """The quantities in a text."""
    text = _in_figures(text)
    for match in _QUANTITY.finditer(text):
        figures = match["figures"].rstrip(",")
        if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", figures) is None or (
            figures[:2].isdigit() and figures[0] == "0"
        ):
            continue
        number = figures.replace(",", "")
        factor = (
            _SCALE[(match["scale"] or match["short"] or "").lower()]
            if match["scale"] or match["short"]
            else 1
        )
        unit, more = match["unit"], match["more"]
        if match["short"] in ("m", "M") and not match["before"]:
            factor, unit = 1, unit or "m"
        names = [_UNITS[name.lower()] for name in (match["before"], unit) if name]
        digits = number.lstrip("0.").replace(".", "")
        yield Quantity(
            value=Decimal(number) * factor * (-1 if match["sign"] else 1),
            unit=names[0] if names else None,
            figures=len(digits if "." in number else digits.rstrip("0")),
            scaled=factor != 1,
            alone=more is None,
            hedged=_HEDGE.search(text[max(0, match.start() - 20) : match.start()].lower()) is not None,
        )
