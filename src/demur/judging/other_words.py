"""An accepted answer that is not in the text as it is written: is it said in other words?

Each way is a file of its own: dates (`dates`), quantities (`units`), counts (`numbers`), names of people
(`names`), what the answer implies (`short_forms`) and its wording (`wording`). All this is asked only of
a text that holds the start of a word of the answer, or a figure, or an acronym: most wrong answers hold
none.
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
class Wanted:
    """What is looked for in the texts of one question, beside its keys."""

    counts: tuple[str, ...]
    dates: tuple[dates.Day, ...]
    quantities: tuple[Quantity, ...]
    figures: bool
    """Whether an accepted answer has a figure or an apostrophe."""
    acronyms: frozenset[str]
    stated: frozenset[str]
    """Accepted answers that are acronyms."""
    hints: tuple[tuple[str, tuple[int, ...]], ...]
    """Starts of words, each with the accepted answers that have it."""

    @property
    def numeric(self) -> bool:
        """Whether anything is looked for in figures."""
        return bool(self.counts or self.dates or self.quantities or self.figures)


_FIGURE_OR_APOSTROPHE = re.compile(r"[\d'\u2019]")
_BLANK_IN_NUMBER = re.compile(r"\d ?[.,]? \d|\d [.,]|\w ['’]\s?\w|['’] \w")


def _hints(answers: tuple[str, ...], keys: list[str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Starts of the accepted answers' words, of what a file leaves of them, and of a state's full name."""
    found: dict[str, list[int]] = {}
    for index, (answer, key) in enumerate(zip(answers, keys, strict=True)):
        forms = [key, short_forms.full_name(key)]
        if not answer.isascii():
            forms.append(spaced(normalise("".join(char if char.isascii() else "?" for char in answer))))
        for hint in wording.hints(forms):
            found.setdefault(hint, []).append(index)
    return tuple((hint, tuple(indices)) for hint, indices in found.items())


@lru_cache(maxsize=1 << 15)
def wanted(answers: tuple[str, ...]) -> Wanted:
    """What to look for, from the accepted answers."""
    keys = [spaced(normalise(answer)) for answer in answers]
    return Wanted(
        counts=tuple(key for key in keys if key in COUNTS),
        dates=dates.wanted_dates(answers),
        quantities=tuple(found for answer in answers if (found := quantity(answer)) is not None),
        figures=any(_FIGURE_OR_APOSTROPHE.search(answer) for answer in answers),
        acronyms=short_forms.acronyms(answers),
        stated=short_forms.stated_acronyms(answers),
        hints=_hints(answers, keys),
    )


def gives(question: str, answers: tuple[str, ...], text: str, normal: str) -> bool:
    """Whether a text says an accepted answer in other words.

    Args:
        normal: the text in normal form.
    """
    sought, plain = wanted(answers), spaced(normal)
    if sought.numeric and _in_figures(question, answers, sought, text, plain):
        return True
    if (sought.acronyms or sought.stated) and short_forms.gives_acronym(
        text, sought.acronyms, sought.stated
    ):
        return True
    near = {index for hint, indices in sought.hints if hint in plain for index in indices}
    if not near:
        return False
    chosen = tuple(answer for index, answer in enumerate(answers) if index in near)
    return _in_words(question, chosen, text, normal, few=len(answers) <= short_forms.HAND_WRITTEN)


def _in_figures(question: str, answers: tuple[str, ...], sought: Wanted, text: str, plain: str) -> bool:
    """Dates, quantities and counts."""
    if any(counted(question, key, plain) for key in sought.counts):
        return True
    if sought.dates and dates.gives_date(text, sought.dates):
        return True
    if any(gives_quantity(text, wanted) for wanted in sought.quantities):
        return True
    if sought.figures and _BLANK_IN_NUMBER.search(text):
        normal = normalise(tight(text))
        return any(containment.contains_words(normal, key) for key in containment.answer_keys(answers))
    return False


def _in_words(question: str, answers: tuple[str, ...], text: str, normal: str, *, few: bool) -> bool:
    """Names, what an answer implies, and its wording."""
    if any(containment.contains_words(normal, key) for key in short_forms.implied_keys(answers, few)):
        return True
    people = names.person_names(question, answers)
    if people and names.gives_name(text, people):
        return True
    return wording.same_wording(question, answers, spaced(normal))
