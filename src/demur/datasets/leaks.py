"""Questions that stand in more than one part, and rows that ask the same question twice.

Two rows ask the same question where their texts are equal after `normalise`, and their passages and
options are too. The part that came first in ``train``, ``calibration``, anything else keeps the
question; it is dropped from the later one. So what is measured was never trained on, while the
training data stays as it was published: models trained elsewhere on it can be measured beside ours.
The price: a test set that is smaller than the published one, by the questions that recur.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demur.core.questions import CHUNK, Keys, Places, QuestionTable, repeated
from demur.core.records import Question
from demur.datasets.splits import draw_keys

EXAMPLES = 3

_OPENING = "\"'“”‘’«»„‚([{¿¡"
_CLOSING = "\"'“”‘’«»)]}.,;:!?…。、！？،؟।"
_AROUND = re.compile(f"[{re.escape(_OPENING + _CLOSING)}]")
_ASCII_AROUND = re.compile(f"[{re.escape(''.join(filter(str.isascii, _OPENING + _CLOSING)))}]")
_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u00b4\u2032\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys(
            map(chr, (0x0640, *range(0x064B, 0x0653)))
        ),  # Arabic vowel points, mostly not written
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad"),  # they take no room
    }
)
_RANKS = {"train": 0, "calibration": 1}

Mask = npt.NDArray[np.bool_]
_STRIDE = np.uint64(0x9E3779B97F4A7C15)
"""Far apart, so that a key of one part is no key of another."""


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
    punctuation around words, the forms of apostrophes and hyphens, how accents are encoded, characters that
    take no room. Signs within or before words stay: C++, x-1 and -1 are not C, x1 and 1.
    """
    plain, around = text, _ASCII_AROUND
    if not text.isascii():
        plain, around = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHIC)), _AROUND
    words = plain.casefold().rstrip(_CLOSING).split()
    joined = " ".join(words)
    if around.search(joined):  # most questions have no such sign but the one they end with
        joined = " ".join(filter(None, (word.lstrip(_OPENING).rstrip(_CLOSING) for word in words)))
    return joined or plain


def same_question(question: Question) -> str:
    """A text that two questions share if they ask the same: text, passage and options, normalised."""
    return _same(question.text, question.context, question.choices)


def same_questions(questions: QuestionTable) -> Iterator[str]:
    """`same_question` of each question of a table."""
    for chunk in same_chunks(questions):
        yield from chunk


def same_chunks(questions: QuestionTable) -> Iterator[list[str]]:
    """`same_question` of each question, a list for each of the table's chunks."""
    if questions.bare:
        for (texts,) in questions.chunks("text"):
            yield list(map(normalise, texts))
        return
    for columns in questions.chunks("text", "context", "choices"):
        yield list(map(_same, *columns))


def question_keys(questions: QuestionTable, *, seed: int = 0) -> Keys:
    """A number for each question, equal where `same_question` is; see `demur.datasets.splits.draw_keys`."""
    return draw_keys(same_questions(questions), len(questions), seed)


def _same(text: str, context: str | None, choices: tuple[str, ...] | list[str]) -> str:
    plain = normalise(text)
    if context is None and not choices:
        return plain
    rest = [normalise(context or ""), *map(normalise, choices)]
    return f"{plain}\n{hashlib.sha256(json.dumps(rest).encode()).hexdigest()}"


def find_leaks(questions: QuestionTable, keys: Keys, *, drop: bool) -> tuple[Mask, Leaks]:
    """Which questions to keep, those without leaks where ``drop``, else all; and what was found.

    Args:
        questions: all parts, in any order.
        keys: `question_keys` of them.
    """
    leaked, ranks = _leaked(questions, keys)
    found = questions.where(leaked)
    return ~leaked if drop else np.ones(len(questions), dtype=bool), Leaks(
        rows=len(found),
        exact=_exact(questions, keys, ranks, leaked),
        questions=len(np.unique(keys[leaked])),
        by_part=found.counts(),
        dropped=drop,
        examples=_examples(found),
    )


def _leaked(questions: QuestionTable, keys: Keys) -> tuple[Mask, npt.NDArray[np.int8]]:
    """Which questions stand in an earlier part too; and how early the part of each question comes."""
    codes, splits = questions.codes("split")
    ranks = np.array([_RANKS.get(split, 2) for split in splits], dtype=np.int8)[codes]
    first, again = repeated(keys)
    owner = ranks.copy()  # of the first question with a key: the earliest part that asks it
    np.minimum.at(owner, first, ranks[again])
    owner[again] = owner[first]
    return owner < ranks, ranks


def _exact(questions: QuestionTable, keys: Keys, ranks: npt.NDArray[np.int8], leaked: Mask) -> int:
    """How many of the leaks stand in an earlier part to the letter."""
    concerned = np.isin(keys, keys[leaked])
    texts = [text for (text,) in questions.where(concerned).values("text")]
    rows = list(zip(texts, ranks[concerned].tolist(), leaked[concerned].tolist(), strict=True))
    earliest: dict[str, int] = {}
    for text, rank, _ in rows:
        earliest[text] = min(earliest.get(text, rank), rank)
    return sum(leaks and earliest[text] < rank for text, rank, leaks in rows)


def repeats(questions: QuestionTable, keys: Keys) -> tuple[Places, Places]:
    """The places of the rows that ask what an earlier row of their part asks, after those of these."""
    codes, _ = questions.parts()
    return repeated(keys + codes.astype(np.uint64) * _STRIDE)


def find_duplicates(questions: QuestionTable, keys: Keys) -> Duplicates:
    """Rows that repeat an earlier one of the same part; different answers are told apart.

    Args:
        keys: `question_keys` of the questions.
    """
    first, places = repeats(questions, keys)
    pairs = answers_of_pairs(questions, first, places)
    return Duplicates(
        rows=len(places),
        other_answers=sum(before != after for before, after in pairs),
        examples=_examples(questions.take(places)),
    )


def answers_of_pairs(
    questions: QuestionTable, first: Places, places: Places
) -> Iterator[tuple[list[str], list[str]]]:
    """The accepted answers of the rows that `repeats` names, a pair at a time."""
    for start in range(0, len(places), CHUNK):
        part = slice(start, start + CHUNK)
        columns = (questions.take(rows[part]).values("answers") for rows in (first, places))
        yield from ((before, after) for (before,), (after,) in zip(*columns, strict=True))


def merge_answers(questions: QuestionTable, keys: Keys, notes: list[str]) -> tuple[QuestionTable, Keys]:
    """One question of the rows of a part that ask the same: the first, with the answers of all.

    Args:
        keys: `question_keys` of the questions.
        notes: gets a sentence where rows were merged.

    Returns:
        The questions that are left, and their keys.
    """
    first, places = repeats(questions, np.where(questions.answerable, keys, ~keys))
    if not len(places):
        return questions, keys
    merged: dict[int, dict[str, None]] = {}
    pairs = answers_of_pairs(questions, first, places)
    for place, (before, after) in zip(first.tolist(), pairs, strict=True):
        merged.setdefault(place, dict.fromkeys(before)).update(dict.fromkeys(after))
    kept = np.ones(len(questions), dtype=bool)
    kept[places] = False
    notes.append(f"{len(places):,} rows were merged into the first that asks the same")
    changed = questions.replace_some("answers", {place: list(found) for place, found in merged.items()})
    return changed.where(kept), keys[kept]


def _examples(questions: QuestionTable) -> tuple[str, ...]:
    """The first few different texts."""
    found: dict[str, None] = {}
    for (text,) in questions.values("text"):
        found[text] = None
        if len(found) == EXAMPLES:
            break
    return tuple(found)
