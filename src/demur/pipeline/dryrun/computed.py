"""Time and memory by stage from formulas alone, where nothing is measured: within a factor of a few."""

from __future__ import annotations

from collections.abc import Iterator

from demur.pipeline.dryrun import formulas
from demur.pipeline.dryrun.counts import (
    CERTAINTY_TOKENS,
    Counts,
    predicted,
    responses,
    rows_per_step,
    steps_of,
)
from demur.pipeline.dryrun.model import Model
from demur.pipeline.dryrun.spent import Seconds
from demur.pipeline.dryrun.stages import Stage
from demur.pipeline.job import Job
from demur.pipeline.systems import fitted_systems

UTILISATION = 0.3
"""Share of the measured matrix-product rate that generation and training reach: a rule of thumb."""
BATCH_BYTES = 2**30
"""What a batch takes while a model answers, at most, on a processor."""


def stages(job: Job, counts: Counts, model: Model, rate: float) -> list[Stage]:
    """Every stage that asks or tunes the model, in order.

    Args:
        rate: operations a second of a matrix product on the device.
    """
    return list(_stages(job, counts, model, rate))


def seconds_of(job: Job, counts: Counts, model: Model, rate: float, *, questions: int) -> float:
    """Seconds of asking the base model some questions and of tuning on one batch of each stage."""
    found = _asking(job, counts, questions, 1 + job.samples)
    for system in job.tuned:
        for stage in job.info(system).stages:
            found += _step(job, system, stage, counts)
    return found * model.parameters / (UTILISATION * rate)


def _stages(job: Job, counts: Counts, model: Model, rate: float) -> Iterator[Stage]:
    def stage(name: str, operations: float, memory: float) -> Stage:
        seconds = operations * model.parameters / (UTILISATION * rate)
        return Stage(name, Seconds(seconds, seconds), memory)

    answering = formulas.generation_bytes(model.parameters, model.weight_bytes, BATCH_BYTES)
    yield stage("probe", _asking(job, counts, counts.questions, 1 + job.samples), answering)
    for system in job.tuned:
        steps = steps_of(job, system, counts)
        operations = sum(count * _step(job, system, name, counts) for name, count in steps.items())
        yield stage(f"train/{system}", operations, _tuning_bytes(job, system, counts, model))
    for system in fitted_systems(job.config):
        operations = _asking(job, counts, counts.size.train, responses(job, system))
        yield stage(f"fit/{system}", operations, answering)
    for system in job.config.systems:
        operations = _asking(job, counts, predicted(job, counts), responses(job, system))
        yield stage(f"predict/{system}", operations, answering)


def _asking(job: Job, counts: Counts, questions: int, each: int) -> float:
    """Operations per weight of asking questions: prompts are read once, every response is generated."""
    tokens = counts.size.tokens + each * job.sampling.max_new_tokens
    return formulas.READ * questions * tokens


def _step(job: Job, system: str, stage: str, counts: Counts) -> float:
    """Operations per weight of an update."""
    settings = job.config.training_for(system, stage)
    tokens = rows_per_step(job.config, system, stage) * _row_tokens(job, counts)
    return formulas.training_operations(settings) * tokens


def _row_tokens(job: Job, counts: Counts) -> float:
    return counts.size.tokens + job.sampling.max_new_tokens + CERTAINTY_TOKENS


def _tuning_bytes(job: Job, system: str, counts: Counts, model: Model) -> float:
    """The most of a system's stages."""
    every = [job.config.training_for(system, stage) for stage in job.info(system).stages]
    return max(
        formulas.training_bytes(
            model.parameters,
            model.weight_bytes,
            settings,
            formulas.activation_bytes(
                settings.batch_size * _row_tokens(job, counts),
                layers=model.layers,
                hidden=model.hidden,
                value_bytes=model.weight_bytes,
                checkpointing=settings.gradient_checkpointing,
            ),
        )
        for settings in every
    )
