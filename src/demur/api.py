"""The library's own verbs: the command line's, in a line of Python each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.core.config import Config, load_config
from demur.core.progress import Listener
from demur.core.records import Probe, Question
from demur.core.trust import load_own_config
from demur.datasets import given
from demur.methods import METHODS
from demur.pipeline.pipeline import Pipeline
from demur.pipeline.prompts import TRIAL, left_open
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder

GivenQuestions = Iterable[Question | Mapping[str, Any]]


def run(
    config: Config | Path | str | None = None,
    *,
    questions: GivenQuestions | None = None,
    listener: Listener | None = None,
    update: bool = False,
    **settings: Any,
) -> RunFolder:
    """From a model and questions to an honest model and a report.

    Args:
        config: a configuration, or a YAML file that holds one.
        questions: the questions themselves instead of a file: objects with its fields, or `Question`s.
        listener: who is told how it gets on; nobody by default.
        update: redo what a changed configuration changes, where the folder holds another run.
        settings: settings that go over it; sections as mappings, such as ``training={"epochs": 2}``.

    With a model and no configuration, ways to ask it are tried first, see `demur.pipeline.prompts`.

    Raises:
        DemurError: anything the caller can mend.

    Example:
        >>> folder = demur.run(model={"path": "Qwen/Qwen3-4B"}, data={"name": "qa.jsonl"}, out="runs/mine")
        >>> folder.report
    """
    return Pipeline(_resolve(config, settings, questions), listener=listener, update=update).run()


def probe(
    config: Config | Path | str | None = None,
    *,
    questions: GivenQuestions | None = None,
    listener: Listener | None = None,
    update: bool = False,
    **settings: Any,
) -> list[Probe]:
    """Ask a model what it knows: one row per question, in the order of the data.

    The arguments are those of `run`; the rows also stand in the run folder.
    """
    settled = _resolve(config, settings, questions)
    folder = Pipeline(settled, listener=listener, update=update).run(until="probe")
    return list(FinishedRun.open(folder.root, evaluated=False).probes)


def tune(
    config: Config | Path | str | None = None,
    *,
    questions: GivenQuestions | None = None,
    listener: Listener | None = None,
    update: bool = False,
    **settings: Any,
) -> Path:
    """Probe a model, build the training data and tune it, without measuring.

    The arguments are those of `run`, which goes on from there.

    Returns:
        The tuned model's folder; ``demur.load`` opens it.

    Raises:
        DemurError: anything the caller can mend.
    """
    settled = _resolve(config, settings, questions)
    folder = Pipeline(settled, listener=listener, update=update).run(until="train")
    info = METHODS.get(settled.method_of(settled.method)).info
    return folder.model(info.owner(settled.method))


def score(
    outputs: Path | str,
    before: Path | str | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    metrics: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure anybody's outputs: every metric that their fields allow, with intervals; no model is needed.

    Args:
        outputs: file of rows with question, answers and response.
        before: the same of the untuned system.
        fields: names of both files' fields by what they hold (``question``, ``answers``, ``response``,
            ``id``, ``confidence``); the others are guessed.
        metrics: names of metrics; by default all.
        resamples: bootstrap draws.

    Returns:
        ``metrics`` by name (``value``, ``low``, ``high``, ``n``, ``unscored``), ``tables``, ``policies``,
        and why others are missing (``not_computed``); see `demur.scoring.score`.

    Raises:
        DataError: the file cannot be read as outputs, or no row can be judged.
    """
    from demur.scoring import read_outputs
    from demur.scoring import score as measure

    untuned = None if before is None else read_outputs(Path(before), fields=fields or {})
    read = read_outputs(Path(outputs), fields=fields or {})
    return measure(read, untuned, metrics=metrics, resamples=resamples, seed=seed)


def _resolve(
    config: Config | Path | str | None, settings: Mapping[str, Any], questions: GivenQuestions | None
) -> Config:
    if questions is not None:
        settings = {**settings, "data": {**settings.get("data", {}), "path": given.save(questions)}}
    if isinstance(config, Config):
        return load_config(None, {**config.model_dump(), **_dotted(settings)})
    values = _dotted(settings)
    if not config and left_open(values):
        values[TRIAL] = True
    return load_own_config(Path(config) if config else None, values)


def _dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Sections as dotted names, so that they go over single settings and not over whole sections."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and name not in ("overrides", "stages"):
            flat |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            flat[name] = value
    return flat
