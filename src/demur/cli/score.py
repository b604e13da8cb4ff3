"""`demur score`: anybody's outputs, measured without a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demur.cli.files import AnsweredOptions, field_option
from demur.cli.settings import AsJson, as_command, name_values
from demur.core.errors import ConfigError

if TYPE_CHECKING:
    from demur.core.config import EndpointSettings
    from demur.scoring import Outputs


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(AnsweredOptions):
    """What `demur score` is given."""

    outputs: Annotated[Path, typer.Argument(help="Rows with question, answers and response.")]
    before: Annotated[Path | None, typer.Option(help="The same, of the untuned system.")] = None
    response_field: Annotated[str | None, field_option("response", "response")] = None
    confidence_field: Annotated[str | None, field_option("confidence", "confidence")] = None
    abstained_field: Annotated[str | None, field_option("abstained", "truth value: did it decline?")] = None
    rows: Annotated[
        Path | None, typer.Option(help="Write every row with its verdict and the answer that was judged.")
    ] = None
    metrics: Annotated[str | None, typer.Option(help="Only these metrics, separated by commas.")] = None
    resamples: Annotated[int, typer.Option(help="Bootstrap draws; 0 for no intervals.", min=0)] = 1000
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0
    judge_url: Annotated[
        str | None, typer.Option(help="Let a model judge: an OpenAI-compatible server's address.")
    ] = None
    judge_model: Annotated[str | None, typer.Option(help="The judge's name there.")] = None
    judge_key_env: Annotated[
        str | None, typer.Option(help="The environment variable that holds its key.")
    ] = None
    judge_set: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE: another setting of judge.llm, such as price_in=0.15; repeatable."),
    ] = None
    as_json: AsJson = False


def measure(given: ScoreOptions) -> None:
    """Measure anybody's outputs: every metric that their fields allow, with intervals.

    No model is needed; one that judges may be named.

    Example: `demur score answers.jsonl --before base.jsonl`
    """
    from demur.scoring import judged, read_outputs, require_new, write_rows
    from demur.scoring import score as computed

    judge = _judge(given.judge_url, given.judge_model, given.judge_key_env, given.judge_set or [])
    options, resamples, seed = given.options(), given.resamples, given.seed
    if given.rows is not None:
        require_new(given.rows)

    def read(path: Path, *, keep: bool = False) -> Outputs:
        read = read_outputs(path, keep=keep or judge is not None, options=options)
        if judge is None:
            return read
        from demur.core.console import Terminal

        with Terminal().bar(f"{judge.model} judges", len(read), "responses") as advance:
            return judged(read, judge, resamples=resamples, seed=seed, progress=advance)

    names = given.metrics.replace(",", " ").split() if given.metrics else None
    untuned = read(given.before) if given.before else None
    scored = read(given.outputs, keep=given.rows is not None)
    found = computed(scored, untuned, metrics=names, resamples=resamples, seed=seed)
    if given.rows is not None:
        write_rows(scored, given.rows)
    if given.as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    from demur.core.console import print_wide
    from demur.scoring.tables import tables

    print_wide(*tables(found))


score = as_command(measure, ScoreOptions)


def _judge(
    url: str | None, model: str | None, key_variable: str | None, more: list[str]
) -> EndpointSettings | None:
    """The model that judges; None where a rule does."""
    from demur.core.config import load_config

    given = {"base_url": url, "model": model, "key_variable": key_variable}
    given = {name: value for name, value in given.items() if value is not None}
    fix = "`demur run --help` lists the settings of judge.llm"
    given |= name_values(more, "--judge-set", example="price_in=0.15", fix=fix)
    settings = load_config(None, {f"judge.llm.{name}": value for name, value in given.items()}).judge.llm
    if given and settings.base_url is None:
        raise ConfigError(
            expected="the judge's address and name with its other settings",
            found=", ".join(given),
            where="the command line",
            fix="give --judge-url and --judge-model, or nothing of the judge",
        )
    return settings if given else None
