"""Dividing questions into parts: a test and a calibration part where there is none, and trials.

Every draw is a rank by hash of (seed, purpose, content), not a shuffle: a share drawn larger holds the
smaller one, and neither the order of the rows nor the platform changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.questions import Keys, Places, QuestionTable, repeated
from demur.core.records import Question


def draw_keys(names: Iterable[str], size: int, seed: int, *, purpose: str = "divide") -> Keys:
    """A number for each name, drawn by the seed: equal where the names are, and in an order of its own.

    These are the first 64 bits of a hash: among 10 million names, two different ones share a number with a
    chance of one in 370,000.
    """
    start = f"{seed}:{purpose}:"
    digests = (hashlib.sha256((start + name).encode()).digest() for name in names)
    return np.fromiter((int.from_bytes(digest[:8], "big") for digest in digests), np.uint64, size)


def divide(questions: QuestionTable, keys: Keys, settings: DataSettings) -> QuestionTable:
    """Set a test and a calibration part apart from the training questions, where the data has none.

    Rows with the same key stay together, so that no part leaks into another; those with the smallest keys
    are drawn.

    Args:
        keys: `draw_keys`, or `demur.datasets.leaks.question_keys`.

    Raises:
        DataError: nothing would be left to train on.
    """
    codes, splits = questions.codes("split")
    wanted = {
        split: portion
        for split, portion in (("test", settings.test), ("calibration", settings.calibration))
        if split not in splits and portion > 0
    }
    if "train" not in splits or not wanted:
        return questions
    own = codes == splits.index("train")
    train = np.flatnonzero(own)
    first, again = (train[places] for places in repeated(keys[train]))
    own[again] = False  # each distinct question is drawn once, and its other rows go with it
    drawn = np.flatnonzero(own)
    for split, chosen in _assign(np.argsort(keys[drawn]), wanted).items():
        codes[drawn[chosen]] = len(splits) + list(wanted).index(split)
    codes[again] = codes[first]
    return questions.recode("split", codes, [*splits, *wanted])


def settle_validation(questions: Iterable[Question], notes: list[str]) -> QuestionTable:
    """Use a validation part as what is missing: the test part, or else the calibration part.

    Args:
        notes: gets a sentence where that was done.
    """
    table = QuestionTable.of(questions)
    codes, splits = table.codes("split")
    missing = next((split for split in ("test", "calibration") if split not in splits), None)
    if "validation" not in splits or missing is None:
        return table
    notes.append(f"there is no {missing} part, so the validation part is used for it")
    return table.recode("split", codes, [missing if split == "validation" else split for split in splits])


def sample(
    questions: QuestionTable, limit: int, *, seed: int, within: Mapping[str, int] | None = None
) -> QuestionTable:
    """At most ``limit`` questions of each part, in their order; a larger limit holds a smaller one.

    Args:
        within: other limits, by split.
    """
    codes, parts = questions.parts()
    kept = np.zeros(len(questions), dtype=bool)
    limits = [limit if within is None else within.get(split, limit) for split in parts]
    for code, most in enumerate(limits):
        places = np.flatnonzero(codes == code)
        names = (name for (name,) in questions.take(places).values("id"))
        order = np.argsort(draw_keys(names, len(places), seed, purpose="limit"))
        kept[places[order[:most]]] = True
    return questions.where(kept)


def labelled(questions: QuestionTable, labels: int, *, seed: int) -> QuestionTable:
    """At most ``labels`` training and calibration questions in total, one third of them for calibration."""
    calibration = labels // 3
    within = {"train": labels - calibration, "calibration": calibration}
    return sample(questions, len(questions), seed=seed, within=within)


def _assign(ranked: Places, wanted: dict[str, float]) -> dict[str, Places]:
    """Which of the distinct questions go to each part; all others stay."""
    counts = {split: _count(portion, len(ranked)) for split, portion in wanted.items()}
    if sum(counts.values()) >= len(ranked):
        asked = " and ".join(f"{count} for {split}" for split, count in counts.items())
        raise DataError(
            expected="more distinct training questions than are set apart",
            found=f"{len(ranked)} distinct questions, of which {asked}",
            fix="lower --data.test or --data.calibration, or bring more questions",
        )
    ends = np.cumsum(list(counts.values()))
    return dict(zip(counts, np.split(ranked, ends)[:-1], strict=True))


def _count(portion: float, total: int) -> int:
    """A share of the total, at least one; or the number itself from 1 on."""
    return int(portion) if portion >= 1 else max(1, round(portion * total))
