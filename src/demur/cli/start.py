"""`demur init`, `doctor` and `pocket build`: before a first run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.files import FileOptions
from demur.cli.output import say
from demur.cli.settings import AsJson, as_command, parse


@dataclass(frozen=True, kw_only=True)
class InitOptions(FileOptions):
    """What `demur init` is given."""

    ctx: typer.Context
    data: Annotated[str, typer.Argument(help="Question file, or a dataset's name.")]
    out: Annotated[Path, typer.Option(help="Configuration to write.")] = Path("demur.yaml")
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False


def start(given: InitOptions) -> None:
    """Look at a question file and write a commented configuration for it.

    Any setting of `demur run` can be given too, and stands in the configuration: `--data.test 0.3`.

    With `--model NAME`, prompt formats and numbers of examples are tried on 32 training questions: the
    table is printed, the best is written. Nothing is tried where `--model.format` or `--template.*` is
    given.
    """
    from demur.cli.init import write_config
    from demur.core.console import Terminal, quiet_libraries

    quiet_libraries()

    _, settings = parse(given.ctx.args)
    settings |= {f"data.{name}": value for name, value in given.given().items()}
    say(write_config(given.data, given.out, settings, force=given.force, listener=Terminal()))


init = as_command(start, InitOptions)


def doctor(as_json: AsJson = False) -> None:
    """What this machine has, and what is missing for what."""
    from demur.cli.doctor import examine, render

    found = examine()
    say(json.dumps(found, indent=2) if as_json else render(found))


def pocket_build(
    out: Annotated[Path, typer.Option(help="Folder for the model.")] = Path("runs/pocket"),
    seed: Annotated[int, typer.Option(help="Draws the world and the model anew.")] = 0,
    name: Annotated[
        str, typer.Option(help="pocket, pocket-2, pocket-2-small, pocket-2-large or pocket-reader.")
    ] = "pocket",
    facts: Annotated[
        list[str] | None,
        typer.Option(
            help="A question file, or DATASET:PATH, whose facts the model reads instead; may be repeated."
        ),
    ] = None,
) -> None:
    """Train a small model that has read some facts often, some once, some never."""
    from demur.cli.init import build_pocket
    from demur.core.console import Terminal

    say(build_pocket(out, name=name, seed=seed, facts=facts or [], listener=Terminal()))
