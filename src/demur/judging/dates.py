"""An accepted answer that is a date, in the other ways to write that date.

"5 May 1998" is "May 5, 1998", "5th of May 1998", "1998-05-05" and "1998年5月5日". In figures with the year
last, day and month are told apart only where one of them cannot be the other: "13/05/1998" is a date,
"05/06/1998" is two. A year alone, or a month with a year, is no date: nothing is added to it. The names of
the months are the English ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_NAMES = {name: number for number, name in enumerate(MONTHS, start=1)}
_NAMES |= {name[:3]: number for name, number in _NAMES.items()} | {"sept": 9}
_MONTH = rf"(?P<month>{'|'.join(_NAMES)})\.?"
_DAY = r"(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{3,4})"
_WITH_NAME = tuple(
    re.compile(form)
    for form in (
        rf"{_DAY}(?: of)?[ -]{_MONTH}(?:,? |-)?(?:(?<=[ -]){_YEAR})?",
        rf"{_MONTH} {_DAY}(?:,? {_YEAR})?",
        rf"{_YEAR},? {_MONTH} {_DAY}",
    )
)
_IN_FIGURES = (
    re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"),
    re.compile(r"(?P<year>\d{3,4}) ?年 ?(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?日"),
)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
LEAP_YEAR = 2000
"""Stands for an unknown year: every day of a month is in it."""


def other_dates(answer: str) -> Iterator[str]:
    """The ways to write the date that an answer is; nothing where it is none."""
    found = _read(" ".join(unicodedata.normalize("NFKC", answer).lower().split()))
    if found is None:
        return
    year, month, day = found
    names = {MONTHS[month - 1], MONTHS[month - 1][:3], *(["sept"] if month == 9 else [])}
    ordinal = f"{day}{_suffix(day)}"
    after = "" if year is None else f" {year}"
    for name in sorted(names):
        for number in dict.fromkeys((f"{day}", f"{day:02}", ordinal)):
            yield f"{number} {name}{after}"
            yield f"{name} {number}{after}"
        yield f"{ordinal} of {name}{after}"
        if year is not None:
            yield f"{year} {name} {day}"
    if year is None:
        yield f"{month}月{day}日"
        return
    yield f"{year}年{month}月{day}日"
    yield from (f"{year:04}-{month:02}-{day:02}", f"{year}-{month}-{day}")
    if day > 12 or day == month:
        for first, second in ((day, month), (month, day)):
            yield from (f"{first:02}/{second:02}/{year}", f"{first}/{second}/{year}")
            yield from (f"{first:02}.{second:02}.{year}", f"{first}.{second}.{year}")


def _read(text: str) -> tuple[int | None, int, int] | None:
    """Year (None where it is not said), month and day; None where a text is no date."""
    for form in (*_WITH_NAME, *_IN_FIGURES):
        match = form.fullmatch(text)
        if match:
            month = match["month"]
            return _valid(match["year"], _NAMES.get(month) or int(month), int(match["day"]))
    match = _YEAR_LAST.fullmatch(text)
    if match:
        first, second = int(match[1]), int(match[3])
        if first > 12 or first == second:
            return _valid(match[4], second, first)
        if second > 12:
            return _valid(match[4], first, second)
    return None


def _valid(year: str | None, month: int, day: int) -> tuple[int | None, int, int] | None:
    try:
        date(int(year or LEAP_YEAR), month, day)
    except ValueError:
        return None
    return (int(year) if year else None, month, day)


def _suffix(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
