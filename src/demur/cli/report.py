"""`demur report`: the page of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import say
from demur.cli.settings import AsJson, Limit, Update, open_pipeline, parse, read_settings, require_input
from demur.core.errors import ConfigError, RunFolderError


def report(
    ctx: typer.Context,
    show: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
    csv: Annotated[
        Path | None, typer.Option(help="Also write every table and figure to this folder as CSV.")
    ] = None,
    limit: Limit = None,
    update: Update = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a finished run's folder anew; of a configuration, make what it needs first.

    Example: `demur report runs/mine --open`
    """
    from demur.report import write_csv, write_report
    from demur.runfolder.finished import FinishedRun

    folder, given = parse(ctx.args)
    if folder is not None and folder.is_dir():
        if given or limit is not None or update:
            raise ConfigError(
                expected=f"no settings beside the finished run {folder}",
                found=", ".join(f"--{name}" for name in given) or "--limit or --update",
                where="the command line",
                fix="leave them out, or give a configuration in place of the run's folder",
            )
        page = write_report(folder)
        for refused in FinishedRun.open(folder).refused.values():
            say(f"note: {refused.sentence(folder)}", err=True)
    else:
        if folder is not None and not folder.is_file():
            raise RunFolderError(
                expected="the folder of a finished run, or a configuration file",
                found="no such file or folder",
                where=str(folder),
                fix="check the path; `demur run --out FOLDER` writes a run",
            )
        if folder is None:
            require_input(ctx)
        made = open_pipeline(read_settings(ctx, limit), update=update).run(until="report")
        folder, page = made.root, made.report
    files = write_csv(folder, csv) if csv else []
    if as_json:
        typer.echo(json.dumps({"report": str(page), "csv": [str(path) for path in files]}))
    else:
        for path in [page, *files]:
            say(path)
    if show and not open_page(page):
        say("no browser could be started: open the file yourself", err=True)


def open_page(page: Path) -> bool:
    """Show a page in the user's browser; False where there is none."""
    import webbrowser

    return webbrowser.open(page.resolve().as_uri())
