"""Studies: methods x seeds x datasets, each run in a process of its own, compared at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import Field

from demur.core.config import Config, Positive, Section, load_config, save_config
from demur.core.errors import ConfigError, DemurError
from demur.core.files import open_own
from demur.core.names import problem

TAIL_LINES = 12
"""Lines of a failed run's log that are shown."""


def _named(name: str) -> str:
    if (found := problem("dataset of a study", name)) is not None:
        raise ValueError(found)
    return name


DatasetName = Annotated[str, pydantic.AfterValidator(_named)]
"""It names a folder of runs."""


class StudyConfig(Section):
    """A study: one run for every dataset and seed; all methods of a run share its probe."""

    out: Path = Field(Path("runs/study"), description="folder of the runs and their comparison")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="each redraws everything random")
    jobs: Positive | Literal["auto"] = Field("auto", description="runs at once; auto: one for each core")
    run: dict[str, Any] = Field(default_factory=dict, description="settings of the runs, as in `demur run`")
    datasets: dict[DatasetName, dict[str, Any]] = Field(
        default_factory=dict, description="data settings by name; left out: the run's own"
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a study."""

    name: str
    config: Config

    @property
    def log(self) -> Path:
        """What the run said."""
        return self.config.out.with_name(self.config.out.name + ".log")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    job: Job
    code: int
    seconds: float

    def tail(self) -> str:
        """The end of its log."""
        lines = self.job.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


def load_study(path: Path, overrides: Mapping[str, Any] | None = None) -> StudyConfig:
    """Read a study.

    Raises:
        ConfigError: the file cannot be read, or a setting of the study or of a run is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        study = StudyConfig.model_validate({**values, **(overrides or {})})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, pydantic.ValidationError) as error:
        raise ConfigError(
            expected="a study: out, seeds, jobs, run, datasets",
            found=" ".join(str(error).split()),
            where=str(path),
            fix="see examples/study-pocket.yaml",
        ) from error
    jobs(study)
    return study


def jobs(study: StudyConfig) -> list[Job]:
    """The runs of a study, dataset by dataset and seed by seed.

    Raises:
        ConfigError: a setting of a run is wrong.
    """
    from demur.pipeline.systems import check_names

    found = []
    for dataset, data in (study.datasets or {"": {}}).items():
        for seed in study.seeds:
            name = f"{dataset}/seed-{seed}" if dataset else f"seed-{seed}"
            settings = {**study.run, "seed": seed, "out": str(study.out / name)}
            if data:
                settings["data"] = data
            config = load_config(None, settings)
            check_names(config)
            found.append(Job(name, config))
    return found


def run_study(study: StudyConfig, *, note: Callable[[str], None]) -> list[Outcome]:
    """Carry out every run of a study; see `run_jobs`."""
    return run_jobs(jobs(study), at_once=None if study.jobs == "auto" else study.jobs, note=note)


def run_jobs(
    todo: Sequence[Job],
    *,
    at_once: int | None = None,
    note: Callable[[str], None],
    ended: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Carry out every run that is not done, several at once; interrupted runs resume.

    Args:
        at_once: how many; by default as many as there are cores, which they share.
        note: told of every run that starts and ends.
        ended: called after each run, while others go on.

    Returns:
        How each run ended, failures included; the others go on when one fails.
    """
    at_once = max(1, min(len(todo), at_once or os.cpu_count() or 1))
    threads = max(1, (os.cpu_count() or 1) // at_once)
    running: list[tuple[Job, subprocess.Popen[bytes], float]] = []
    outcomes: list[Outcome] = []
    waiting = iter(todo)
    try:
        while len(outcomes) < len(todo):
            while len(running) < at_once and (job := next(waiting, None)) is not None:
                running.append((job, _start(job, threads), time.monotonic()))
                note(f"{job.name}: started")
            for item in [item for item in running if item[1].poll() is not None]:
                running.remove(item)
                outcome = Outcome(item[0], item[1].returncode, time.monotonic() - item[2])
                outcomes.append(outcome)
                note(_ended(outcome))
                if ended is not None:
                    ended(outcome)
            time.sleep(0.2)
    finally:
        for _, process, _ in running:
            process.terminate()
        for _, process, _ in running:
            process.wait()  # each finishes the unit in hand
    order = {job.name: number for number, job in enumerate(todo)}
    return sorted(outcomes, key=lambda outcome: order[outcome.job.name])


def failures(outcomes: Sequence[Outcome]) -> DemurError | None:
    """What went wrong, as one message; None where nothing did."""
    failed = [outcome for outcome in outcomes if outcome.code != 0]
    if not failed:
        return None
    return DemurError(
        expected="every run of the study to succeed",
        found="\n".join(
            f"{outcome.job.name} ended with {outcome.code}:\n{outcome.tail()}" for outcome in failed
        ),
        where=", ".join(str(outcome.job.log) for outcome in failed),
        fix="correct this and start the study again; finished runs are kept",
    )


def _start(job: Job, threads: int) -> subprocess.Popen[bytes]:
    """A run in a process of its own, by a configuration beside its folder."""
    config = job.config.out.with_name(job.config.out.name + ".yaml")
    config.parent.mkdir(parents=True, exist_ok=True)
    save_config(job.config, config)
    command = [sys.executable, "-m", "demur", "run", str(config), "--update"]
    with open_own(job.log, "wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )


def _ended(outcome: Outcome) -> str:
    how = "done" if outcome.code == 0 else f"failed with {outcome.code}"
    return f"{outcome.job.name}: {how} after {outcome.seconds:.0f} s"
