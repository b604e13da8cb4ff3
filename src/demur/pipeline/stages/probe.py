"""What the base model knows: it is asked every question, greedily and sampled."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from demur.core.errors import DemurError
from demur.core.files import digest, file_digest
from demur.core.progress import WARNING
from demur.core.questions import QuestionTable
from demur.core.records import Probe, Question, write_parquet
from demur.core.stored import StoredRows
from demur.core.units import UnitStore
from demur.core.version import __version__
from demur.engines import Engine, Spreads
from demur.knowledge import first_look
from demur.knowledge.imported import read_probes
from demur.knowledge.probing import probe
from demur.pipeline.job import Job
from demur.pipeline.stages.rejudging import rejudged, with_verdicts
from demur.pipeline.systems import check_states, model_fingerprint


def run(job: Job) -> None:
    """Ask the base model, or take answers made elsewhere; look at the first ones before going on."""
    config, elsewhere = job.config, job.config.probe.path
    job.hashes.probe = digest(
        [
            __version__,
            job.hashes.data,
            model_fingerprint(job.model_path),
            config.model.identity(),
            config.template.identity(),
            config.judge.identity(),
            config.probe.model_dump(exclude={"path", "allow_empty"}),
            file_digest(elsewhere) if elsewhere and elsewhere.is_file() else None,
            job.samples,
            config.seed,
        ]
    )
    with job.stage("probe", job.hashes.probe, job.folder.probe) as notes:
        if notes is None:
            _require_answers(job, first_answers(job))
            return
        known = _imported(job)
        asked = _without(job, known)
        store = job.store("probe", Probe, key=job.hashes.probe)
        made: Sequence[Probe] = ()
        if len(asked):
            check_states(config, job.engine)
            title, see = "asking the base model", partial(_look, job, notes, asked)
            made = ask(job, job.engine, asked, store, title, on_first=see)
        else:
            unit = job.questions[: config.probe.unit]
            _look(job, notes, unit, [known[question.id] for question in unit], made_elsewhere=True)
        if len(asked) and job.engine.capabilities.notes:
            notes["engine"] = list(job.engine.capabilities.notes)
            job.listener.note(f"{job.config.model.path}: {'; '.join(notes['engine'])}")
        rows = _MergedProbes(job.questions, known, made) if known else made
        verdicts, judged = rejudged(job, job.questions, rows)
        write_parquet(job.folder.probe, with_verdicts(rows, verdicts), Probe)
        notes |= judged
        notes["generations"] = len(made) * (1 + job.samples)
        notes["imported"] = len(known)
        store.clear()


@dataclasses.dataclass(frozen=True, slots=True)
class _MergedProbes:
    """Probes made elsewhere and here, in the order of the questions; may be read again."""

    questions: QuestionTable
    known: Mapping[str, Probe]
    made: Iterable[Probe]
    """Of the questions that are not known, in order."""

    def __iter__(self) -> Iterator[Probe]:
        made = iter(self.made)
        for (key,) in self.questions.values("id"):
            yield self.known[key] if key in self.known else next(made)


def _imported(job: Job) -> dict[str, Probe]:
    """Answers that were made elsewhere, by question id."""
    path = job.config.probe.path
    return {} if path is None else read_probes(path, job.questions, samples=job.samples)


def _without(job: Job, known: Mapping[str, Probe]) -> QuestionTable:
    """The questions that are not known yet."""
    if not known:
        return job.questions
    return job.questions.where(np.array([key not in known for (key,) in job.questions.values("id")]))


def ask(
    job: Job,
    engine: Engine,
    questions: Sequence[Question],
    store: UnitStore[Probe],
    title: str,
    *,
    on_first: Callable[[Sequence[Probe]], None] | None = None,
) -> StoredRows[Probe]:
    """Probe a model, with a bar; see `probe`."""
    if questions is job.questions:
        questions = job.questions_for(engine)
    with job.listener.bar(title, len(questions), "questions") as advance:
        return probe(
            engine,
            questions,
            template=job.config.template.template(chat=engine.chat),
            sampling=job.sampling,
            rule=job.config.judge.rule,
            store=store,
            score_answers=job.config.probe.score_answers,
            unit=job.config.probe.unit,
            progress=advance,
            on_first=on_first,
        )


def _look(
    job: Job,
    notes: dict[str, Any],
    questions: Sequence[Question],
    probes: Sequence[Probe],
    *,
    made_elsewhere: bool = False,
) -> None:
    """Note what the first answers look like.

    Args:
        questions: those of the probes first, perhaps with others after them.

    Raises:
        AnswersError: most of them are empty.
    """
    limit = None if made_elsewhere else job.config.probe.max_new_tokens
    unit = questions[: len(probes)]
    found = notes["first_answers"] = first_look.look(unit, probes, max_new_tokens=limit)
    job.listener.keep(first_answers=found)
    _require_answers(job, found, [] if made_elsewhere else unit[: first_look.EXAMPLES])


def first_answers(job: Job) -> dict[str, Any] | None:
    """What the first answers looked like, from the manifest; None where nobody has looked."""
    found: dict[str, Any] = job.manifest.values["stages"]["probe"]
    return found.get("first_answers")


def _require_answers(job: Job, found: dict[str, Any] | None, questions: Sequence[Question] = ()) -> None:
    """Say what the first answers look like, and stop where most of them are empty.

    Args:
        questions: the first of them, to find out why; none where the model is not to be asked.

    Raises:
        AnswersError: they are, and the configuration does not allow it.
    """
    if found is None:
        return
    job.listener.note(first_look.sentence(found))
    if first_look.mostly_empty(found) and not job.config.probe.allow_empty:
        made_elsewhere = found["max_new_tokens"] is None
        where = str(job.config.probe.path) if made_elsewhere else f"answers of {job.model_path}"
        asked = None if made_elsewhere else _how_asked(job, questions)
        raise first_look.empty_answers(found, where, asked)
    for warning in found["warnings"]:
        job.listener.note(f"{WARNING}{warning}")


def _how_asked(job: Job, questions: Sequence[Question]) -> first_look.Asked:
    """How the base model is asked, and what it says to some questions without stop strings."""
    settings = job.config.probe
    asked = first_look.Asked(
        format=job.config.model.format,
        chat=None,
        max_new_tokens=settings.max_new_tokens,
        stop=settings.stop,
    )
    if not questions:
        return asked
    asked = dataclasses.replace(asked, chat=job.engine.chat)
    if isinstance(job.engine, Spreads):  # its workers are busy with the other questions
        return asked
    template = job.config.template.template(chat=job.engine.chat)
    sampling = dataclasses.replace(job.sampling, stop=(), samples=0)
    prompts, keys = [template.ask(q) for q in questions], [q.id for q in questions]
    with contextlib.suppress(DemurError):  # such as a server that is gone: the cause is guessed then
        said = job.engine.generate(prompts, keys=keys, sampling=sampling)
        texts = tuple(item.greedy.text for item in said if item.greedy)
        asked = dataclasses.replace(asked, unstopped=texts)
    return asked
