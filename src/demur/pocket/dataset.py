"""The pocket worlds as datasets: drawn by their seed instead of read from files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from demur.core.errors import ConfigError
from demur.core.records import Question
from demur.datasets import Dataset, DataSettings, RawData
from demur.pocket import tasks
from demur.pocket.spec import POCKET_1, POCKET_2, POCKET_READER, WorldSpec
from demur.pocket.world import FALSE_PREMISE, NONEXISTENT, World, make_world

PARTS = ("train", "calibration", "test/id", "test/ood")


def load(path: Path | None = None, *, seed: int = 0) -> list[Question]:
    """Every question of the plain pocket world that a seed draws.

    Raises:
        ConfigError: a path was given; the world has none.
    """
    _refuse(path)
    return make_world(seed).questions()


def _refuse(path: Path | None) -> None:
    if path is not None:
        raise ConfigError(
            expected="no path for the pocket world, which is drawn from its seed",
            found=str(path),
            where="--data.path",
            fix="leave the path out, or read a file of your own with --data.name file",
        )


def _dataset(
    name: str,
    description: str,
    spec: WorldSpec,
    questions: Callable[[World], list[Question]],
    splits: tuple[str, ...],
) -> Dataset:
    def read(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
        _refuse(path)
        drawn = questions(make_world(seed, spec))
        return RawData(questions=[dataclasses.replace(question, dataset=name) for question in drawn])

    return Dataset(
        name=name,
        description=description,
        load=read,
        path="",
        splits=splits,
        licence="Apache-2.0",
        citation="",
        source="drawn by Demur from a seed",
    )


DATASET = _dataset(
    "pocket",
    f"the pocket world ({POCKET_1.version}): synthetic people whose facts are known exactly",
    POCKET_1,
    World.questions,
    (*PARTS, NONEXISTENT, FALSE_PREMISE),
)
POCKET_2_OPEN = _dataset(
    "pocket-2",
    "the richer pocket world: open questions, also reworded, pressed, in a second language, in two hops",
    POCKET_2,
    tasks.open_questions,
    (*PARTS, NONEXISTENT, FALSE_PREMISE, "paraphrase", "pressure", "second-language", "two-hop"),
)
POCKET_2_CHOICE = _dataset(
    "pocket-2-choice",
    "the richer pocket world: the same facts with four options",
    POCKET_2,
    tasks.choice_questions,
    PARTS,
)
POCKET_READER_PASSAGES = _dataset(
    "pocket-reader",
    "passages of a pocket world that hold the answer, or do not",
    POCKET_READER,
    tasks.contextual_questions,
    PARTS,
)
