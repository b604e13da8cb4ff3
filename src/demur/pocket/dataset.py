"""The pocket world as a dataset: drawn by its seed instead of read from files."""

from __future__ import annotations

from pathlib import Path

from demur.datasets import Dataset, DataSettings, RawData
from demur.errors import ConfigError
from demur.pocket.world import FALSE_PREMISE, NONEXISTENT, POCKET_1, make_world
from demur.records import Question


def load(path: Path | None = None, *, seed: int = 0) -> list[Question]:
    """Every question of the pocket world that a seed draws.

    Raises:
        ConfigError: a path was given; the world has none.
    """
    if path is not None:
        raise ConfigError(
            expected="no path for the pocket world, which is drawn from its seed",
            found=str(path),
            where="--data.path",
            fix="leave the path out, or read a file of your own with --data.name file",
        )
    return make_world(seed).questions()


def _load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    return RawData(questions=load(path, seed=seed))


DATASET = Dataset(
    name="pocket",
    description=f"the pocket world ({POCKET_1.version}): synthetic people whose facts are known exactly",
    load=_load,
    path="",
    splits=("train", "calibration", "test/id", "test/ood", NONEXISTENT, FALSE_PREMISE),
    licence="Apache-2.0",
    citation="",
    source="drawn by Demur from a seed",
)
