"""An accepted answer that is not in the text as it is written: is it said in other words?

Each way is a file of its own: dates (`dates`), quantities (`units`), counts (`numbers`), names of people (`names`), what
the answer implies (`short_forms`) and its wording (`wording`). All this is asked only of a text that holds the start
of a word of the answer, or a figure, or an acronym: most wrong answers hold none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from demur.judging import containment, dates, names, short_forms, wording
from demur.judging.normalise import normalise, spaced
from demur.judging.numbers import COUNTS, counted
from demur.judging.units import Quantity, gives_quantity, quantity, tight

@dataclass(frozen=True, slots=True)
class _Numeric:
    """What is numeric in the accepted answers of a question."""

    counts: tuple[str, ...]
    dates: tuple[dates.Day, ...]
    quantities: tuple[Quantity, ...]
    figures: bool

    @property
    def any(self) -> bool:
        return bool(self.counts or self.dates or self.quantities or self.figures)


_BLANK_IN_NUMBER = re.compile(r"\d ?[.,]? \d|\d [.,]|\w ['’]\s?\w|['’] \w")


def gives(question: str, answers: tuple[str, ...], text: str, normal: str) -> bool:
    """Whether a text says an accepted answer in other words.

    Args:
        normal: the text in normal form.
    """
    plain = spaced(normal)
    return (
        _in_figures(question, answers, text, plain)
        or short_forms.gives_acronym(text, answers)
        or (_hinted(answers, plain) and _in_words(question, answers, text, normal))
    )


def _in_figures(question: str, answers: tuple[str, ...], text: str, plain: str) -> bool:
    """Dates, quantities and counts."""
    kinds = _numeric(answers)
    if not kinds.any:
        return False
    if any(counted(question, key, plain) for key in kinds.counts):
        return True
    if kinds.dates and dates.gives_date(text, kinds.dates):
        return True
    if any(gives_quantity(text, wanted) for wanted in kinds.quantities):
        return True
    if kinds.figures and _BLANK_IN_NUMBER.search(text):
        normal = normalise(tight(text))
        return any(containment.contains_words(normal, key) for key in containment.answer_keys(answers))
    return False


def _in_words(question: str, answers: tuple[str, ...], text: str, normal: str) -> bool:
    """Names, what an answer implies, and its wording."""
    if any(containment.contains_words(normal, key) for key in short_forms.implied_keys(answers)):
        return True
    plain = spaced(normal)
    people = names.person_names(question, answers)
    if people and names.gives_name(text, people):
        return True
    return wording.same_wording(question, answers, plain)


def _hinted(answers: tuple[str, ...], plain: str) -> bool:
    return any(hint in plain for hint in _hints(answers))


@lru_cache(maxsize=1 << 14)
def _hints(answers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*wording.hints(answers), *names.hints(answers))))


@lru_cache(maxsize=1 << 14)
def _numeric(answers: tuple[str, ...]) -> _Numeric:
    keys = [spaced(normalise(answer)) for answer in answers]
    return _Numeric(
        counts=tuple(key for key in keys if key in COUNTS),
        dates=dates.wanted_dates(answers),
        quantities=tuple(found for answer in answers if (found := quantity(answer)) is not None),
        figures=any(char.isdigit() or char in "'\u2019" for answer in answers for char in answer),
    )
