"""Dates: what a text must say for an accepted answer that is a date, and in which ways.

"5 May 1998" is "May 5, 1998", "5th of May 1998", "1998-05-05" and "1998年5月5日". In figures with the year
last, day and month are told apart only where one of them cannot be the other: "13/05/1998" is a date,
"05/06/1998" is two. The names of the months are the English ones.

A text must be as precise as the accepted answer, and may be more so: "July 4, 1776" answers "July 1776"
and "1776", "1776" answers neither "July 1776" nor "July 4, 1776" (`lenient`: it does). What it says
beyond a coarse answer must not contradict a finer accepted one: "June 9, 1847" is wrong where "March 3,
1847" is accepted, although "1847" is as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_NAMES = {name: number for number, name in enumerate(MONTHS, start=1)}
_NAMES |= {name[:3]: number for name, number in _NAMES.items()} | {"sept": 9}
_FOREIGN = (
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
)
_NAMES_ELSEWHERE = {
    name: number for line in _FOREIGN for number, name in enumerate(line.split(), start=1)
} | {"jänner": 1, "fevrier": 2, "aout": 8, "decembre": 12, "marz": 3, "setiembre": 9}
_MONTH_ELSEWHERE = rf"(?P<month>{'|'.join(_NAMES_ELSEWHERE)})"
_DATE_ELSEWHERE = (
    rf"(?:le |el |am |den |il )?(?P<day>\d{{1,2}})(?:\.|er|º|°|re)? (?:de |do |di |d['’])?"
    rf"{_MONTH_ELSEWHERE}"
    r"(?:,? (?:de |del |do )?(?P<year>\d{4}))?"
)
"""Day, month and year as German, French, Spanish, Italian, Portuguese and Russian write them."""
_NUMBERS = _NAMES_ELSEWHERE | _NAMES
_MONTH = rf"(?P<month>{'|'.join(_NAMES)})\.?"
_DAY = r"(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{3,4})"
_WITH_NAME = tuple(
    re.compile(form)
    for form in (
        rf"{_DAY}(?: of)?[ -]{_MONTH}(?:,? |-)?(?:(?<=[ -]){_YEAR})?",
        rf"{_MONTH} {_DAY}(?:,? {_YEAR})?",
        rf"{_YEAR},? {_MONTH} {_DAY}",
        _DATE_ELSEWHERE,
    )
)
_IN_FIGURES = (
    re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"),
    re.compile(r"(?P<year>\d{3,4}) ?年 ?(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?日"),
)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_MENTIONS = tuple(
    re.compile(rf"(?<![\w/.-]){form}(?:t\d\d:[\d:.]+(?:z|[+-]\d\d:?\d\d)?)?(?![\w/-]|\.\d)")
    for form in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        rf"{_DAY}(?: of)?[ -](?:the )?{_MONTH}(?:,? (?:of )?|-){_YEAR}",
        rf"{_MONTH} {_DAY}(?:,? |, of ){_YEAR}",
        rf"{_YEAR},? {_MONTH} {_DAY}",
        rf"{_MONTH}(?:,? (?:of )?|-){_YEAR}",
        rf"{_DAY}(?: of)?[ -]{_MONTH}",
        rf"{_MONTH} {_DAY}",
        _DATE_ELSEWHERE,
        r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])",
        r"(?P<month>0?[1-9]|1[0-2])/(?P<year>\d{4})",
    )
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "final": -1}
_NTH_WEEKDAY = re.compile(
    rf"\b(?P<nth>{'|'.join(_ORDINALS)}|[1-5](?:st|nd|rd|th)) (?P<day>{'|'.join(_WEEKDAYS)})\b"
)
_BEFORE_A_DATE = re.compile(
    rf"^(?:on |in |since |from |by |the |(?:{'|'.join(_WEEKDAYS)}"
    rf"|{'|'.join(d[:3] for d in _WEEKDAYS)})\b[.,]* )+"
)
_FIGURE = re.compile(r"\d")
_YEAR_ALONE = re.compile(r"\d{1,4}(?: ?(?:ad|ce))?")
_BEFORE_CHRIST = r" ?(?:bce?\b|b\.c\.|v\. ?chr|av\. j|a\. ?c\.|до н)"
LEAP_YEAR = 2000
"""Stands for an unknown year: every day of a month is in it."""


def other_dates(answer: str) -> Iterator[str]:
    """The ways to write the date that an answer is; nothing where it is none."""
    if not _FIGURE.search(answer):
        return
    found = _read(_BEFORE_A_DATE.sub("", _plain(answer)).strip(" ."))
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


@dataclass(frozen=True, slots=True)
class Day:
    """A date, or the part of one that is said: None for what is not."""

    year: int | None
    month: int
    day: int | None

    def answers(self, wanted: Day) -> bool:
        """Whether this says all that ``wanted`` says, in accord with it."""
        mine, theirs = (self.year, self.month, self.day), (wanted.year, wanted.month, wanted.day)
        return all(right is None or left == right for left, right in zip(mine, theirs, strict=True))

    def agrees(self, other: Day) -> bool:
        """Whether nothing that both say differs."""
        mine, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return all(None in (left, right) or left == right for left, right in zip(mine, theirs, strict=True))


@lru_cache(maxsize=1 << 14)
def wanted_dates(answers: tuple[str, ...]) -> tuple[Day, ...]:
    """The accepted answers that are dates with a month."""
    return tuple(day for answer in answers if (day := _whole(answer)) is not None)


def gives_date(text: str, wanted: Iterable[Day]) -> bool:
    """Whether a text mentions one of the dates at least as precisely."""
    said = mentions(text)
    return any(day.answers(other) for day in said for other in wanted)


def contradicts(text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text names days, while finer accepted answers name others: right in the year alone.

    Also for "the third Sunday of October", where "the first Sunday of April" and "October" are accepted.
    """
    fine, accepted = _fine(answers)
    if accepted and (nth := {_nth(match) for match in _NTH_WEEKDAY.finditer(_plain(text))}):
        return not nth & accepted
    said = mentions(text) if fine else []
    if any(day.agrees(other) for day in said for other in fine):
        return False
    return any(day.year is not None and day.year == other.year for day in said for other in fine)


def in_another_era(text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text gives an accepted year, and means the one before our era ("1998 BC")."""
    plain = _plain(text)
    if not all(_YEAR_ALONE.fullmatch(_plain(answer)) for answer in answers):
        return False
    years = {re.match(r"\d+", _plain(answer))[0] for answer in answers}  # type: ignore[index]
    said = re.findall(rf"(?<!\d)(?:{'|'.join(years)})(?!\d)({_BEFORE_CHRIST})?", plain)
    return bool(said) and all(said)


@lru_cache(maxsize=1 << 14)
def _fine(answers: tuple[str, ...]) -> tuple[tuple[Day, ...], frozenset[tuple[int, str]]]:
    """The accepted answers that say a month, and the weekdays that are counted in them."""
    nth = {_nth(match) for answer in answers for match in _NTH_WEEKDAY.finditer(_plain(answer))}
    return wanted_dates(answers), frozenset(nth)


def lenient(text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text gives the year of an accepted date, and contradicts nothing else of it."""
    wanted = [day for day in wanted_dates(answers) if day.year is not None]
    if not wanted or contradicts(text, answers):
        return False
    said = mentions(text)
    if said:
        return any(day.year == other.year and day.agrees(other) for day in said for other in wanted)
    years = {int(year) for year in re.findall(r"(?<![\d.,])\d{3,4}(?![\d,]|\.\d)", text)}
    return any(day.year in years for day in wanted)


_ASKS_WHEN = re.compile(r"(?:in |on )?(?:when|(?:what|which) (?:date|day))\b")
_NOT_THEN = re.compile(r"\b(?:not|never|cannot|before|after|until|till|since|or|between|wrong)\b|n['’]t\b")
_DAYS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL_DAYS = re.compile(rf"\b(?P<month>{'|'.join(MONTHS)}) (?P<day>{'|'.join(_DAYS)})\b")
_SENTENCE = 5
"""Words from which on an accepted answer is a sentence."""


def stated_day(question: str, text: str, answers: tuple[str, ...]) -> bool:
    """Whether a text names the one day of an accepted answer that is a sentence, where "when" is asked.

    "It fell on 4 June 1944" gives "The town fell to its besiegers on June fourth, 1944." Of two days, as
    those of a span, the earlier one counts.
    """
    if not _ASKS_WHEN.match(_plain(question)) or _NOT_THEN.search(_plain(text)):
        return False
    wanted = _days_of_sentences(answers)
    said = mentions(text) if wanted else []
    if not 0 < len(said) <= 2:
        return False
    earliest = min(said, key=lambda day: (day.year or 0, day.month, day.day or 0))
    return any(earliest.answers(day) for day in wanted)


@lru_cache(maxsize=1 << 14)
def _days_of_sentences(answers: tuple[str, ...]) -> tuple[Day, ...]:
    """The one full date of each accepted answer that is a sentence about it."""
    found = []
    for answer in answers:
        plain = _ORDINAL_DAYS.sub(
            lambda match: f"{match['month']} {_DAYS.index(match['day']) + 1}", _plain(answer)
        )
        if len(plain.split()) < _SENTENCE or _NOT_THEN.search(plain) or _whole(answer):
            continue
        days = mentions(plain)
        if len(days) == 1 and None not in (days[0].year, days[0].day):
            found.append(days[0])
    return tuple(found)


def mentions(text: str) -> list[Day]:
    """The dates in a text that name a month, each stretch of it read once."""
    plain = _plain(text)
    found = []
    for form in _MENTIONS if _FIGURE.search(plain) else ():
        matches = list(form.finditer(plain))
        for match in matches:
            groups = match.groupdict()
            month, day = groups["month"], groups.get("day")
            read = _valid(groups.get("year"), _NUMBERS.get(month) or int(month), int(day or 1))
            if read is not None:
                found.append(Day(read[0], read[1], read[2] if day else None))
        for match in matches:  # read once
            plain = plain[: match.start()] + "#" * len(match.group()) + plain[match.end() :]
    return found


def _nth(match: re.Match[str]) -> tuple[int, str]:
    nth = match["nth"]
    return _ORDINALS.get(nth) or int(nth[0]), match["day"]


def _whole(answer: str) -> Day | None:
    """The date that an answer is as a whole; None where it says more or something else."""
    if not _FIGURE.search(answer):
        return None
    plain = _BEFORE_A_DATE.sub("", _plain(answer)).strip(" .")
    if read := _read(plain):
        return Day(*read)
    match = re.fullmatch(rf"{_MONTH}(?:,? (?:of )?|-){_YEAR}", plain)
    return Day(int(match["year"]), _NAMES[match["month"]], None) if match else None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def _read(text: str) -> tuple[int | None, int, int] | None:
    """Year (None where it is not said), month and day; None where a text is no date."""
    for form in (*_WITH_NAME, *_IN_FIGURES):
        match = form.fullmatch(text)
        if match:
            month = match["month"]
            return _valid(match["year"], _NUMBERS.get(month) or int(month), int(match["day"]))
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
