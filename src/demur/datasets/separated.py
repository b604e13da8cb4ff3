"""Single answers that look like several: "Oslo; the city of Oslo"."""

from __future__ import annotations

from dataclasses import dataclass

from demur.core.questions import QuestionTable

SEPARATORS = (";", "|")
WORTH_A_WORD = 0.2
"""Share of the answers from which on it is noted wherever the file is read."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Separated:
    """Answers that hold a separator between two texts."""

    separator: str
    """The one that most of them hold."""
    count: int
    single: int
    """Questions with one answer."""
    examples: tuple[str, ...]


def separated(questions: QuestionTable) -> Separated:
    """Count the only answers of their question that hold a separator between two texts.

    Answers of choice questions are letters, and none of these.
    """
    counts, single = dict.fromkeys(SEPARATORS, 0), 0
    examples: dict[str, list[str]] = {separator: [] for separator in SEPARATORS}
    for (answers,) in questions.chunks("answers"):
        for given in answers:
            if len(given) != 1:
                continue
            single += 1
            for separator in SEPARATORS:
                if separator in given[0] and _divides(given[0], separator):
                    counts[separator] += 1
                    if len(examples[separator]) < _EXAMPLES:
                        examples[separator].append(given[0])
    most = max(SEPARATORS, key=counts.__getitem__)
    return Separated(most, counts[most], single, tuple(examples[most]))


def note_on(questions: QuestionTable) -> str | None:
    """A sentence where enough answers look like several; None where they do not."""
    found = separated(questions)
    if not found.count or found.count < WORTH_A_WORD * found.single:
        return None
    return (
        f"{found.count:,} of {found.single:,} answers hold {found.separator!r}, such as "
        f"{found.examples[0]!r}, and are one answer each: --answers-separator '{found.separator}' makes "
        "several of them"
    )


def _divides(text: str, separator: str) -> bool:
    return sum(bool(part.strip()) for part in text.split(separator)) > 1
