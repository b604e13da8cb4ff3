"""Every metric of every system, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demur.core.files import digest, write_json
from demur.core.names import FIXED
from demur.core.records import Prediction, Probe, Question, read_parquet
from demur.judging.languages import unread_counts
from demur.methods import baselines, learned
from demur.pipeline.cards import reported_rule
from demur.pipeline.job import Job
from demur.pipeline.stages.probe import first_answers
from demur.pipeline.systems import fitted_systems, system_info

MANY = 8
"""Above so many systems a run's report compares its method with the free ones only."""


def run(job: Job) -> None:
    """Measure every system on every split, and compare."""
    from demur.metrics import METRICS, evaluate

    systems, settings = list(job.hashes.predict), job.config.evaluation
    job.hashes.evaluate = digest([job.hashes.predict, settings.model_dump(), METRICS.names()])
    infos = {system: system_info(system, job.config) for system in systems}
    job.manifest.values["systems"] = {
        system: {
            "primary_signal": info.primary_signal,
            "paper": info.paper,
            "description": info.summary,
            **({"threshold": found} if (found := reported_rule(job, system)) is not None else {}),
        }
        for system, info in infos.items()
    }
    with job.stage("evaluate", job.hashes.evaluate, job.folder.metrics) as notes:
        if notes is None:
            return
        predictions = {s: read_parquet(job.folder.predictions(s), Prediction) for s in systems}
        results = evaluate(
            job.asked,
            predictions,
            primary={system: info.primary_signal for system, info in infos.items()},
            reference="base",
            compare=compared(systems, job.config.method),
            level=settings.level,
            resamples=settings.resamples,
            seed=job.config.seed,
            ece_bins=settings.ece_bins,
        )
        found = {
            **results,
            "first_answers": first_answers(job),
            "unread_languages": _unread(job, predictions),
            "controls": _controls(job, predictions),
        }
        write_json(job.folder.metrics, found)


def _controls(job: Job, predictions: Mapping[str, Sequence[Prediction]]) -> dict[str, Any]:
    """The signals of each system that was fitted to labels, beside controls (`demur.pipeline.controls`)."""
    fitted = [system for system in fitted_systems(job.config) if system in predictions]
    if not fitted:
        return {}
    from demur.pipeline.controls import beside

    asked = {question.id: question for question in job.asked}
    return {
        system: beside(
            _labelled(job, system),
            asked,
            predictions[system],
            primary=system_info(system, job.config).primary_signal,
            seed=job.config.seed,
        )
        for system in fitted
    }


def _labelled(job: Job, system: str) -> list[tuple[Question, Probe]]:
    """The answers that a system was fitted to; of a run without them, those of the base model."""
    questions, probes = job.training
    path = job.folder.labelled(system)
    if not path.exists():
        return list(zip(questions, probes, strict=True))
    by_id = {question.id: question for question in questions}
    return [(by_id[row.question_id], row) for row in read_parquet(path, Probe)]


def _unread(job: Job, predictions: Mapping[str, Sequence[Prediction]]) -> dict[str, dict[str, int]]:
    """For each system, responses in each language whose refusals the rule does not recognise.

    Nothing where a model judges, or where there are no such responses.
    """
    if job.config.judge.llm.base_url is not None:
        return {}
    counts = {system: unread_counts(each.response for each in rows) for system, rows in predictions.items()}
    return {system: found for system, found in counts.items() if found}


def compared(systems: Sequence[str], method: str) -> list[tuple[str, str]]:
    """Whose differences are reported: the method's, and its learned reading's, to everybody else.

    Where a run has many systems, to what is had for free and to vanilla only: `demur compare` puts many
    side by side, a report tells one story.
    """
    own = [system for system in (method, method + learned.SUFFIX) if system in systems]
    # What reads the method's answers by its paper's rule has its ranking, and is no rival of it
    others = [system for system in systems if system not in own and not system.endswith(FIXED)]
    if len(others) > MANY:
        others = [system for system in others if system in baselines.BASELINES or system == "vanilla"]
    return [(system, other) for system in own for other in others]
