"""The default rule: a text gives an accepted answer where it stands in it as whole words, or in other words.

1. Where the accepted answer is yes or no, the first word of polarity decides (`demur.judging.polarity`).
2. An accepted answer that stands in the text as whole words (`demur.judging.containment`) is given, unless the text
   lists others beside it (`several`), has it only inside a longer name (`longer_names`), or contradicts a date
   (`dates`).
3. One that does not stand there may be said in other words (`demur.judging.other_words`).
4. An answer of signs only is compared as it is (`demur.judging.symbols`).

Source: Demur; the containment test is R-Tuning's (arXiv 2311.09677), normalisation after SQuAD.
"""

from __future__ import annotations

from functools import lru_cache

from demur.core.records import Question
from demur.judging import dates, other_words, polarity, symbols, units
from demur.judging.base import Judge
from demur.judging.containment import answer_keys, contains_words
from demur.judging.longer_names import only_in_longer_names
from demur.judging.normalise import normalise, spaced
from demur.judging.several import lists_others


def right(question: Question, text: str) -> bool | None:
    """Whether a text gives an accepted answer: it stands there, or is said in other words."""
    answers = question.answers
    if (wanted := polarity.accepted(answers)) is not None:
        return polarity.polarity(text) is wanted
    keys = _asked_for(question.text, answers)
    if not keys:
        return _gives_symbol(answers, text)
    normal = normalise(text)
    if any(contains_words(normal, key) for key in keys):
        return not _misleads(question.text, answers, text)
    return other_words.gives(question.text, answers, text, normal) or bool(_gives_symbol(answers, text))


@lru_cache(maxsize=1 << 14)
def _asked_for(question: str, answers: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of the accepted answers, without aliases that the question says itself, where others are left."""
    if len(answers) < 2:
        return answer_keys(answers)
    asked = f" {spaced(normalise(question))} "
    new = tuple(answer for answer in answers if f" {spaced(normalise(answer))} " not in asked)
    return answer_keys(new) or answer_keys(answers)


def _misleads(question: str, answers: tuple[str, ...], text: str) -> bool:
    """Whether a text has an accepted answer in it and gives another one all the same."""
    return (
        lists_others(question, answers, text)
        or only_in_longer_names(question, answers, text)
        or dates.contradicts(text, answers)
        or units.has_another_unit(text, answers)
    )


def _gives_symbol(answers: tuple[str, ...], text: str) -> bool | None:
    """Whether a text gives an accepted answer that has signs only; None where there is none."""
    signs = [answer for answer in answers if symbols.is_symbol(answer)]
    return any(symbols.gives(text, answer) for answer in signs) if signs else None


CONTAINS_WORDS = Judge(
    name="contains-words",
    source="Demur; containment after R-Tuning (arXiv 2311.09677), normalisation after SQuAD",
    right=right,
)
