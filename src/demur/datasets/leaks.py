"""Questions that stand in more than one part, and rows that ask the same question twice.

Two rows ask the same question where their texts are equal after `normalise`, and their passages and
options are too. The part that came first in ``train``, ``calibration``, anything else keeps the
question; it is dropped from the later one. So what is measured was never trained on, while the
training data stays as it was published: models trained elsewhere on it can be measured beside ours.
The price: a test set that is smaller than the published one, by the questions that recur.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demur.datasets.base import part_of
from demur.records import Question

EXAMPLES = 3

_OPENING = "\"'“”‘’«»„‚([{¿¡"
_CLOSING = "\"'“”‘’«»)]}.,;:!?…。、！？،؟।"
_RANKS = {"train": 0, "calibration": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Questions of a later part that also stand in training or calibration."""

    rows: int
    """Rows of the later parts that ask such a question."""
    exact: int
    """Those of them whose text stands there to the letter."""
    questions: int
    """How many distinct questions that is."""
    by_part: dict[str, int]
    """Rows by the part that they leak into."""
    dropped: bool
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Rows that ask, within one part, what an earlier row of it asks. They are kept."""

    rows: int
    other_answers: int
    """Those of them with other accepted answers than the first."""
    examples: tuple[str, ...]


def normalise(text: str) -> str:
    """A question's text without what does not change the question: case, width, spacing, quotes and
    punctuation around words. Signs within or before words stay: C++, x-1 and -1 are not C, x1 and 1.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    words = [word.lstrip(_OPENING).rstrip(_CLOSING) for word in plain.casefold().split()]
    return " ".join(filter(None, words)) or plain


def same_question(question: Question) -> str:
    """A key that two questions share if they ask the same: text, passage and options, normalised."""
    text = normalise(question.text)
    if question.context is None and not question.choices:
        return text
    rest = [normalise(question.context or ""), *map(normalise, question.choices)]
    return f"{text}\n{hashlib.sha256(json.dumps(rest).encode()).hexdigest()}"


def find_leaks(
    questions: Sequence[Question], keys: Mapping[str, str], *, drop: bool
) -> tuple[list[Question], Leaks]:
    """The questions without leaks where ``drop``, else all of them; and what was found.

    Args:
        questions: all parts, in any order, which is kept.
        keys: `same_question` of each, by id.
    """
    owner: dict[str, int] = {}
    letters: set[tuple[int, str]] = set()
    for question in questions:
        rank, key = _rank(question), keys[question.id]
        owner[key] = min(owner.get(key, rank), rank)
        letters.add((rank, question.text))
    found = [question for question in questions if owner[keys[question.id]] < _rank(question)]
    leaked = {question.id for question in found}
    kept = [question for question in questions if question.id not in leaked] if drop else list(questions)
    return kept, Leaks(
        rows=len(found),
        exact=sum(any((rank, q.text) in letters for rank in range(_rank(q))) for q in found),
        questions=len({keys[question.id] for question in found}),
        by_part=dict(Counter(map(part_of, found))),
        dropped=drop,
        examples=_examples(found),
    )


def find_duplicates(questions: Sequence[Question], keys: Mapping[str, str]) -> Duplicates:
    """Rows that repeat an earlier one of the same part; different answers are told apart.

    Args:
        keys: `same_question` of each, by id.
    """
    first: dict[tuple[str, str], Question] = {}
    repeated, differing = [], 0
    for question in questions:
        before = first.setdefault((part_of(question), keys[question.id]), question)
        if before is not question:
            repeated.append(question)
            differing += before.answers != question.answers
    return Duplicates(rows=len(repeated), other_answers=differing, examples=_examples(repeated))


def merge_answers(
    questions: Sequence[Question], keys: Mapping[str, str], notes: list[str]
) -> list[Question]:
    """One question of the rows of a part that ask the same: the first, with the answers of all.

    Args:
        keys: `same_question` of each, by id.
        notes: gets a sentence where rows were merged.
    """
    merged: dict[tuple[str, str, bool], Question] = {}
    for question in questions:
        place = (part_of(question), keys[question.id], question.answerable)
        first = merged.setdefault(place, question)
        if first is not question:
            answers = tuple(dict.fromkeys((*first.answers, *question.answers)))
            merged[place] = dataclasses.replace(first, answers=answers)
    if len(merged) < len(questions):
        notes.append(f"{len(questions) - len(merged):,} rows were merged into the first that asks the same")
    return list(merged.values())


def _rank(question: Question) -> int:
    return _RANKS.get(question.split, 2)


def _examples(questions: Sequence[Question]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(question.text for question in questions))[:EXAMPLES])
