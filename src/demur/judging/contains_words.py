"""The default rule: a text gives an accepted answer where it stands in it as whole words, or in other
words.

1. Where the accepted answer is yes or no, the first word of polarity decides (`demur.judging.polarity`).
2. An accepted answer that stands in the text as whole words (`demur.judging.containment`) is given,
   unless the text lists others beside it (`several`), has it only inside a longer name (`longer_names`),
   or contradicts a date (`dates`).
3. One that does not stand there may be said in other words (`demur.judging.other_words`), or be a
   sentence about one day, which the text names (`dates`).
4. An answer of signs only is compared as it is (`demur.judging.symbols`).

Source: Demur; the containment test is R-Tuning's (arXiv 2311.09677), normalisation after SQuAD.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from demur.core.records import Question
from demur.judging import dates, numbers, other_words, polarity, symbols, units
from demur.judging.base import Judge
from demur.judging.containment import answer_keys, contains_words
from demur.judging.longer_names import only_in_longer_names
from demur.judging.normalise import normalise
from demur.judging.several import lists_others


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the accepted answers of one question are looked for by."""

    polarity: bool | None
    keys: tuple[str, ...]
    signs: tuple[str, ...]
    same: frozenset[str]
    """Answers with at least one word, lower case. A text equal to one of them is correct."""


def right(question: Question, text: str) -> bool | None:
    """Whether a text gives an accepted answer: it stands there, or is said in other words."""
    answers = question.answers
    plan = _plan(answers)
    if plan.polarity is not None:
        return polarity.polarity(text) is plan.polarity
    if text.casefold() in plan.same:
        return True
    text = numbers.result(text, answers)
    normal = normalise(text) if plan.keys else ""
    for key in plan.keys:
        if contains_words(normal, key):
            return not _misleads(question.text, answers, text)
    if plan.keys and other_words.gives(question.text, answers, text, normal):
        return True
    if plan.keys and dates.stated_day(question.text, text, answers):
        return True
    if plan.signs:
        return any(symbols.gives(text, sign) for sign in plan.signs)
    return False if plan.keys else None


@lru_cache(maxsize=1 << 15)
def _plan(answers: tuple[str, ...]) -> _Plan:
    return _Plan(
        polarity.accepted(answers),
        answer_keys(answers),
        tuple(answer for answer in answers if symbols.is_symbol(answer)),
        frozenset(answer.casefold() for answer in answers if not symbols.is_symbol(answer)),
    )


def right_by_year(question: Question, text: str) -> bool | None:
    """`right`, and the year of an accepted date is enough ("1998" for "5 May 1998")."""
    found = right(question, text)
    return dates.lenient(text, question.answers) if found is False else found


def _misleads(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether a text has an accepted answer in it and gives another one all the same."""
    return (
        lists_others(question, answers, text)
        or only_in_longer_names(question, answers, text)
        or dates.contradicts(text, answers)
        or dates.in_another_era(text, answers)
        or numbers.is_range(text, answers)
        or units.has_another_unit(text, answers)
    )


CONTAINS_WORDS = Judge(
    name="contains-words",
    source="Demur; containment after R-Tuning (arXiv 2311.09677), normalisation after SQuAD",
    right=right,
)
LENIENT_DATES = Judge(
    name="lenient-dates",
    source="Demur; contains-words, but the year of an accepted date is enough",
    right=right_by_year,
)
