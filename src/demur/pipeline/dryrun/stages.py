"""From what a trial measured to the time and memory of every stage of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demur.engines.batches import (
    BATCH_BYTES,
    CUDA_SHARE,
    MAX_PROMPT_TOKENS,
    MAX_PROMPTS,
    MAX_PROMPTS_ELSEWHERE,
)
from demur.engines.loading import pick_device
from demur.pipeline.dryrun.counts import Counts, predicted, probed, responses, steps_of
from demur.pipeline.dryrun.ladder import Asked
from demur.pipeline.dryrun.spent import Seconds
from demur.pipeline.dryrun.trial import Trial
from demur.pipeline.job import Job
from demur.pipeline.systems import fitted_systems, round_count, strategy_of

SAME_TIME = 800
"""Questions of a part that take as long to evaluate as the part itself, however few it has; measured:
6 systems on 4 parts took 3.7 s with 40 questions each and 5.8 s with 400."""
DERIVED = 3
"""Systems that a run reports beside those that it is asked for: base, pretrain-w, base-likelihood."""
REPORT = 0.4
"""Seconds of the report for one of the evaluation; measured: 0.3 and 0.47."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage takes."""

    name: str
    seconds: Seconds
    memory: float
    """Peak, in bytes."""


def stages(job: Job, counts: Counts, trial: Trial) -> list[Stage]:
    """Every stage of the run, in order."""
    return list(_stages(job, counts, trial))


def _stages(job: Job, counts: Counts, trial: Trial) -> Iterator[Stage]:
    assert trial.probe is not None
    batch = full_batch(job, counts)
    probing = trial.probe.each(batch) * counts.weight(job.sampling.max_new_tokens)
    peak = max(trial.opening.peak, trial.probe.peak(batch_bytes(batch * (1 + job.samples), job, trial)))
    yield Stage("probe", trial.opening.seconds + probing * probed(job, counts), peak)
    for system in job.tuned:
        yield Stage(f"build/{system}", trial.build[system] * counts.size.train, peak)
    opened = Seconds()  # the first system is tuned on the model that answered
    for system in job.tuned:
        seconds = opened + _training(job, system, counts, trial)
        peak = max((cost.peak for cost in trial.tuned[system].values()), default=peak)
        yield Stage(f"train/{system}", seconds, peak)
        opened = trial.reopening.seconds
    for system in fitted_systems(job.config):
        # A tuned model answers half of them, and the base model all where that one is not kept
        again = 1.5 if system in job.tuned else 1.0
        each = trial.predict[system].each(batch) * counts.weight(job.sampling.max_new_tokens)
        yield Stage(f"fit/{system}", each * (again * counts.size.train), peak)
    for system in job.config.systems:
        asked = trial.predict[system]
        each = asked.each(batch) * counts.weight(job.sampling.max_new_tokens)
        seconds = trial.reopening.seconds + each * predicted(job, counts)
        yield Stage(
            f"predict/{system}",
            seconds,
            asked.peak(batch_bytes(batch * responses(job, system), job, trial)),
        )
    yield from _afterwards(job, counts, trial)


def full_batch(job: Job, counts: Counts) -> int:
    """Questions that are answered together, at most: a unit, or fewer where the engine divides it."""
    size, settings = min(job.config.probe.unit, counts.questions), job.config.model
    if isinstance(settings.batch_size, int):
        return min(size, settings.batch_size)
    device = pick_device(settings.device).type
    tokens = MAX_PROMPT_TOKENS.get(device, math.inf) / max(1.0, counts.mean_tokens)
    return max(1, int(min(size, MAX_PROMPTS.get(device, MAX_PROMPTS_ELSEWHERE), tokens)))


def batch_bytes(rows: int, job: Job, trial: Trial) -> float:
    """What a batch of so many responses takes; the engine makes none that takes more than its share."""
    return min(rows * trial.row_bytes, _share(pick_device(job.config.model.device)))


def _share(device: Any) -> float:
    """Bytes that an automatic batch may take."""
    import torch

    if device.type == "cuda":
        return float(CUDA_SHARE * torch.cuda.get_device_properties(device).total_memory)
    return float(BATCH_BYTES)


def _training(job: Job, system: str, counts: Counts, trial: Trial) -> Seconds:
    """All stages and rounds of a system; from the second round on it is asked again before."""
    assert trial.probe is not None
    strategy = strategy_of(system, job.config)
    processes = 1 if strategy is None else strategy.processes
    found, steps = Seconds(), steps_of(job, system, counts)
    for stage, cost in trial.tuned[system].items():
        found += cost.start.seconds + cost.step * (steps[stage] / processes)
    again = round_count(system, job.config) - 1
    return found + trial.probe.each(full_batch(job, counts)) * (again * counts.size.train)


def _afterwards(job: Job, counts: Counts, trial: Trial) -> Iterator[Stage]:
    """Evaluation and report: time by systems and parts, memory as it is when they begin."""
    measured = trial.evaluation
    assert measured is not None
    fixed = sum(job.info(system).rule is not None for system in job.config.systems)
    systems = len(job.config.systems) + DERIVED + fixed
    parts = max(1, counts.parts - 1)  # training questions have hardly any metrics
    seconds = evaluation_seconds(measured, systems=systems, parts=parts, questions=counts.size.rest)
    yield Stage("evaluate", seconds, trial.resident)
    yield Stage("report", seconds * REPORT, trial.resident)


def evaluation_seconds(measured: Asked, *, systems: int, parts: int, questions: int) -> Seconds:
    """The evaluation's time from that of two systems on one part."""
    size = (SAME_TIME + questions / parts) / (SAME_TIME + measured.questions)
    return measured.spent.seconds * (systems / 2 * parts * size)
