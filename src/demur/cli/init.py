"""What starts things off: a configuration for a question file, a pocket model for some facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from demur.core.config import Config, DataSettings, Section, load_config
from demur.core.errors import DataError, RunFolderError, UnknownNameError
from demur.core.files import write_text
from demur.core.progress import Listener, steps_bar
from demur.core.questions import QuestionTable
from demur.datasets import DATASETS, LoadedData, load_questions
from demur.datasets.hub import is_address
from demur.datasets.loading import prepare, read_source
from demur.datasets.rows import DATASET
from demur.datasets.sizes import promise_needs, small_parts
from demur.knowledge import trial
from demur.knowledge.trial import Tried
from demur.pipeline.job import Job
from demur.pipeline.prompts import left_open, try_prompts

SHOWN = {
    "data",
    "model.path",
    "model.format",
    "template.family",
    "template.refusal",
    "template.examples",
    "probe.samples",
    "probe.max_new_tokens",
    "judge.rule",
    "knowledge.estimator",
    "r_tuning.loss",
    "r_tuning.threshold",
    "training.lora",
    "training.lora_rank",
    "training.learning_rate",
    "training.epochs",
    "training.batch_size",
}
"""Settings that a first configuration shows; the others keep their defaults."""


def write_config(
    data: str,
    out: Path,
    settings: Mapping[str, Any] | None = None,
    *,
    force: bool = False,
    listener: Listener | None = None,
) -> str:
    """Look at a question file and write a commented configuration for it.

    Where the settings name a model but not how it is asked, ways to ask are tried on training questions,
    and the best stands in the configuration.

    Args:
        settings: settings that the configuration is to have, by dotted name.
        listener: who is told how the trial gets on.

    Returns:
        What was found and what to do next, for a person.

    Raises:
        ConfigError: a setting is unknown, or does not fit.
        DataError: the file cannot be read as questions.
        ModelError: the model that is to be tried cannot be opened.
        RunFolderError: ``out`` exists.
    """
    if data not in DATASETS and not is_address(data) and not Path(data).exists():
        raise DataError(
            expected="a question file, or a dataset's name",
            found="no such file",
            where=data,
            fix="check the path; `demur data list` lists the datasets",
        )
    if out.exists() and not force:
        raise RunFolderError(
            expected="a file that is not there yet",
            found=f"{out} exists",
            where=str(out),
            fix="choose another with --out, or write over it with --force",
        )
    named = data in DATASETS and "data.name" not in (settings or {})
    source = {"data.name" if named else "data.path": data}
    config = load_config(None, {"out": f"runs/{Path(data).stem}", **source, **(settings or {})})
    read = read_source(config.data, seed=config.seed)
    if read.dataset.name != DATASET and config.data.name is None:  # recognised: the run must read it so too
        config = load_config(None, {**config.model_dump(), "data.name": read.dataset.name})
    loaded = prepare(read, config.data, seed=config.seed)
    found = try_prompts(_job(config, loaded, listener)) if left_open(settings or {}) else []
    config = trial.applied(config, trial.best(found).way, shown=False) if found else config
    write_text(out, "\n".join([f"# demur run {out}", *_how_chosen(found), "", *_commented(config)]) + "\n")
    first, counts = loaded.questions[0], loaded.report.counts
    first_step = "" if "model.path" in (settings or {}) else "set model.path there, then "
    return "\n".join(
        [
            *loaded.report.lines(),
            *(f"  ! {sentence}" for sentence in (*small_parts(counts), *promise_needs(counts))),
            f"first question: {first.text!r}, accepted: {list(first.answers)!r}",
            *_trial_lines(found),
            f"written: {out}",
            f"next: {first_step}`demur run {out} --limit 200 --out runs/trial` for a trial",
        ]
    )


def _job(config: Config, loaded: LoadedData, listener: Listener | None) -> Job:
    """A job that asks a model before there is a run."""
    job = Job(config, listener=listener)
    job.loaded = loaded
    return job


def _trial_lines(found: Sequence[Tried]) -> list[str]:
    """What was tried and chosen, for a person."""
    if not found:
        return []
    heading = f"tried on {found[0].n} training questions:"
    return [heading, *(f"  {line}" for line in trial.table(found)), trial.sentence(found)]


def _how_chosen(found: Sequence[Tried]) -> list[str]:
    """The same as comments of the configuration."""
    return ["#", *(f"# {line}" for line in _trial_lines(found))] if found else []


def build_pocket(
    out: Path, *, seed: int, facts: Sequence[str], listener: Listener, name: str = "pocket"
) -> str:
    """Train a pocket model, on its pocket world or on the facts of question files.

    Args:
        name: one of `demur.pocket.POCKET_MODELS`; of no account where facts are given.

    Returns:
        What was built and how well it knows its facts, for a person.

    Raises:
        UnknownNameError: there is no such pocket model.
    """
    from demur.pocket import POCKET_MODELS, build
    from demur.pocket.world import make_world

    if name not in POCKET_MODELS:
        raise UnknownNameError("pocket model", name, POCKET_MODELS, "--name")

    with steps_bar(listener, "reading") as progress:
        if facts:
            questions = [question for path in facts for question in _facts(path)]
            report = build.build_from_facts(questions, out, seed=seed, progress=progress)
        else:
            model = POCKET_MODELS[name]
            world = make_world(seed, model.world)
            report = build.build_model(
                out, seed=seed, world=world, settings=model.settings, progress=progress
            )
    shares = ", ".join(f"{reads}: {share:.1%}" for reads, share in report.accuracy_by_reads.items())
    return (
        f"{report.parameters:,} parameters, {report.steps:,} steps in {report.seconds:.0f} s\n"
        f"accuracy by reads an epoch: {shares}\nwritten: {out}"
    )


def _facts(source: str) -> QuestionTable:
    """Questions of a file, or of ``DATASET:PATH`` for a dataset in its published format."""
    name, colon, path = source.partition(":")
    if colon and name in DATASETS:
        settings = DataSettings(name=name, path=Path(path), leaks="keep")
    else:
        settings = DataSettings(name="file", path=Path(source), leaks="keep")
    return load_questions(settings).questions


def _commented(config: Config) -> list[str]:
    """The shown settings as YAML, each with its meaning beside it."""
    lines: list[str] = []
    for name, info in Config.model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Section):
            chosen = _section(name, value)
            lines += ["", f"{name}:", *chosen] if chosen else []
        elif name not in ("overrides", "stages"):
            lines.append(f"{_pair(name, value)}  # {info.description}")
    return lines


def _section(name: str, section: BaseModel) -> list[str]:
    lines = []
    for field, info in type(section).model_fields.items():
        value = getattr(section, field)
        given = value != info.get_default(call_default_factory=True)
        if f"{name}.{field}" in SHOWN or given:
            lines.append(f"  {_pair(field, value)}  # {info.description}")
    return lines


def _pair(name: str, value: Any) -> str:
    text = yaml.safe_dump(_json(value), default_flow_style=True, allow_unicode=True, width=1000)
    return f"{name}: {text.removesuffix('...' + chr(10)).strip()}"


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value
