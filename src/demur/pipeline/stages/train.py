"""The tuning of every system that has weights of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from demur.core.files import digest
from demur.core.records import Example, Probe, read_jsonl, write_jsonl
from demur.engines import Engine
from demur.knowledge.labelling import moved
from demur.pipeline.cards import make_card, rule_to_card
from demur.pipeline.job import Job
from demur.pipeline.stages.build import labelled, training_rows
from demur.pipeline.stages.probe import ask
from demur.pipeline.stages.rejudging import rejudged, with_verdicts
from demur.pipeline.systems import estimator_of, round_count, strategy_of
from demur.runfolder.digests import model_changed


def run(job: Job) -> None:
    """Tune each system by its stages and rounds."""
    job.hashes.train = {}
    for system in job.tuned:
        own = job.config.for_system(system)
        job.hashes.train[system] = digest(
            [
                job.hashes.build[system],
                own.training.model_dump(),
                own.stages,
                own.rounds,
                job.config.seed,
            ]
        )
        model = job.trained_into(system)
        _require_unchanged(job, f"train/{system}", system)
        with job.stage(f"train/{system}", job.hashes.train[system], model) as notes:
            if notes is not None:
                notes |= _train_one(job, system)
        if model == job.folder.model(system):
            rule_to_card(job, system)


def _require_unchanged(job: Job, stage: str, system: str) -> None:
    """Refuse to go on where a model is not what training wrote: it may be damaged, or somebody's own.

    Raises:
        RunFolderError: naming the files.
    """
    model = job.trained_into(system)
    done = job.manifest.is_done(stage, job.hashes.train[system]) and model.exists()
    if done and (wrong := job.manifest.changed(model)):
        raise model_changed(job.folder.root, model, wrong)


def _train_one(job: Job, system: str) -> dict[str, Any]:
    from demur.training.launch import InProcesses, InThisProcess, launch

    settings, strategy = partial(job.config.training_for, system), strategy_of(system, job.config)
    quantize = settings().quantize
    drift: list[dict[str, Any]] = []
    engine = take_engine(job, quantize if strategy is None else "none", lora=settings().lora)
    card = make_card(job, system, engine)
    work = job.folder.work / "training" / system / job.hashes.train[system]
    seed = job.config.seed
    done = launch(
        engine,
        _rounds(job, system, engine, work, drift),
        tuner=InProcesses(engine, job.opening, strategy, seed=seed)
        if strategy
        else InThisProcess(engine, seed=seed),
        count=round_count(system, job.config),
        settings=settings,
        work=work,
        out=job.trained_into(system),
        card=card,
        note=job.listener.note,
        bar=job.listener.bar,
        title=f"tuning {system}",
    )
    return {
        "plan": {stage: dataclasses.asdict(plan) for stage, plan in done.plans.items()},
        "drift": drift,
        **({"processes": done.ran} if done.ran else {}),
    }


def _rounds(
    job: Job, system: str, engine: Engine, work: Path, drift: list[dict[str, Any]]
) -> Iterator[dict[str, list[Example]]]:
    """The rows of each round; from the second on, of what the model knows by then."""
    stages = job.manifest.values["stages"][f"build/{system}"]["stages"]
    yield {stage: list(read_jsonl(job.folder.rows(system, stage), Example)) for stage in stages}
    questions, before = job.training
    estimator = estimator_of(system, job.config)
    for number in range(2, round_count(system, job.config) + 1):
        key = f"{job.hashes.train[system]}/{number}"
        store = job.store(f"probe{number}", Probe, key=key, within=work)
        made = ask(job, engine, questions, store, f"asking {system} again")
        verdicts, judged = rejudged(job, questions, made)
        after = list(with_verdicts(made, verdicts))
        drift.append({"round": number, **moved(questions, before, after, estimator), **judged})
        later = training_rows(job, system, engine, labelled(job, system, after), number=number)
        for stage, examples in later.items():
            path = job.folder.rows(system, f"round{number}-{stage}")
            job.manifest.forget(path)
            write_jsonl(path, examples)
            job.manifest.record(path)
        yield later
        before = after


def take_engine(job: Job, quantize: str, *, lora: bool) -> Any:
    """The base model, to be trained: nobody else gets this one afterwards."""
    dtype = job.training_dtype(lora=lora)
    engine: Any = job.let_go()
    usable = engine is not None and engine.capabilities.trains and quantize == "none"
    if not usable or job.dtype not in (dtype, "auto"):
        del engine  # its memory, before the weights are loaded
        engine = job.open_model(None, engine="hf", dtype=dtype, quantize=quantize)
    return engine
