"""What every system says to every question, and the same answers read in other ways."""

from __future__ import annotations

import dataclasses
import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from demur.core.config import Config
from demur.core.files import digest
from demur.core.names import FIXED, unread
from demur.core.records import Prediction, Question, write_parquet
from demur.core.stored import StoredRows
from demur.engines import Engine, Progress, Sampling
from demur.judging import judgement
from demur.knowledge.asking import ask_in_units
from demur.methods import METHODS, Elicited, baselines, learned, thresholds
from demur.pipeline.cards import add_to_card, rule, rule_to_card
from demur.pipeline.job import Job, make_setup
from demur.pipeline.stages.rejudging import Decided, by_model
from demur.signals.fitted import Fitted

R = TypeVar("R")


def run(job: Job) -> None:
    """Ask every system, then read the answers of the base model and of the method in other ways."""
    job.hashes.predict = {"base": digest([job.hashes.probe, "base", job.asks_training])}
    with job.stage("predict/base", job.hashes.predict["base"], job.folder.predictions("base")) as notes:
        if notes is not None:
            said = baselines.base(job.probes)
            write_parquet(job.folder.predictions("base"), _of(said, job.asked_places), Prediction)
    for system in job.config.systems:
        inputs = job.hashes.predict[system] = job.predict_inputs(system)
        with job.stage(f"predict/{system}", inputs, job.folder.predictions(system)) as notes:
            if notes is not None:
                notes |= _predict_one(job, system, inputs)
        if system in job.tuned or job.info(system).fits:
            rule_to_card(job, system)
    _predict_derived(job)


def _predict_one(job: Job, system: str, inputs: str) -> dict[str, Any]:
    job.let_go()  # one model in memory at a time
    info = job.info(system)
    owned = info.weights != "base"
    weights = job.weights_of(system) if owned else None
    engine = job.open_model(job.owner(system) if owned else None)
    work = _Asking(
        system=system,
        method=info.name,
        config=job.config.for_system(system),
        sampling=job.sampling,
        fitted=job.folder.model(system).resolve() if info.fits else None,
        questions=job.questions_for(engine),
    )
    store = job.store(f"predict/{system}", Prediction, key=inputs)
    with job.listener.bar(f"asking {system}", len(job.asked), "questions") as advance:
        rows = ask_in_units(
            engine,
            array("q", job.asked_places.tobytes()),
            work,
            store=store,
            unit=job.config.probe.unit,
            progress=advance,
        )
    pairs = ((question, row.response) for question, row in zip(job.asked, rows, strict=True))
    verdicts, judged = by_model(job, pairs, (row.verdict for row in rows))
    decided: Iterable[Prediction] = Decided(rows, verdicts)
    found = thresholds.rule(info, work.config.r_tuning, decided, job.questions)
    if found is not None:
        judged["threshold"] = found
        job.listener.note(f"{system}: {thresholds.sentence(found)}")
        decided = thresholds.decided(decided, found["signal"], found["value"])
    write_parquet(job.folder.predictions(system), decided, Prediction)
    store.clear()
    return judged if weights is None else {**judged, "weights": weights}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How a unit of questions is put to a system, and its answers judged."""

    system: str
    method: str
    config: Config
    """The system's own."""
    sampling: Sampling
    fitted: Path | None
    """Folder of what was fitted for a system that is."""
    questions: Sequence[Question]

    def __call__(
        self, engine: Engine, part: Sequence[int], *, progress: Progress | None = None
    ) -> list[Prediction]:
        """Ask the questions at these places, which rise."""
        questions = _at(self.questions, part)
        fitted = None if self.fitted is None else Fitted.load(self.fitted)
        setup = make_setup(self.config, engine, sampling=self.sampling, fitted=fitted)
        said = METHODS.get(self.method)().elicit(engine, questions, setup, progress=progress)
        return [self._judged(*pair) for pair in zip(questions, said, strict=True)]

    def _judged(self, question: Question, said: Elicited) -> Prediction:
        """What the system said, with the rule's verdict; declined by its own rule only, see `Decided`."""
        taught = METHODS.get(self.method)().info.refusals
        refusals = (self.config.template.template(chat=False).refusal, *taught)
        found = judgement(question, said.response, rule=self.config.judge.rule, refusals=refusals)
        own = said.answer != said.response.strip() and found.answer and not found.stated
        return Prediction(
            question_id=question.id,
            system=self.system,
            answer=said.answer if own else found.answer,
            response=said.response,
            verdict=found.verdict,
            abstained=said.declines,
            signals=said.signals,
            reading=found.reading,
        )


def _at(rows: Sequence[R], places: Sequence[int]) -> list[R]:
    """The rows at places that rise; those that follow one another are read at once."""
    found: list[R] = []
    for _, run in itertools.groupby(enumerate(places), key=lambda item: item[1] - item[0]):
        together = [place for _, place in run]
        found += rows[together[0] : together[-1] + 1]
    return found


def _of(rows: Iterable[R], places: Iterable[int]) -> Iterator[R]:
    """Those of all rows that stand at places, which rise."""
    wanted = iter(places)
    place = next(wanted, None)
    for number, row in enumerate(rows):
        if number == place:
            yield row
            place = next(wanted, None)


def _predict_derived(job: Job) -> None:
    """The base model read in other ways, beside the method of the run."""
    method = job.config.method
    inputs = digest([job.hashes.predict["base"], job.hashes.predict[method]])
    base, tuned = (StoredRows.of(job.folder.predictions(system), Prediction) for system in ("base", method))
    systems: dict[str, Iterable[Prediction]] = {**baselines.derived(base, tuned, job.asked)}
    reading = learned.learned(tuned, job.questions)
    if reading is not None:
        systems[method + learned.SUFFIX], combination = reading
        if method in job.tuned:
            add_to_card(job, method, method + learned.SUFFIX, combination)
    for system, rows in systems.items():
        _derive(job, system, rows, inputs)
    for system, rows in _by_papers_rule(job).items():
        _derive(job, system, rows, digest([job.hashes.predict[unread(system)], system]))
    _forget_readings(job)


def _derive(job: Job, system: str, rows: Iterable[Prediction], inputs: str) -> None:
    job.hashes.predict[system] = inputs
    output = job.folder.predictions(system)
    with job.stage(f"predict/{system}", inputs, output) as notes:
        if notes is not None:
            write_parquet(output, rows, Prediction)


def _forget_readings(job: Job) -> None:
    """Remove readings that an earlier configuration of this folder had and this one has not."""
    for path in job.folder.predictions("base").parent.glob("*.parquet"):
        if unread(path.stem) != path.stem and path.stem not in job.hashes.predict:
            job.manifest.values["stages"].pop(f"predict/{path.stem}", None)
            job.manifest.forget(path)
            path.unlink()


def _by_papers_rule(job: Job) -> dict[str, Iterable[Prediction]]:
    """The answers of every system whose threshold was chosen, by the fixed rule of its paper."""
    rules = {system: rule(job, system) for system in job.config.systems}
    return {
        system + FIXED: thresholds.fixed(
            StoredRows.of(job.folder.predictions(system), Prediction), found["signal"]
        )
        for system, found in rules.items()
        if found is not None and thresholds.chosen(found) and not job.info(system).fits
    }
