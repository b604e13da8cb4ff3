"""`demur atlas`: questions about real places and elements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import say
from demur.cli.settings import AsJson

atlas_app = typer.Typer(
    no_args_is_help=True, help="Atlas: real facts with the popularity of their subject."
)


@atlas_app.callback()
def root() -> None:
    """Keep `build` a command of its own name while it is the only one."""


@atlas_app.command("build")
def build(
    out: Annotated[Path, typer.Option(help="Folder for the questions.")],
    seed: Annotated[int, typer.Option(help="Draws parts, entities and invented names.")] = 0,
    per_relation: Annotated[
        int | None,
        typer.Option(help="At most N questions per relation and part; default: equal sizes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build questions about cities, countries and elements.

    Example: `demur atlas build --out data/atlas`
    """
    from demur.atlas import build_atlas

    built = build_atlas(out, seed=seed, per_relation=per_relation)
    if as_json:
        typer.echo(json.dumps({"folder": str(built.folder), **built.summary}, ensure_ascii=False))
        return
    say(built.table())
    say(f"written: {built.folder}")
    say(f"next: demur data show atlas --path {built.folder}")
