"""The training rows of every system that is tuned."""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.config import PAPER_THRESHOLD
from demur.core.errors import TrainingDataError
from demur.core.files import atomic_folder, digest
from demur.core.records import Example, Probe, write_jsonl
from demur.engines import Engine
from demur.knowledge import boundary
from demur.knowledge.labelling import balanced, label
from demur.methods import METHODS, Labelled
from demur.methods.demur import tuning_half
from demur.pipeline.job import Job
from demur.pipeline.systems import estimator_of


def run(job: Job) -> None:
    """Write the rows of each stage of each system."""
    job.hashes.build = {}
    for system in job.tuned:
        own, info = job.config.for_system(system), job.info(system)
        # No training row depends on the threshold
        tuning = own.r_tuning.model_copy(update={"threshold": PAPER_THRESHOLD})
        sections = [own.knowledge, tuning, own.us_tuning]
        job.hashes.build[system] = digest(
            [job.hashes.probe, info.name, *(section.model_dump() for section in sections)]
        )
        output = job.folder.training(system)
        with job.stage(f"build/{system}", job.hashes.build[system], output) as notes:
            if notes is None:
                continue
            stages = training_rows(job, system, job.engine, labelled(job, system))
            with atomic_folder(output) as unfinished:
                for stage, examples in stages.items():
                    write_jsonl(unfinished / f"{stage}.jsonl", examples)
            notes["rows"] = {stage: len(examples) for stage, examples in stages.items()}
            notes["stages"] = list(stages)


def training_rows(
    job: Job, system: str, engine: Engine, data: Sequence[Labelled], *, number: int = 1
) -> dict[str, list[Example]]:
    """The training rows of one round.

    Raises:
        TrainingDataError: the training questions hold nothing that serves the method.
    """
    method = METHODS.get(job.config.method_of(system))()
    stages = method.build(data, job.setup(engine, system, number=number))
    if not all(stages.values()):
        raise TrainingDataError(
            expected=f"training questions with {' and '.join(method.info.needs)}, which {system} needs",
            found=f"{len(data)} training questions, none of which serves it",
            where=f"training rows of {system}",
            fix="choose data that has them, or another method; `demur methods` says what each needs",
        )
    return stages


def labelled(job: Job, system: str, probes: Sequence[Probe] | None = None) -> list[Labelled]:
    """The training questions with what the model is taken to know of them, by the system's estimator.

    Args:
        probes: what the model did with them, where it is not the base model.
    """
    questions, own = job.training
    estimator, settings = estimator_of(system, job.config), job.config.for_system(system).knowledge
    data = label(questions, probes or own, estimator)
    asked = [item for item in data if item.question.answerable]
    if probes is None and job.info(system).estimator is not None:
        columns = ([item.question for item in asked], [item.probe for item in asked])
        boundary.require_both_sides(*columns, [item.knowledge for item in asked], settings.min_share)
        known = sum(bool(item.knowledge.known) for item in asked)
        job.listener.note(
            f"{system}: the base model knows {known:,} of {len(asked):,} training questions, by {estimator}"
        )
    if job.info(system).halves:  # before any choice by what is known: the other half is not chosen by that
        half = tuning_half(questions, seed=job.config.seed)
        data = [item for item in data if item.question.id in half]
    if settings.train_on != "all":
        wanted = settings.train_on == "known"
        data = [item for item in data if item.knowledge.known is wanted]
    return balanced(data, job.config.seed) if settings.balance else data
