"""`demur verify`: whether the files of a run are those that it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from demur.cli.output import say
from demur.cli.settings import AsJson

STYLES = {"whole": "dim", "changed": "bold red", "missing": "bold red", "additional": "yellow"}


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    accept: Annotated[
        bool, typer.Option("--accept", help="Record the files as they are now, changed ones too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that every file of a run is as it was written.

    Exit code 0 if every file is whole, 2 if one is changed or missing. Additional files do not count.

    Example: `demur verify runs/mine`
    """
    from demur.runfolder.manifest import accept as record
    from demur.runfolder.verify import verify as look

    if accept:
        record(run)
    found = look(run)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _show(found)
    if not found["whole"]:
        raise typer.Exit(2)


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table

    from demur.core.console import print_wide, safe

    table = Table(box=None, show_header=False)
    for name, state in found["files"].items():
        table.add_row(safe(state, STYLES[state]), safe(name))
    print_wide(table)
    if found["manifest"] is not None:
        say(f"manifest.json cannot be used: {found['manifest']}")
    counts = ", ".join(f"{count} {state}" for state, count in found["counts"].items() if count)
    signed = "signed by you" if found["signed"] else "not signed by you"
    say("; ".join(part for part in (counts, signed) if part))
