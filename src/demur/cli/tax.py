"""`demur tax` and `demur export-tasks`: what tuning cost elsewhere, and our questions for lm-eval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import say

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")]


def tax(
    run: Annotated[Path, typer.Argument(help="A run folder with a tuned model.")],
    system: Annotated[str | None, typer.Option(help="By default the run's method.")] = None,
    tasks: Annotated[
        str | None,
        typer.Option(
            help="lm-eval's task names, `pocket`, or question files, with commas between; by default "
            "`pocket` for a pocket model, else arc_easy,hellaswag,mmlu,gsm8k."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="So many documents of each task only: a trial.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The alignment tax: what the tuned model lost on tasks that it was not tuned for.

    Example: `demur tax runs/mine --tasks arc_easy,gsm8k --limit 200`
    """
    from demur.core.console import Terminal, print_wide, quiet_libraries

    quiet_libraries()
    from demur.tax import measure_tax
    from demur.tax.terminal import tables

    names = tasks.replace(",", " ").split() if tasks else ()
    found = measure_tax(run, system=system, tasks=names, limit=limit, note=Terminal().note)
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    print_wide(*tables(found))


def export_tasks(
    source: Annotated[str, typer.Argument(help="A run folder, a question file, or a dataset's name.")],
    path: Annotated[Path | None, typer.Option(help="The dataset's file or folder.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default exports/lm-eval in the run.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Of a run: as whom to ask; by default the method.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the questions as tasks that lm-evaluation-harness runs, judged as Demur judges.

    Example: `demur export-tasks runs/mine`
    """
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.tax import export_tasks as write

    files = write(source, out, path=path, system=system)
    if as_json:
        typer.echo(json.dumps({"files": [str(file) for file in files]}))
        return
    for file in files:
        say(file)
