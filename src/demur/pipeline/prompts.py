"""How the questions of a run are asked: the worked examples drawn, and where it is left open, tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from demur.core.config import Config, ShownExample, differences, load_config
from demur.core.errors import DataError, DemurError
from demur.core.records import Question
from demur.datasets import LoadedData
from demur.datasets.examples import draw_examples, draw_trial, shown_elsewhere, without_examples
from demur.datasets.loading import counts_of
from demur.engines import ENGINES
from demur.knowledge import trial
from demur.knowledge.trial import Tried
from demur.pipeline.job import Job
from demur.pocket import is_pocket

_BY_HAND = ("template.", "model.format", "probe.path", "probe.stop")
"""Beginnings of settings that say how a model is asked."""
TRIAL = "template.trial"


def left_open(given: Mapping[str, Any]) -> bool:
    """Whether settings name a model but not how it is asked, so that ways to ask are tried.

    The pocket models are left as they are: they have read the questions in the prompt that is the default.

    Args:
        given: the settings that a user gives, by dotted name, where there is no configuration file.
    """
    model = given.get("model.path")
    return bool(model) and not is_pocket(str(model)) and not any(n.startswith(_BY_HAND) for n in given)


def settle(job: Job, *, update: bool = False) -> None:
    """Settle how the questions of a run are asked, before anything is written.

    Ways to ask are tried where the settings want it, unless the folder holds the choice of this run. The
    examples are put into the settings, and leave training.

    Args:
        update: see `Pipeline`.

    Raises:
        DataError: there are not so many examples, or one of them is asked outside of training.
        RunFolderError: the folder belongs to something else.
    """
    if job.config.template.trial and job.config.model.format == "auto":
        kept = _kept(job, update=update)
        if kept is None:
            job.folder.check_claim(job.config, update=update)  # before the model is asked for nothing
            _choose(job)
        else:
            job.config = kept
    job.config, job.loaded = with_examples(job.config, job.loaded)


def with_examples(config: Config, loaded: LoadedData) -> tuple[Config, LoadedData]:
    """The settings with the examples that they ask for, and the data without them in training.

    Raises:
        DataError: there are not so many, or one of them is asked outside of training.
    """
    settings, questions = config.template, loaded.questions
    shown = [example.as_question() for example in settings.shown]
    if shown:
        _check_own(questions, shown)
    else:
        shown = draw_examples(questions, settings.examples, seed=config.seed)
        _check_enough(settings.examples, len(shown))
    if not shown:
        return config, loaded
    left = without_examples(questions, shown)
    if not left.counts().get("train"):
        raise DataError(
            expected="training questions beside those that are shown as examples",
            found=f"{len(questions) - len(left)} in all, each of them shown",
            where="template.examples",
            fix="lower it, or bring more training questions",
        )
    gone = len(questions) - len(left)
    note = f"{len(shown)} worked examples before each question; {gone} rows of them left training"
    report = dataclasses.replace(
        loaded.report,
        counts=counts_of(left, loaded.report.counts),
        notes=(*loaded.report.notes, note),
    )
    examples = [ShownExample.of(example).model_dump() for example in shown]
    changes = {"template.shown": examples, "template.examples": len(shown)}
    settled = load_config(None, config.model_dump() | changes)
    return settled, dataclasses.replace(loaded, questions=left, report=report)


def try_prompts(job: Job) -> list[Tried]:
    """Try ways to ask the run's model on training questions; nothing else of the data is looked at.

    Returns:
        What came of each; nothing where its engine cannot change its format, or nothing can be asked.
    """
    config, questions = job.config, job.loaded.questions
    if not hasattr(ENGINES.get(config.model.engine), "in_format"):
        return []
    examples = draw_examples(questions, max(trial.COUNTS), seed=config.seed)
    asked = draw_trial(questions, trial.QUESTIONS, seed=config.seed, shown=examples)
    if not asked:
        return []
    engine: Any = job.engine
    tried = trial.ways(config, engine.formats, examples)
    with job.listener.bar("trying prompts", len(tried) * len(asked), "questions") as advance:
        return trial.try_ways(engine, asked, config, tried, progress=advance)


def _choose(job: Job) -> None:
    """Take the best way to ask."""
    job.tried = try_prompts(job)
    if not job.tried:
        return
    job.config = trial.applied(job.config, trial.best(job.tried).way)
    engine: Any = job.engine
    job.engine = engine.in_format(job.config.model.format)
    job.listener.note(f"{trial.sentence(job.tried)}; --template.* or --model.format sets it by hand")


def _kept(job: Job, *, update: bool) -> Config | None:
    """The settings with the choice that the folder holds; None where ways to ask are to be tried.

    A folder of the same run without a trial, as an earlier version made it, stays without one. With
    ``update`` the choice is made anew where something has changed that it depends on.

    Raises:
        RunFolderError: the folder is another run's.
    """
    path = job.folder.config
    try:
        before = load_config(path) if path.is_file() else None
    except DemurError:
        return None
    if before is None:
        return None
    values = {name: _at(before.model_dump(), name) for name in (*trial.CHOSEN, TRIAL)}
    config = load_config(None, job.config.model_dump() | values)
    if not update:
        job.folder.check_claim(config, update=False)
        return config
    shown = [example.as_question() for example in config.template.shown]
    changed = any(_decides(line) for line in differences(before, config))
    return None if changed or shown_elsewhere(job.loaded.questions, shown) else config


def _decides(difference: str) -> bool:
    """Whether a setting that differs could change which way to ask is the best."""
    return difference.startswith(("model.", "data.", "template.", "judge.rule", "probe.", "seed"))


def _at(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values[part]
    return values


def _check_own(questions: Any, shown: Sequence[Question]) -> None:
    asked = shown_elsewhere(questions, shown)
    if asked:
        raise DataError(
            expected="examples that no calibration or test question asks",
            found="; ".join(map(repr, asked)),
            where="template.shown",
            fix="take other examples, or give only their number (template.examples) to have them drawn; "
            "where an earlier run of this folder drew them, add --update",
        )


def _check_enough(wanted: int, found: int) -> None:
    if found < wanted:
        raise DataError(
            expected=f"{wanted} training questions to show as examples, about nothing that calibration or "
            "test questions ask about",
            found=f"{found}",
            where="template.examples",
            fix=f"lower it to {found}, or write examples of your own under template.shown",
        )
