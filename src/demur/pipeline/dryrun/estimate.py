"""What a run would do and take: counted, then measured by a trial, or computed where there can be none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import psutil

from demur.core.config import Config
from demur.core.errors import ConfigError, ResourceError
from demur.engines import ENGINES
from demur.pipeline.dryrun import computed
from demur.pipeline.dryrun.counts import Counts, count, generations, steps_of, tokens_at_most
from demur.pipeline.dryrun.ladder import WARM
from demur.pipeline.dryrun.model import Model, model_of, weights_here
from demur.pipeline.dryrun.stages import Stage, stages
from demur.pipeline.dryrun.trial import Trial, rehearse
from demur.pipeline.job import Job
from demur.pipeline.systems import strategy_of

PATIENCE_SECONDS = 300
"""A trial that would take longer by the formulas is not begun."""


def estimate(config: Config, *, note: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Generations, tokens, steps, and time and memory by stage, as JSON values.

    Where the model and the data are here, ``trial`` says what was measured; otherwise why nothing was
    (``skipped``), and public figures stand for what is not at hand (``assumed``). Nothing of the run is
    written.

    Args:
        note: told of what takes a while.

    Raises:
        DemurError: the configuration, the data or the model cannot be used: found before any work.
    """
    job, assumed = Job(config), list[str]()
    model = model_of(job, assumed)
    counts = count(job, assumed)
    rate = _matmul_rate(model.device)
    reason = _no_trial(job, counts, model, rate)
    if reason is None:
        note("trying the model on a few training questions (about half a minute for a small one)")
        trial, reason = _rehearsed(job, counts)
    else:
        trial = None
    if trial is not None:
        counts = replace(counts, rows=_rows(trial))
        found = stages(job, counts, trial)
    else:
        found = computed.stages(job, counts, model, rate)
    return {
        "questions": counts.questions,
        "training_questions": counts.size.train,
        "generations": generations(job, counts),
        "tokens_at_most": tokens_at_most(job, counts),
        "training_steps": {system: sum(steps_of(job, system, counts).values()) for system in job.tuned},
        "model_parameters": model.parameters,
        "estimated_minutes": round(sum(stage.seconds.clock for stage in found) / 60, 2),
        "estimated_memory_gb": round(max(stage.memory for stage in found) / 2**30, 2),
        "stages": {stage.name: _row(stage) for stage in found},
        "trial": {"skipped": reason} if trial is None else _shown(trial),
        "device": model.device,
        "assumed": assumed,
    }


def _row(stage: Stage) -> dict[str, float]:
    """A stage as JSON values."""
    return {
        "seconds": round(stage.seconds.clock, 2),
        "cpu_seconds": round(stage.seconds.cpu, 2),
        "memory_mb": round(stage.memory / 2**20, 1),
    }


def _shown(trial: Trial) -> dict[str, Any]:
    """A trial as JSON values."""
    assert trial.probe is not None
    return {
        "seconds": round(trial.seconds.clock, 1),
        "cpu_seconds": round(trial.seconds.cpu, 1),
        "questions": trial.probe.questions,
        "steps": sum(cost.steps for found in trial.tuned.values() for cost in found.values()),
    }


def _rows(trial: Trial) -> dict[str, dict[str, float]]:
    return {
        system: {stage: cost.rows for stage, cost in found.items()} for system, found in trial.tuned.items()
    }


def _rehearsed(job: Job, counts: Counts) -> tuple[Trial | None, str | None]:
    """The trial, or why it broke off: memory that is too small is worth an estimate all the same."""
    import torch

    assert counts.table is not None
    train = np.array([split == "train" for (split,) in counts.table.values("split")])
    try:
        job.check_model()
        if job.tuned:
            job.check_tokenizer()
        return rehearse(job, counts.table.where(train), tokens=counts.size.tokens), None
    except (MemoryError, ResourceError, torch.OutOfMemoryError):
        return None, "the memory ran out"


def _no_trial(job: Job, counts: Counts, model: Model, rate: float) -> str | None:
    """Why nothing can be measured here; None where it can."""
    if counts.table is None:
        return "the data's files are not at hand"
    if not weights_here(job.opening):
        return "the model's weights are not on this machine"
    if hasattr(ENGINES.get(job.config.model.engine), "spread"):
        return f"the engine {job.config.model.engine} has its workers elsewhere"
    try:
        for system in job.tuned:
            strategy_of(system, job.config)
    except ConfigError as error:
        return f"training cannot be divided here as it is asked for ({error.found})"
    weights = model.parameters * model.weight_bytes
    if model.device == "cpu" and 1.2 * weights > psutil.virtual_memory().available:
        return f"the weights ({weights / 2**30:.1f} GB) do not fit into the free memory"
    least = computed.seconds_of(job, counts, model, rate, questions=WARM)
    if least > PATIENCE_SECONDS:
        return f"it would take about {least / 60:.0f} minutes on this machine"
    return None


def _matmul_rate(device: str, size: int = 1024, seconds: float = 0.2) -> float:
    """Floating-point operations a second of a square matrix product on the device."""
    import torch

    matrix = torch.randn(size, size, device=device)
    torch.mm(matrix, matrix)  # warm up
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        torch.mm(matrix, matrix)[0, 0].item()  # reading one number waits for the device
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - start)
