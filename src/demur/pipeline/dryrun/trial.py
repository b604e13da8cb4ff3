"""A rehearsal: the run's own work on a few of its training questions, with a clock beside it.

It goes in the order of a run, so that memory grows as it will: the base model is opened and answers, it is
tuned for a few steps, and a model that is opened again answers as each system does. Questions are drawn at
random, because answers end early, prompts that begin alike are read once and batches are sorted by length:
none of that is known from the number of tokens. Nothing that the trial makes is kept.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from demur.core.questions import QuestionTable
from demur.core.records import Example, Prediction, Probe, Question
from demur.engines import Engine
from demur.knowledge.labelling import label
from demur.knowledge.probing import Probing
from demur.methods import METHODS, Labelled, baselines
from demur.methods.demur import tuning_half
from demur.pipeline.dryrun.ladder import WARM, Asked, ladder
from demur.pipeline.dryrun.spent import Seconds, Spent, resident, spending
from demur.pipeline.dryrun.steps import StageCost, rehearse_steps
from demur.pipeline.job import Job, make_setup
from demur.pipeline.stages.train import take_engine
from demur.pipeline.systems import estimator_of, strategy_of

BUDGET = {"probe": 6.0, "train": 6.0, "predict": 6.0}
"""Seconds that each kind of work may take, opening and imports left out; at least one batch is measured."""


@dataclass(slots=True)
class Trial:
    """What was measured."""

    opening: Spent = field(default_factory=Spent)
    """The first time: with what the libraries load then, and the first, slower batch."""
    reopening: Spent = field(default_factory=Spent)
    """Every other time."""
    probe: Asked | None = None
    build: dict[str, Seconds] = field(default_factory=dict)
    """Of one training question, by system."""
    tuned: dict[str, dict[str, StageCost]] = field(default_factory=dict)
    """By system and stage."""
    predict: dict[str, Asked] = field(default_factory=dict)
    evaluation: Asked | None = None
    """Of the base model's answers twice, in one part."""
    row_bytes: float = 0.0
    """Of a response while it is generated, with a prompt of the mean length."""
    resident: float = 0.0
    """Bytes that the process holds at the end."""
    seconds: Seconds = field(default_factory=Seconds)
    """Of the whole trial."""


def rehearse(job: Job, questions: QuestionTable, *, tokens: int) -> Trial:
    """Measure a run on a few of its training questions.

    Args:
        questions: the run's training questions.
        tokens: of a prompt, on average.

    Raises:
        DemurError: the model cannot be opened, asked or tuned as the run would.
    """
    trial, start = Trial(), Seconds.now()
    drawn = _drawn(questions, job.config.probe.unit, job.config.seed)
    with spending() as trial.opening:
        engine = job.engine
    trial.row_bytes = _row_bytes(engine, tokens + job.sampling.max_new_tokens)
    probes = _probe(job, engine, drawn, trial)
    drawn = drawn[: len(probes)]
    built = {system: _build(job, system, drawn, probes, trial) for system in job.tuned}
    del engine  # what is tuned gives its memory back, as in a run
    for system, rows in built.items():
        trial.tuned[system] = _tune(job, system, rows, len(drawn))
    _predict(job, drawn, trial)
    _evaluate(job, drawn, probes, trial)
    trial.resident = resident()
    trial.seconds = Seconds.now().less(start)
    return trial


def _row_bytes(engine: Any, tokens: int) -> float:
    """What the engine itself reckons with for a row of a batch; 0 where its memory is another program's."""
    from demur.engines.decoding import CausalModel

    return float(CausalModel(engine.model).row_bytes(tokens)) if hasattr(engine, "model") else 0.0


def _drawn(questions: QuestionTable, most: int, seed: int) -> list[Question]:
    """Some questions at random, at most as many as the run stores together."""
    places = random.Random(f"{seed}/trial").sample(range(len(questions)), min(most, len(questions)))  # noqa: S311
    return list(questions.take(places))


def _probe(job: Job, engine: Engine, drawn: Sequence[Question], trial: Trial) -> list[Probe]:
    config = job.config
    work = Probing(
        template=config.template.template(chat=engine.chat),
        sampling=job.sampling,
        rule=config.judge.rule,
        score_answers=config.probe.score_answers,
    )
    probes, trial.probe, first = ladder(
        lambda size: work(engine, drawn[:size]), len(drawn), BUDGET["probe"]
    )
    warm = trial.probe.each(WARM) * min(WARM, len(drawn))
    trial.opening.seconds += first.seconds.less(warm)
    trial.opening.peak = max(trial.opening.peak, first.peak)
    return list(probes)


def _build(
    job: Job, system: str, drawn: Sequence[Question], probes: Sequence[Probe], trial: Trial
) -> dict[str, list[Example]]:
    """The training rows of a system, by stage."""
    method = METHODS.get(job.config.method_of(system))()
    with spending() as built:
        data = label(drawn, probes, estimator_of(system, job.config))
        rows = method.build(_wanted(job, system, data), job.setup(job.engine, system))
    trial.build[system] = built.seconds * (1 / len(drawn))
    return rows


def _tune(job: Job, system: str, rows: dict[str, list[Example]], questions: int) -> dict[str, StageCost]:
    """Take a few steps of each stage of a system."""
    settings, strategy = job.config.training_for(system), strategy_of(system, job.config)
    budget = BUDGET["train"] / sum(len(job.info(name).stages) for name in job.tuned)
    engine = take_engine(job, settings.quantize if strategy is None else "none", lora=settings.lora)
    found = {}
    for stage, examples in rows.items():
        if examples:
            found[stage] = rehearse_steps(
                engine,
                examples,
                job.config.training_for(system, stage),
                seed=job.config.seed,
                questions=questions,
                budget=budget,
            )
    return found


def _wanted(job: Job, system: str, data: Sequence[Labelled]) -> list[Labelled]:
    """The questions that a system trains on: half of them, the known or the unknown ones, if set so."""
    wanted = job.config.for_system(system).knowledge.train_on
    if job.info(system).halves:
        half = tuning_half((item.question for item in data), seed=job.config.seed)
        data = [item for item in data if item.question.id in half]
    chosen = [item for item in data if wanted == "all" or item.knowledge.known is (wanted == "known")]
    return chosen or list(data)


def _predict(job: Job, drawn: Sequence[Question], trial: Trial) -> None:
    """Let a model that is opened again answer as each system does."""
    job.let_go()
    with spending() as trial.reopening:
        engine = job.open_model(None)
    for system in job.config.systems:
        trial.predict[system] = _asked(job, system, engine, drawn, warm=not trial.predict)


def _asked(job: Job, system: str, engine: Engine, drawn: Sequence[Question], *, warm: bool) -> Asked:
    """Measure the answers of a system; ``warm``: the engine has not answered before."""
    config, method = job.config.for_system(system), METHODS.get(job.config.method_of(system))()
    setup = make_setup(config, engine, sampling=job.sampling)
    budget = BUDGET["predict"] / len(job.config.systems)
    return ladder(lambda size: method.elicit(engine, drawn[:size], setup), len(drawn), budget, warm=warm)[1]


def _evaluate(job: Job, drawn: Sequence[Question], probes: Sequence[Probe], trial: Trial) -> None:
    """Measure two systems in one part, one compared with the other, as if it were for test."""
    from demur.metrics import evaluate

    settings = job.config.evaluation
    rows: list[Prediction] = list(baselines.base(probes))
    with spending() as spent:
        evaluate(
            [dataclasses.replace(question, split="test", domain="id") for question in drawn],
            {"base": rows, "again": rows},
            primary={"base": "likelihood", "again": "likelihood"},
            level=settings.level,
            resamples=settings.resamples,
            ece_bins=settings.ece_bins,
        )
    trial.evaluation = Asked(len(drawn), spent)
