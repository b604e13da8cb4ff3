"""The systems that are fitted to what the base model answered to the training questions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from demur.core.files import atomic_folder, digest, write_json
from demur.core.layout import CARD
from demur.core.questions import shared_by
from demur.core.records import Probe, Question, Response, Verdict
from demur.core.signing import sign
from demur.engines import Engine
from demur.judging import judgement
from demur.methods.base import SAMPLES
from demur.pipeline.cards import make_card, rule_to_card
from demur.pipeline.job import Job
from demur.pipeline.systems import check_states, fitted_systems
from demur.signals import Answered, Said
from demur.signals.controls import shuffled
from demur.signals.fitted import Fitted, fit_to
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
    check_states(job.config, engine)
    asked, probes = _labelled(job)
    answers = _answers(job, engine, asked, probes, layers)
    fitted = fit_to(answers, layers=layers, seed=job.config.seed)
    with atomic_folder(job.folder.model(system)) as unfinished:
        fitted.save(unfinished)
        write_json(unfinished / CARD, make_card(job, system, engine))
        sign(unfinished)
    job.listener.note(f"{system}: {sentence(fitted.notes)}")
    if not layers:
        job.listener.note(f"{system}: {without_states(fitted)}")
    control = shuffled(answers, seed=job.config.seed)
    return {"fitted": {**fitted.notes, "unjudged": len(asked) - len(answers), "shuffled": control}}


def without_states(fitted: Fitted) -> str:
    """What is weighed where an engine gives no hidden states, in words."""
    lacking, weighed = "hidden states", "log-probabilities"
    if fitted.samples:
        lacking += " or log-probabilities"
        weighed = f"how far {fitted.samples} sampled answers agree"
    return f"this engine gives no {lacking}; weighed are {weighed} and how often the same answer was right"


def sentence(notes: Mapping[str, Any]) -> str:
    """What was fitted, in words."""
    best = ", ".join(f"{name} {value:.3f}" for name, value in notes["auroc"].items())
    n, right, rest = notes["labels"], notes["right"], notes["incomplete"]
    left = f"; {rest:,} more were left out, whose log-probabilities or states are missing" if rest else ""
    return f"fitted on {n:,} labelled answers, {right:,} of them right (AUROC there: {best}){left}"


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
    """The answers with their states, each with whether it is right; without those that nobody can judge."""
    said = _asked(job, engine, questions, layers)
    verdicts = map(partial(_verdict, job), questions, probes, (item.greedy for item in said))
    return [
        Answered(
            said=item, right=verdict is Verdict.CORRECT, group=shared_by(item.question) or item.question.id
        )
        for item, verdict in zip(said, verdicts, strict=True)
        if verdict in (Verdict.CORRECT, Verdict.WRONG)
    ]


def _verdict(job: Job, question: Question, probe: Probe, said: Response) -> Verdict:
    """The probe's verdict where the answer is the probe's; else the rule's, unless a model judges.

    In another batch, ties in floating point can change an answer, in bfloat16 and of long answers often.
    """
    if said.text == probe.greedy.text:
        return probe.greedy_verdict
    judge, template = job.config.judge, job.config.template.template(chat=False)
    if judge.llm.base_url is not None:
        return Verdict.UNSCORED
    return judgement(question, said.text, rule=judge.rule, refusals=(template.refusal,)).verdict


def _asked(job: Job, engine: Engine, questions: Sequence[Question], layers: tuple[int, ...]) -> list[Said]:
    """What the base model says, with its states, a unit of questions at a time.

    Answers are sampled too where the engine gives neither states nor log-probabilities.
    """
    found: list[Said] = []
    can = engine.capabilities
    drawn = 0 if layers or can.token_logprobs or not can.samples else (job.samples or SAMPLES)
    template = job.config.template.template(chat=engine.chat)
    sampling = dataclasses.replace(job.sampling, samples=drawn, layers=layers)
    unit = job.config.probe.unit
    title = "reading hidden states" if layers else "reading answers"
    with job.listener.bar(title, len(questions), "questions") as advance:
        for start in range(0, len(questions), unit):
            part = questions[start : start + unit]
            prompts, keys = [template.ask(q) for q in part], [q.id for q in part]
            made = engine.generate(prompts, keys=keys, sampling=sampling, progress=advance)
            for question, item in zip(part, made, strict=True):
                assert item.greedy is not None, "a greedy response was asked for"
                found.append(
                    Said(question=question, greedy=item.greedy, samples=item.samples, states=item.states)
                )
    return found
