"""What one seed at one place gave, as a small file: enough to judge every claim without the runs.

A cell holds numbers alone, no question and no answer. It stands for its runs on every machine, until their
settings change: then it is made again.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from demur.claims import us_tuning
from demur.claims.base import Claim, Measured
from demur.claims.catalogue import claims_of
from demur.claims.lab import Figure, Lab, NotMadeError
from demur.claims.places import Place
from demur.core.errors import RunFolderError
from demur.core.files import digest, write_text
from demur.core.version import __version__

SHOWN = ("accuracy", "coverage", "accuracy_willing", "effective_reliability", "ap", "auroc", "honesty")
"""Figures of every system on the page, in the order of its columns."""
Figures = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""By system, part and metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One seed at one place."""

    place: str
    seed: int
    settings: str
    """Digest of the configurations of its runs."""
    demur: str
    """The version that made it."""
    made: str
    """The day, as in ISO 8601."""
    hardware: str
    minutes: Mapping[str, float]
    """Of each run."""
    groups: int
    """Groups of test questions, in the part with fewest."""
    figures: Figures
    effects: Mapping[str, Sequence[float | None]]
    """By claim (`Claim.key`): the effect, then that of each draw; None where undefined."""


def settings_digest(place: Place) -> str:
    """What a cell depends on: models, questions, methods and their settings."""
    return digest([place.model, place.dataset, place.runs])


def path_of(folder: Path, place: Place, seed: int) -> Path:
    """Where a cell lies."""
    return folder / f"{place.name}-{seed}.json"


def measure(lab: Lab) -> Cell:
    """Compute a cell from its runs; claims whose runs are missing are left out."""
    effects = {claim.key: _effect(claim, lab) for claim in claims_of(lab.place)}
    return Cell(
        place=lab.place.name,
        seed=lab.seed,
        settings=settings_digest(lab.place),
        demur=__version__,
        made=datetime.now(UTC).date().isoformat(),
        hardware=_hardware(),
        minutes={name: round(_minutes(lab, name), 1) for name in lab.place.runs if lab.made(name)},
        groups=lab.groups(),
        figures={"all": us_tuning.figures(lab)} if lab.place.contextual else _figures(lab),
        effects={name: _listed(figure) for name, figure in effects.items() if figure is not None},
    )


def write(cell: Cell, path: Path) -> None:
    """Write a cell, each claim in a line of its own."""
    values = asdict(cell)
    effects = values.pop("effects")
    head = json.dumps({"schema_version": 1, **values}, indent=1)
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in effects.items())
    write_text(path, f'{head[:-2]},\n "effects": {{\n{rows}\n }}\n}}\n')


def read(path: Path, place: Place) -> Cell | None:
    """A cell that is there and of the place's present settings.

    Raises:
        RunFolderError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values.pop("schema_version")
        cell = Cell(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunFolderError(
            expected="a cell as `demur claims` writes it",
            found=" ".join(str(error).split()) or type(error).__name__,
            where=str(path),
            fix="remove it; it is made again",
        ) from error
    return cell if cell.settings == settings_digest(place) else None


def measured(claim: Claim, cells: Sequence[Cell]) -> Measured:
    """A claim's effects in the cells of one place."""
    rows = [cell.effects[claim.key] for cell in cells if claim.key in cell.effects]
    seeds = tuple(np.array([math.nan if v is None else v for v in row], np.float64) for row in rows)
    return Measured(seeds, min((cell.groups for cell in cells), default=0))


def _effect(claim: Claim, lab: Lab) -> Figure | None:
    try:
        return claim.effect(lab)
    except NotMadeError:
        return None


def _listed(figure: Figure) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), 5) for value in figure]


def _figures(lab: Lab) -> dict[str, dict[str, dict[str, float | None]]]:
    systems = {
        system: None
        for name in lab.place.runs
        if name == "open" or (name in lab.place.once and lab.made(name))
        for system in lab.run(name).files.predictions
    }
    parts = {domain: lab.test(domain) for domain in ("id", "ood")}
    return {
        system: {
            part: {name: _listed(lab.of(system).measure(system, name, where)[:1])[0] for name in SHOWN}
            for part, where in parts.items()
        }
        for system in systems
    }


def _hardware() -> str:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores, {platform.machine()}, {gpu}"


def _minutes(lab: Lab, name: str) -> float:
    stages: Mapping[str, Mapping[str, Any]] = lab.run(name).files.manifest["stages"]
    return sum(float(stage.get("seconds", 0.0)) for stage in stages.values()) / 60
