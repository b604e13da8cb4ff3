"""Carrying out the claims: the runs of every cell that is missing, then the cells, then the verdicts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.claims import cells
from demur.claims.base import Finding, judge_claims
from demur.claims.catalogue import CLAIMS, places_of
from demur.claims.cells import Cell
from demur.claims.lab import Lab
from demur.claims.places import FIRST_SEED, PLACES, Data, Place
from demur.core.config import Config
from demur.core.errors import ConfigError
from demur.pipeline.study import Job, Outcome, run_jobs

QUICK_LIMIT = 120
"""Questions of each part in a quick look: enough to see that everything works, not to decide."""
QUICK_SEEDS = (0, 1)
"""The shipped world, and one more."""
SOURCES = {
    "atlas": "build them with `demur atlas build --per-relation 400 --out data/atlas`, and add "
    "--data atlas:data/atlas",
    "pararel": "get them from R-Tuning's authors, and add --data pararel:PATH",
}
Findings = Mapping[tuple[str, str], Finding]
"""By claim and place."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """What is to be shown, and where it lies."""

    places: Sequence[Place]
    seeds: int | None
    """At each place; None: as many as planned."""
    out: Path
    """Of the runs."""
    kept: Path
    """Of the cells."""
    data: Data = dataclasses.field(default_factory=dict)
    """Where published questions lie, by dataset."""
    quick: bool = False
    """Few questions, two seeds, only what needs no further base model."""

    def seeds_of(self, place: Place) -> Sequence[int]:
        """The seeds of a place."""
        if self.quick:
            return QUICK_SEEDS
        return range(FIRST_SEED, FIRST_SEED + (self.seeds or place.seeds))

    def lab(self, place: Place, seed: int) -> Lab:
        """The runs of one cell."""
        return Lab(place, seed, self.out / place.name / f"seed-{seed}")

    def cell(self, place: Place, seed: int) -> Cell | None:
        """A cell that was made with the present settings."""
        return cells.read(cells.path_of(self.kept, place, seed), place)

    def wanted(self, place: Place, seed: int) -> list[str]:
        """The runs of a cell."""
        return [name for name in place.runs_of(seed) if not self.quick or name in ("open", "contextual")]


def make_cells(proof: Proof, *, jobs: int | None, note: Callable[[str], None]) -> list[Outcome]:
    """Make every cell that is not there; each is kept as soon as its runs are done.

    Raises:
        ConfigError: the questions of a place are needed, and nothing says where they lie.
    """
    todo: list[Job] = []
    owner: dict[str, tuple[Place, int]] = {}
    open_runs: Counter[tuple[str, int]] = Counter()
    for place in proof.places:
        for seed in proof.seeds_of(place):
            if proof.cell(place, seed) is not None:
                note(f"{place.name}, seed {seed}: kept")
                continue
            for job in _jobs(proof, place, seed):
                todo.append(job)
                owner[job.name] = (place, seed)
                open_runs[place.name, seed] += 1

    def ended(outcome: Outcome) -> None:
        # Metrics on disk may be of earlier settings: only runs that succeeded now count.
        place, seed = owner[outcome.job.name]
        open_runs[place.name, seed] -= outcome.code == 0
        if not open_runs[place.name, seed]:
            cells.write(cells.measure(proof.lab(place, seed)), cells.path_of(proof.kept, place, seed))
            note(f"{place.name}, seed {seed}: measured")

    return run_jobs(todo, at_once=jobs, note=note, ended=ended)


def _jobs(proof: Proof, place: Place, seed: int) -> list[Job]:
    if place.needs is not None and place.needs not in proof.data:
        raise ConfigError(
            expected=f"where the questions of {place.name} lie",
            found="nothing",
            where=f"--data {place.needs}:PATH",
            fix=f"{SOURCES[place.needs]}; or choose others with --place",
        )
    folder = proof.lab(place, seed).folder
    found = []
    for name in proof.wanted(place, seed):
        config = place.config(name, seed, folder, proof.data)
        found.append(Job(f"{place.name}/seed-{seed}/{name}", _shortened(config) if proof.quick else config))
    return found


def _shortened(config: Config) -> Config:
    data = config.data
    entries = tuple(
        {**entry, "limit": min(entry.get("limit", QUICK_LIMIT), QUICK_LIMIT)} for entry in data.mixture
    )
    changed = data.model_copy(update={"mixture": entries} if entries else {"limit": QUICK_LIMIT})
    return config.model_copy(update={"data": changed})


def kept_cells(proof: Proof) -> dict[str, list[Cell]]:
    """The cells that are there, by place, in the order of the seeds."""
    found = {}
    for place in PLACES.values():
        there = [cell for seed in proof.seeds_of(place) if (cell := proof.cell(place, seed)) is not None]
        if there:
            found[place.name] = there
    return found


def check_claims(
    kept: Mapping[str, Sequence[Cell]], *, quick: bool = False
) -> dict[tuple[str, str], Finding]:
    """The verdict on every claim at every place that has cells; all are corrected together."""
    chosen = {name: claim for name, claim in CLAIMS.items() if claim.quick or not quick}
    measured = {
        (name, place.name): cells.measured(claim, kept[place.name])
        for name, claim in chosen.items()
        for place in places_of(claim)
        if place.name in kept
    }
    return judge_claims(chosen, measured)


def as_json_values(findings: Findings) -> dict[str, Any]:
    """The findings as JSON values."""
    return {
        "schema_version": 2,
        "claims": [
            {
                "name": name,
                "place": place,
                "text": CLAIMS[name].text,
                "source": CLAIMS[name].source,
                "unit": CLAIMS[name].unit,
                "kind": CLAIMS[name].kind,
                "margin": CLAIMS[name].margin,
                "primary": CLAIMS[name].primary,
                **dataclasses.asdict(finding),
            }
            for (name, place), finding in findings.items()
        ],
    }
