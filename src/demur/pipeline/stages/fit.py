"""The systems whose confidence is fitted to labelled answers, of the base model or of one tuned before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import TrainingDataError
from demur.core.files import atomic_folder, digest, link_files, write_json
from demur.core.layout import CARD, SIGNATURE
from demur.core.records import Probe, Question, Verdict, write_parquet
from demur.core.signing import sign
from demur.engines import Engine
from demur.judging import judgement
from demur.methods.base import SAMPLES
from demur.methods.demur import compared, tuning_half, units
from demur.methods.demur import sentence as tuning_sentence
from demur.pipeline.cards import make_card, rule_to_card
from demur.pipeline.controls import JUDGED
from demur.pipeline.job import Job
from demur.pipeline.stages.rejudging import by_model
from demur.pipeline.systems import check_states, fitted_systems
from demur.signals import Answered, Said
from demur.signals.beside import Beside
from demur.signals.controls import shuffled
from demur.signals.fitted import IN_ADDITION, Fitted, fit_to
from demur.signals.linear import layers_of


def run(job: Job) -> None:
    """Fit each of them."""
    for system in fitted_systems(job.config):
        tuned = [job.hashes.train[system]] if system in job.tuned else []
        asked = job.config.for_system(system).fit.signals
        job.hashes.train[system] = digest(
            [
                job.hashes.probe,
                job.info(system).name,
                job.config.seed,
                *tuned,
                *([] if asked is None else [asked]),
            ]
        )
        outputs = job.folder.model(system), job.folder.labelled(system)
        with job.stage(f"fit/{system}", job.hashes.train[system], *outputs) as notes:
            if notes is not None:
                notes |= _fit_one(job, system)
        rule_to_card(job, system)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A confidence, and the answers that it was fitted to."""

    fitted: Fitted
    rows: Sequence[_Row]
    unjudged: int
    card: Mapping[str, Any]
    weights: Path | None = None
    """Of the tuned model that gave the answers; None for the base model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What a model said to a labelled question."""

    said: Said
    verdict: Verdict

    @property
    def answered(self) -> Answered:
        """As something is fitted to it."""
        return Answered.of(self.said, right=self.verdict is Verdict.CORRECT)


def _fit_one(job: Job, system: str) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    made = None
    if system in job.tuned:
        made, notes["tuning"] = _of_tuned(job, system)
        job.listener.note(f"{system}: {tuning_sentence(notes['tuning'])}")
    try:
        made = made or _of_base(job, system)
    except TrainingDataError as error:
        if "tuning" not in notes:
            raise
        found = f"{error.found} before tuning; {tuning_sentence(notes['tuning'])}"
        raise TrainingDataError(
            expected=error.expected, found=found, where=error.where, fix=error.fix
        ) from error
    with atomic_folder(job.folder.model(system)) as unfinished:
        if made.weights is not None:
            link_files(made.weights, unfinished, without=(CARD, SIGNATURE))
        made.fitted.save(unfinished)
        write_json(unfinished / CARD, made.card)
        sign(unfinished)
    write_parquet(job.folder.labelled(system), map(_stored, made.rows), Probe)
    job.listener.note(f"{system}: {sentence(made.fitted.notes)}")
    wanted = job.config.for_system(system).fit.signals or ()
    if wanted or not made.fitted.layers:
        job.listener.note(f"{system}: {weighed(made.fitted, wanted)}")
    control = shuffled([row.answered for row in made.rows], seed=job.config.seed)
    return {**notes, "fitted": {**made.fitted.notes, "unjudged": made.unjudged, "shuffled": control}}


WORDS = {
    "probe": "hidden states",
    "answer-rate": "how often the same answer was right",
    "sum": "log-probabilities",
    "agreement": "how far {samples} sampled answers agree",
    "verbal": "how sure the model says it is",
}
"""Signals that are weighed, as people are told of them."""


def weighed(fitted: Fitted, wanted: Sequence[str] = ()) -> str:
    """What is weighed where an engine does not give all, or where more was asked of it, in words.

    Args:
        wanted: what it was asked for beside each answer.
    """
    found, used, count = fitted.notes["auroc"], fitted.weighing.weights, fitted.samples
    lacking = [WORDS[name] for name in ("probe", "sum") if name not in found]
    names = [words.format(samples=count) for name, words in WORDS.items() if name in used]
    idle = [name for name in WORDS if name in IN_ADDITION & found.keys() - used.keys()]
    given = f"this engine gives no {' or '.join(lacking)}; " if lacking else ""
    dropped = f"; {' and '.join(idle)} got no weight and will not be asked for" if idle else ""
    absent = [name for name in wanted if name not in found]
    unsaid = f"; too few answers came with {' and '.join(absent)} to weigh it" if absent else ""
    return f"{given}weighed are {', '.join(names)}{dropped}{unsaid}"


def sentence(notes: Mapping[str, Any]) -> str:
    """What was fitted, in words."""
    best = ", ".join(f"{name} {value:.3f}" for name, value in notes["auroc"].items())
    n, right, rest = notes["labels"], notes["right"], notes["incomplete"]
    left = f"; {rest:,} more were left out, which lack something that the others have" if rest else ""
    return f"fitted on {n:,} labelled answers, {right:,} of them right (AUROC there: {best}){left}"


# -- the tuned model -----------------------------------------------------------------------------


def _of_tuned(job: Job, system: str) -> tuple[_Made | None, dict[str, Any]]:
    """A confidence for the tuned model's answers, None where that is not kept; and what tuning did.

    It is asked the training questions that it was not tuned on.
    """
    questions, probes = job.training
    together, half = units(questions), tuning_half(questions, seed=job.config.seed)
    rest = [
        (question, probe)
        for question, probe in zip(questions, probes, strict=True)
        if question.id not in half and question.answers
    ]
    job.let_go()  # one model in memory at a time
    folder = job.folder.tuned(system)
    engine = job.open_model(system, tuned=folder)
    rows = _asked(job, system, engine, [question for question, _ in rest], {})
    notes = compared(
        [probe.greedy_verdict is Verdict.CORRECT for _, probe in rest],
        [row.verdict is Verdict.CORRECT for row in rows],
        [together[question.id] for question, _ in rest],
    )
    if not notes["kept"]:
        return None, notes
    try:
        return _made(job, system, engine, rows, weights=folder), notes
    except TrainingDataError as error:
        reason = f"but {error.found} is too few of one kind to fit a confidence to"
        return None, notes | {"kept": False, "reason": reason}


# -- the base model ------------------------------------------------------------------------------


def _of_base(job: Job, system: str) -> _Made:
    """A confidence for the base model's answers to all training questions that could be judged."""
    labelled = {
        question.id: (question, probe)
        for question, probe in zip(*job.training, strict=True)
        if probe.greedy_verdict in JUDGED
    }
    known = {name: probe for name, (_, probe) in labelled.items()}
    check_states(job.config, job.engine)
    rows = _asked(job, system, job.engine, [question for question, _ in labelled.values()], known)
    return _made(job, system, job.engine, rows)


def _made(
    job: Job, system: str, engine: Engine, rows: Sequence[_Row], *, weights: Path | None = None
) -> _Made:
    judged = [row for row in rows if row.verdict in JUDGED]
    return _Made(
        fitted=fit_to(
            [row.answered for row in judged],
            layers=layers_of(engine.capabilities.layers),
            seed=job.config.seed,
        ),
        rows=judged,
        unjudged=len(rows) - len(judged),
        card=make_card(job, system, engine),
        weights=weights,
    )


def _stored(row: _Row) -> Probe:
    return Probe(question_id=row.said.question.id, greedy=row.said.greedy, greedy_verdict=row.verdict)


# -- asking --------------------------------------------------------------------------------------


def _asked(
    job: Job, system: str, engine: Engine, questions: Sequence[Question], known: Mapping[str, Probe]
) -> list[_Row]:
    """What a model says with its states, judged, see `judged`."""
    said = list(_said(job, system, engine, questions))
    verdicts = judged(job, said, known)
    return [_Row(said=item, verdict=verdict) for item, verdict in zip(said, verdicts, strict=True)]


def judged(job: Job, said: Sequence[Said], known: Mapping[str, Probe]) -> list[Verdict]:
    """The verdict of each answer, by the rule or the model that judges in this run.

    Args:
        known: what the same model said before, by question id: an equal answer keeps its verdict. In
            another batch, ties in floating point can change an answer, in bfloat16 and long ones often.
    """
    found = [_known(item, known) or _by_rule(job, item) for item in said]
    new = [place for place, item in enumerate(said) if _known(item, known) is None]
    if new:
        pairs = ((said[place].question, said[place].greedy.text) for place in new)
        again, _ = by_model(job, pairs, [found[place] for place in new])
        for place, verdict in zip(new, again or [], strict=again is not None):
            found[place] = verdict
    return found


def _known(said: Said, known: Mapping[str, Probe]) -> Verdict | None:
    """The verdict of the same answer from before."""
    probe = known.get(said.question.id)
    return probe.greedy_verdict if probe is not None and probe.greedy.text == said.greedy.text else None


def _by_rule(job: Job, said: Said) -> Verdict:
    refusals = (job.config.template.template(chat=False).refusal,)
    return judgement(said.question, said.greedy.text, rule=job.config.judge.rule, refusals=refusals).verdict


def _said(job: Job, system: str, engine: Engine, questions: Sequence[Question]) -> Iterator[Said]:
    """What a model says, with what the confidence is fitted to, a unit of questions at a time."""
    beside = Beside.to_fit(job.config.for_system(system).fit, engine, samples=job.samples or SAMPLES)
    template = job.config.template.template(chat=engine.chat)
    sampling = beside.sampling(job.sampling)
    unit = job.config.probe.unit
    title = "reading hidden states" if beside.layers else "reading answers"
    with job.listener.bar(title, len(questions), "questions") as advance:
        for start in range(0, len(questions), unit):
            part = questions[start : start + unit]
            prompts, keys = [template.ask(q) for q in part], [q.id for q in part]
            made = engine.generate(prompts, keys=keys, sampling=sampling, progress=advance)
            for item in beside.said(engine, template, part, made, job.sampling):
                assert item is not None, "a greedy response was asked for"
                yield item
