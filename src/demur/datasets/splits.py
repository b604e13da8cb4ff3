"""Dividing questions into parts: a test and a calibration part where there is none, and trials.

Every draw is a rank by hash of (seed, purpose, content), not a shuffle: a share drawn larger holds the
smaller one, and neither the order of the rows nor the platform changes it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from demur.config import DataSettings
from demur.datasets.base import part_of
from demur.errors import DataError
from demur.records import Question


def divide(
    questions: Sequence[Question], keys: Mapping[str, str], settings: DataSettings, *, seed: int
) -> list[Question]:
    """Set a test and a calibration part apart from the training questions, where the data has none.

    Rows that ask the same question stay together, so that no part leaks into another.

    Args:
        keys: `demur.datasets.leaks.same_question` of each question, by id.

    Raises:
        DataError: nothing would be left to train on.
    """
    splits = {question.split for question in questions}
    wanted = {
        split: portion
        for split, portion in (("test", settings.test), ("calibration", settings.calibration))
        if split not in splits and portion > 0
    }
    if "train" not in splits or not wanted:
        return list(questions)
    moved = _assign({keys[q.id] for q in questions if q.split == "train"}, wanted, seed)
    return [
        dataclasses.replace(question, split=moved[keys[question.id]])
        if question.split == "train" and keys[question.id] in moved
        else question
        for question in questions
    ]


def settle_validation(questions: list[Question], notes: list[str]) -> list[Question]:
    """Use a validation part as what is missing: the test part, or else the calibration part.

    Args:
        notes: gets a sentence where that was done.
    """
    splits = {question.split for question in questions}
    missing = next((split for split in ("test", "calibration") if split not in splits), None)
    if "validation" not in splits or missing is None:
        return questions
    notes.append(f"there is no {missing} part, so the validation part is used for it")
    return [
        dataclasses.replace(question, split=missing) if question.split == "validation" else question
        for question in questions
    ]


def sample(questions: Sequence[Question], limit: int, *, seed: int) -> list[Question]:
    """At most ``limit`` questions of each part, in their order; a larger limit holds a smaller one."""
    parts: dict[str, list[str]] = defaultdict(list)
    for question in questions:
        parts[part_of(question)].append(question.id)
    chosen = {name for ids in parts.values() for name in _ranked(ids, seed, "limit")[:limit]}
    return [question for question in questions if question.id in chosen]


def _assign(keys: set[str], wanted: dict[str, float], seed: int) -> dict[str, str]:
    """Which distinct questions go where; all others stay."""
    counts = {split: _count(portion, len(keys)) for split, portion in wanted.items()}
    if sum(counts.values()) >= len(keys):
        asked = " and ".join(f"{count} for {split}" for split, count in counts.items())
        raise DataError(
            expected="more distinct training questions than are set apart",
            found=f"{len(keys)} distinct questions, of which {asked}",
            fix="lower --data.test or --data.calibration, or bring more questions",
        )
    ranked = iter(_ranked(keys, seed, "divide"))
    return {next(ranked): split for split, count in counts.items() for _ in range(count)}


def _count(portion: float, total: int) -> int:
    """A share of the total, at least one; or the number itself from 1 on."""
    return int(portion) if portion >= 1 else max(1, round(portion * total))


def _ranked(names: Iterable[str], seed: int, purpose: str) -> list[str]:
    def rank(name: str) -> bytes:
        return hashlib.sha256(f"{seed}:{purpose}:{name}".encode()).digest()

    return sorted(names, key=rank)
