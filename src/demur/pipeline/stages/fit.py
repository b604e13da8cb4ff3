"""The systems that are fitted to what the base model answered to the training questions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demur.core.files import atomic_folder, digest, write_json
from demur.core.layout import CARD
from demur.core.questions import shared_by
from demur.core.records import Probe, Question, Verdict
from demur.core.signing import sign
from demur.engines import Engine
from demur.pipeline.cards import make_card, rule_to_card
from demur.pipeline.job import Job
from demur.pipeline.systems import fitted_systems
from demur.signals import Said
from demur.signals.fitted import Answered, fit_to
from demur.signals.linear import layers_of


def run(job: Job) -> None:
    """Fit each of them."""
    for system in fitted_systems(job.config):
        job.hashes.train[system] = digest([job.hashes.probe, job.info(system).name, job.config.seed])
        output = job.folder.model(system)
        with job.stage(f"fit/{system}", job.hashes.train[system], output) as notes:
            if notes is not None:
                notes |= _fit_one(job, system)
        rule_to_card(job, system)


def _fit_one(job: Job, system: str) -> dict[str, Any]:
    engine = job.engine
    layers = layers_of(engine.capabilities.layers)
    asked, probes = _labelled(job)
    answers = _answers(job, engine, asked, probes, layers)
    fitted = fit_to(answers, layers=layers, seed=job.config.seed)
    with atomic_folder(job.folder.model(system)) as unfinished:
        fitted.save(unfinished)
        write_json(unfinished / CARD, make_card(job, system, engine))
        sign(unfinished)
    job.listener.note(f"{system}: {sentence(fitted.notes)}")
    if not layers:
        job.listener.note(
            f"{system}: this engine gives no hidden states, so token probabilities alone are weighed"
        )
    return {"fitted": {**fitted.notes, "other_answers": len(asked) - len(answers)}}


def sentence(notes: Mapping[str, Any]) -> str:
    """What was fitted, in words."""
    best = ", ".join(f"{name} {value:.3f}" for name, value in notes["auroc"].items())
    n, right = notes["labels"], notes["right"]
    return f"fitted on {n:,} labelled answers, {right:,} of them right (AUROC there: {best})"


def _labelled(job: Job) -> tuple[list[Question], list[Probe]]:
    """The training questions with an answer that was judged right or wrong."""
    rows = [
        (question, probe)
        for question, probe in zip(*job.training, strict=True)
        if probe.greedy_verdict in (Verdict.CORRECT, Verdict.WRONG)
    ]
    return [question for question, _ in rows], [probe for _, probe in rows]


def _answers(
    job: Job,
    engine: Engine,
    questions: Sequence[Question],
    probes: Sequence[Probe],
    layers: tuple[int, ...],
) -> list[Answered]:
    """The answers with their states; without those that differ now, as ties in floating point do."""
    return [
        Answered(
            said=Said(question=question, greedy=said),
            states=states,
            right=probe.greedy_verdict is Verdict.CORRECT,
            group=shared_by(question) or question.id,
        )
        for question, probe, (said, states) in zip(
            questions, probes, _asked(job, engine, questions, layers), strict=True
        )
        if said.text == probe.greedy.text
    ]


def _asked(
    job: Job, engine: Engine, questions: Sequence[Question], layers: tuple[int, ...]
) -> Iterator[tuple[Any, Any]]:
    """What the base model says, with its states, a unit of questions at a time."""
    template = job.config.template.template(chat=engine.chat)
    sampling = dataclasses.replace(job.sampling, samples=0, layers=layers)
    unit = job.config.probe.unit
    with job.listener.bar("reading hidden states", len(questions), "questions") as advance:
        for start in range(0, len(questions), unit):
            part = questions[start : start + unit]
            prompts, keys = [template.ask(q) for q in part], [q.id for q in part]
            for item in engine.generate(prompts, keys=keys, sampling=sampling, progress=advance):
                yield item.greedy, item.states
