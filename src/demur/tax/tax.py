"""The alignment tax of a run: what its tuned model lost on tasks that it was not tuned for."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError, RunFolderError, UnknownNameError
from demur.core.files import write_json
from demur.core.trust import MODEL
from demur.methods.asking import Asking
from demur.pipeline.asking import plainly
from demur.pipeline.job import Job
from demur.pocket import POCKET_MODELS
from demur.report import write_report
from demur.runfolder import provenance
from demur.runfolder.card import holds_weights
from demur.runfolder.finished import FinishedRun
from demur.runfolder.manifest import rewritten
from demur.tax.export import read_questions, tested
from demur.tax.folder import HarnessTask, write_tasks
from demur.tax.paired import Draws, compare
from demur.tax.pocket import TAG as POCKET
from demur.tax.pocket import pocket_tasks
from demur.tax.questions import judged_task, task_name
from demur.tax.running import Sample, Tasks, load_tasks, require_lm_eval, run_tasks

HUB_TASKS = ("arc_easy", "hellaswag", "mmlu", "gsm8k")
"""What is asked by default: school science and commonsense by likelihood, knowledge of 57 subjects, and
arithmetic in several written steps, which is where a model that learned to stop early shows it."""


def measure_tax(
    root: Path,
    *,
    system: str | None = None,
    tasks: Sequence[str] = (),
    limit: int | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run tasks on the base model and on a tuned model of a run, and compare them document by document.

    Writes ``tax.json`` to the run folder, and the report anew.

    Args:
        root: the run folder.
        system: by default the run's method; one that borrows weights stands for those weights.
        tasks: names of lm-eval's tasks, ``pocket`` or a pocket task, or question files; by default
            ``pocket`` for a pocket model and `HUB_TASKS` for any other.
        limit: so many documents of each task, the first ones: a trial.
        note: told what is being done.

    Raises:
        ConfigError: lm-eval is not installed, or there is no such task.
        RunFolderError: this is no run folder, or the system is not trained.
        TrustError: the run is not signed by this user, and its model's settings act.
        UnknownNameError: the run has no such system.
        DataError: a task's data cannot be had.
    """
    require_lm_eval()
    started = time.monotonic()
    run = FinishedRun.open(root, evaluated=False)
    job, system, owner = _tuned(run, system)
    origin = provenance.computed_from(
        root, [], owner=owner, base=provenance.base_folder(job.config, run=root)
    )
    pocket = job.config.model.path in POCKET_MODELS
    own = {**_pocket_tasks(job, system), **_file_tasks(job, system, tasks)}
    names = [_name(spec) for spec in tasks or ((POCKET,) if pocket else HUB_TASKS)]
    with tempfile.TemporaryDirectory(prefix="demur-tax-") as folder:
        write_tasks(list(own.values()), Path(folder), about="For `demur tax`.")
        known = [*own, *((POCKET,) if pocket else ())]
        ready = load_tasks(list(dict.fromkeys(names)), own=Path(folder), own_names=known)
        before, after = (_asked(job, model, ready, limit, note) for model in (None, owner))
    evaluation = job.config.evaluation
    draws = Draws(level=evaluation.level, resamples=evaluation.resamples, seed=job.config.seed)
    found = {
        row: compare({name: ready.loaded[name] for name in members}, before, after, draws)
        for row, members in ready.rows.items()
    }
    result = {
        "schema_version": provenance.SCHEMA_VERSION,
        provenance.KEY: origin,
        "system": system,
        "weights": owner,
        "tasks": found,
        "settings": {
            **dataclasses.asdict(draws),
            "limit": limit,
            "lm_eval": importlib.metadata.version("lm-eval"),
            "seconds": round(time.monotonic() - started, 1),
        },
    }
    with rewritten(root, run.folder.tax):
        write_json(run.folder.tax, result)
    if run.folder.metrics.exists():
        write_report(root)
    return result


def _tuned(run: FinishedRun, system: str | None) -> tuple[Job, str, str]:
    """The run, a system of it, and whose weights that system asks."""
    config = run.settings(acting_on=MODEL).model_copy(update={"out": run.path})
    job, system = Job(config), system or config.method
    if system not in config.systems:
        raise UnknownNameError("system", system, config.systems, "--system")
    owner = job.owner(system)
    untuned = owner == "base" or not holds_weights(run.folder.model(owner))
    if untuned or not run.has_card(owner):
        raise RunFolderError(
            expected=f"a tuned model of {system}",
            found="nothing tuned: it asks the base model" if untuned else f"no {run.folder.model(owner)}",
            where=str(run.path),
            fix="name a tuned system with --system" if untuned else "train it with `demur train`",
        )
    return job, system, owner


def _asking(job: Job, system: str) -> Asking:
    """The plain prompt, for both models; refusals of the system's own are recognised."""
    plain = plainly(job)
    return dataclasses.replace(plain, refusals=(*plain.refusals, *job.info(system).refusals))


def _pocket_tasks(job: Job, system: str) -> dict[str, HarnessTask]:
    config = job.config
    if config.model.path not in POCKET_MODELS:
        return {}
    found = pocket_tasks(config.model.path, config.seed, _asking(job, system))
    return {task.name: task for task in found}


def _file_tasks(job: Job, system: str, specs: Sequence[str]) -> dict[str, HarnessTask]:
    """A task for each of the user's own files among what was asked for."""
    found: dict[str, HarnessTask] = {}
    for spec in specs:
        name = _name(spec)
        if name == spec:
            continue
        if name in found:
            raise ConfigError(
                expected="question files of different names",
                found=f"two called {Path(spec).stem}",
                where="--tasks",
                fix="rename one of them: its name becomes the task's",
            )
        questions, about = tested(read_questions(spec)), f"Questions of `{Path(spec).name}`."
        found[name] = judged_task(name, questions, _asking(job, system), tag="own", about=about)
    return found


def _name(spec: str) -> str:
    """A task's name: what was given, or what a file's task is called."""
    return task_name("own", Path(spec).stem) if Path(spec).is_file() else spec


def _asked(
    job: Job, system: str | None, tasks: Tasks, limit: int | None, note: Callable[[str], None]
) -> dict[str, list[Sample]]:
    """What lm-eval logs of the base model (None) or of a tuned one; the model is let go afterwards."""
    note(f"asking {system or 'the base model'}: {len(tasks.loaded)} tasks")
    engine: Any = job.open_model(system, engine="hf")  # lm-eval needs the weights themselves
    return run_tasks(
        tasks,
        engine.model,
        engine.tokenizer,
        chat=engine.chat,
        batch_size=job.config.model.batch_size,
        limit=limit,
    )
