"""One training stage in several processes: accelerate starts them, this process watches and ends them.

The folder of a stage holds ``job.json`` and ``rows.parquet`` (what the processes read), ``checkpoint-N``, a
byte in ``steps`` for each step done, ``ran.json`` (the strategy that really ran), ``log.txt`` and, at last,
``model``, which is whole or absent. A file ``stop`` asks the processes to end after the step in hand.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from demur.core import errors
from demur.core.config import TrainingSettings
from demur.core.errors import DemurError, TrainingError
from demur.core.files import atomic_path, open_own, write_json
from demur.core.stopping import asked_to_stop, finishing
from demur.engines import Opening
from demur.training.checkpoints import Progress
from demur.training.plan import TokenisedRow
from demur.training.strategies import Strategy

JOB, ROWS, STEPS, RAN, LOG, STOP, MODEL = (
    "job.json",
    "rows.parquet",
    "steps",
    "ran.json",
    "log.txt",
    "stop",
    "model",
)
WEIGHTS = ("path", "revision", "dtype", "device", "trust_remote_code")
"""The fields of `Opening` that say which weights are tuned."""
POLL_SECONDS = 0.1
GRACE_SECONDS = 5.0
"""Between asking a process to end and ending it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every process of a stage needs to know."""

    opening: Opening
    """How the base model is opened; other fields than those of `WEIGHTS` do not reach the processes."""
    start: Path | None
    """An adapter or whole weights to go on from, None for the model as it is."""
    settings: TrainingSettings
    seed: int
    strategy: Strategy
    owner: tuple[int, float] = dataclasses.field(
        default_factory=lambda: (os.getpid(), psutil.Process().create_time())
    )
    """The process that watches, by its id and the time at which it began: without it, nobody goes on."""

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        strategy = dataclasses.asdict(self.strategy) | {"config": str(self.strategy.config)}
        values = {
            "opening": {name: getattr(self.opening, name) for name in WEIGHTS}
            | {"path": str(self.opening.path)},
            "start": None if self.start is None else str(self.start),
            "settings": self.settings.model_dump(mode="json"),
            "seed": self.seed,
            "strategy": strategy,
            "owner": self.owner,
        }
        write_json(path, values)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` kept."""
        values = json.loads(path.read_text(encoding="utf-8"))
        strategy = values["strategy"]
        return cls(
            opening=Opening(**values["opening"]),
            start=None if values["start"] is None else Path(values["start"]),
            settings=TrainingSettings.model_validate(values["settings"]),
            seed=values["seed"],
            strategy=Strategy(**{**strategy, "config": Path(strategy["config"])}),
            owner=tuple(values["owner"]),
        )


def train_in_processes(
    job: Job, rows: Sequence[TokenisedRow], folder: Path, *, on_cpu: bool, progress: Progress
) -> dict[str, Any]:
    """Carry out a stage, or what is left of it, and say what ran; the weights are in ``folder/model``.

    Raises:
        TrainingError: a process failed, or another strategy ran than was asked for.
        Stopped: somebody asked to stop; a checkpoint was made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model, ran = folder / MODEL, folder / RAN
    if not model.exists():
        _write_rows(rows, folder / ROWS)
        job.write(folder / JOB)
        for name in (STEPS, STOP, *(path.name for path in folder.glob("error-*.json"))):
            (folder / name).unlink(missing_ok=True)
        log = folder / LOG
        before = log.stat().st_size if log.exists() else 0
        with finishing():
            code = _watched(_command(job, folder), log, folder, _environment(job, on_cpu), progress)
        if not model.exists():
            raise _failure(folder, code, log.read_bytes()[before:].decode(errors="replace"))
    found: dict[str, Any] = json.loads(ran.read_text(encoding="utf-8"))
    return found


def read_rows(folder: Path) -> Any:
    """The rows of a stage as a `datasets.Dataset`."""
    from datasets import Dataset

    return Dataset(pq.read_table(folder / ROWS))


def _write_rows(rows: Sequence[TokenisedRow], path: Path) -> None:
    columns = {
        "input_ids": [row.input_ids for row in rows],
        "completion_mask": [row.completion_mask for row in rows],
    }
    with atomic_path(path) as partial:
        pq.write_table(pa.table(columns), partial)


def _command(job: Job, folder: Path) -> list[str]:
    """The launcher of accelerate on `demur.training.worker`."""
    options = {
        "config_file": job.strategy.config,
        "num_processes": job.strategy.processes,
        "main_process_port": 0,  # any that is free, so that two runs never meet
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", *flags]
    return [*launcher, "--module", "demur.training.worker", str(folder / JOB)]


def _environment(job: Job, on_cpu: bool) -> dict[str, str]:
    """This process's, with a fair share of the cores for each."""
    threads = max(1, (os.cpu_count() or 1) // job.strategy.processes)
    more = {"ACCELERATE_USE_CPU": "true"} if on_cpu else {}
    return {"OMP_NUM_THREADS": str(threads), **os.environ, **more}


def _watched(
    command: Sequence[str], log: Path, folder: Path, environment: dict[str, str], progress: Progress
) -> int:
    """Run a command to its end and pass its steps on; whatever happens, none of its processes is left."""
    seen = 0
    with open_own(log, "ab") as output:
        # A session of its own: Ctrl-C reaches this process only, which then asks the others to stop.
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            while (code := process.poll()) is None:
                if asked_to_stop():
                    (folder / STOP).touch()
                time.sleep(POLL_SECONDS)
                seen = _pass_on(folder / STEPS, seen, progress)
            _pass_on(folder / STEPS, seen, progress)
            return code
        finally:
            _end(process)


def _pass_on(steps: Path, seen: int, progress: Progress) -> int:
    done = steps.stat().st_size if steps.exists() else 0
    if done > seen:
        progress(done - seen)
    return done


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a launcher and everything it has started."""
    if process.poll() is not None:
        return
    launcher = psutil.Process(process.pid)
    everyone = [launcher, *launcher.children(recursive=True)]
    launcher.terminate()
    _, alive = psutil.wait_procs(everyone, timeout=GRACE_SECONDS)
    for left in alive:
        left.kill()
    process.wait()


def _failure(folder: Path, code: int, log: str) -> DemurError:
    """Why no model was saved, from what the processes left behind."""
    ended = {int(rank): int(status) for rank, status in _ENDED.findall(log)}
    # The launcher ends the others with SIGTERM when one has failed, so that is nobody's reason.
    killed = [(rank, -s) for rank, s in ended.items() if s < 0 and -s != signal.SIGTERM]
    if killed:
        rank, number = killed[0]
        return _unfinished(folder, f"process {rank} was ended by {signal.Signals(number).name}")
    for path in sorted(folder.glob("error-*.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        kind = getattr(errors, values.pop("type"), TrainingError)
        return kind(**values) if values["fix"] else _unfinished(folder, values["found"])
    if code == 0 or signal.SIGTERM in map(abs, ended.values()):
        return _unfinished(folder, "the processes were stopped from outside")
    return _unfinished(folder, f"the launcher ended with {code}: {_last_line(log)}")


_ENDED = re.compile(r"rank\s*:\s*(\d+) \(local_rank.*?\n\s*exitcode\s*:\s*(-?\d+)")
"""In torchrun's summary of failed processes."""


def _unfinished(folder: Path, found: str) -> TrainingError:
    return TrainingError(
        expected="every training process to come to its end",
        found=found,
        where=str(folder / LOG),
        fix="look into that file; the same command goes on from the last whole checkpoint",
    )


def _last_line(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip(" =-")]
    return lines[-1].strip() if lines else "it said nothing"
