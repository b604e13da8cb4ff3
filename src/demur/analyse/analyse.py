"""The analyses of one system of a run, from its files; a model is opened for questions' perplexity only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demur.analyse.certain_uncertain import certain_against_uncertain
from demur.analyse.page import markdown
from demur.analyse.perplexity import question_log_perplexities
from demur.analyse.signals import side_by_side, with_agreement
from demur.analyse.sweep import sweep
from demur.core.config import Config
from demur.core.errors import RunFolderError
from demur.core.files import write_json, write_text
from demur.core.layout import ANALYSIS_PAGE, GUARANTEE
from demur.core.records import SIGNALS, AnsweredQuestion, Prediction, Question
from demur.metrics import splits_of
from demur.runfolder import provenance
from demur.runfolder.finished import FinishedRun
from demur.runfolder.manifest import rewritten


def analyse_run(root: Path, *, system: str | None = None, questions: bool = False) -> dict[str, Any]:
    """R-Tuning's analyses of a finished run; writes ``analysis.json`` and ``analysis.md`` to its folder.

    Args:
        system: by default the run's method.
        questions: also open the base model and score the questions' texts.

    Raises:
        RunFolderError: this is no finished run folder.
        UnknownNameError: the run has no such system.
        ModelError: the base model cannot be opened.
    """
    run = FinishedRun.open(root)
    config = run.config
    system = system or config.method
    run.system(system)
    origin = _origin(run, config, system)
    settings: dict[str, Any] = {
        "level": config.evaluation.level,
        "resamples": config.evaluation.resamples,
        "seed": config.seed,
    }
    asked = {question.id: question for question in run.questions}
    probes = {item.question_id: item for item in run.probes} if run.has(run.folder.probe) else {}
    base = {row.question_id: row for row in run.predictions["base"]}
    _require_answers(run, system, base)
    training = [
        question for question in asked.values() if question.split == "train" and question.answerable
    ]
    perplexities = question_log_perplexities(run, training) if questions and training else None
    splits = _tested(
        asked, (with_agreement(row, probes.get(row.question_id)) for row in run.predictions[system])
    )
    names = _signals(splits)
    result: dict[str, Any] = {
        "schema_version": provenance.SCHEMA_VERSION,
        provenance.KEY: origin,
        "system": system,
        "settings": settings,
        "certain_against_uncertain": certain_against_uncertain(training, probes, perplexities, **settings),
        "signals": {
            split: side_by_side(
                [row for row in rows if row[0].answerable],
                names,
                **settings,
                bins=config.evaluation.ece_bins,
            )
            for split, rows in splits.items()
        },
        "sweep": {
            split: {
                name: sweep(
                    rows,
                    [base[question.id] for question, _ in rows],
                    name,
                    _in_use(run, system, name),
                    config.evaluation,
                    seed=config.seed,
                )
                for name in names
            }
            for split, rows in splits.items()
        },
    }
    page = run.path / ANALYSIS_PAGE
    with rewritten(root, run.folder.analysis, page):
        write_json(run.folder.analysis, result)
        write_text(page, markdown(result, root.resolve().name))
    return result


def _require_answers(run: FinishedRun, system: str, base: Mapping[str, Prediction]) -> None:
    """Raise where a system answers a question that the base model did not, or one that is not there."""
    for question, _ in run.answered(system):
        if question.id not in base:
            raise RunFolderError(
                expected="answers of the base model to every question",
                found=f"none to {question.id!r}",
                where=str(run.folder.predictions("base")),
                fix="take the file from a copy of the run, or delete it and run `demur run` again",
            )


def _origin(run: FinishedRun, config: Config, system: str) -> dict[str, Any]:
    """What the analyses are computed from; a promised threshold is marked in them, where there is one."""
    folder = run.folder
    names = (folder.questions, folder.predictions(system), folder.predictions("base"), folder.probe)
    return provenance.computed_from(
        run.path,
        [*dict.fromkeys(file for file in (*names, folder.guarantee) if file.is_file())],
        owner=provenance.owner_of(config, system),
        base=provenance.base_folder(config, run=run.path),
    )


def _tested(
    questions: Mapping[str, Question], rows: Iterable[Prediction]
) -> dict[str, list[AnsweredQuestion]]:
    """In-domain and out-of-domain test questions; the other parts hold one kind of question only."""
    splits: dict[str, list[AnsweredQuestion]] = {}
    for row in rows:
        question = questions[row.question_id]
        if question.split == "test":
            splits.setdefault(splits_of(question)[0], []).append((question, row))
    return splits


def _signals(splits: Mapping[str, list[AnsweredQuestion]]) -> list[str]:
    """The system's signals in their usual order."""
    given = {name for rows in splits.values() for _, row in rows for name in row.signals}
    return [name for name in SIGNALS if name in given]


def _in_use(run: FinishedRun, system: str, signal: str) -> dict[str, float]:
    """Thresholds on a signal that somebody relies on: the run's own, and a promised one."""
    found: dict[str, float] = {}
    if run.has_card(system):
        own = run.card(system).get("threshold", {})
        if own.get("signal") == signal:
            found["the run's"] = float(own["value"])
    made = run.look(GUARANTEE, base=None).value
    if made is not None:
        threshold = made["guarantees"].get("all", {}).get("threshold")
        if (made["system"], made["signal"]) == (system, signal) and threshold is not None:
            found["promised"] = float(threshold)
    return found
