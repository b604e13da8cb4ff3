"""`demur calibrate`, `analyse` and `export`: what a finished run gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import paragraphs, say
from demur.cli.settings import AsJson


def export(
    run: Annotated[Path, typer.Argument(help="A run folder, or a text_only file of R-Tuning's scripts.")],
    format: Annotated[
        str,
        typer.Option(
            help="trl, llama-factory, axolotl, openai, sharegpt, lmflow or alignment-for-honesty."
        ),
    ] = "trl",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; by default in the run's.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Whose training data; by default the method's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write training data for another trainer, with a card.

    Example: `demur export runs/mine --format llama-factory`
    """
    from demur.core.layout import EXPORTS
    from demur.export import export_run

    folder = out or (run.parent if run.is_file() else run) / EXPORTS / format
    files = export_run(run, format, folder, system=system)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in files]}))
        return
    for path in files:
        say(path)


def calibrate(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    max_error: Annotated[float, typer.Option(help="Largest share of wrong answers to allow.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Probability that the promise is kept.")] = 0.95,
    joint: Annotated[bool, typer.Option("--joint", help="Wrong among all, not among answered.")] = False,
    system: Annotated[str | None, typer.Option(help="By default the run's method.")] = None,
    signal: Annotated[str | None, typer.Option(help="By default the system's own.")] = None,
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to choose from, separated by commas; the promise is corrected for it."),
    ] = None,
    by_group: Annotated[bool, typer.Option("--by-group", help="A threshold for each group.")] = False,
    groups: Annotated[
        str,
        typer.Option(help="Questions to use where several share a group: one of each group, all, or auto."),
    ] = "auto",
    recalibrate: Annotated[
        str,
        typer.Option(help="Also make the signal a probability: temperature, platt, isotonic, or choose."),
    ] = "none",
    as_json: AsJson = False,
) -> None:
    """Find the threshold that keeps wrong answers below a limit, and promise it.

    Example: `demur calibrate runs/mine --max-error 0.05 --confidence 0.95`
    """
    from demur.calibrate.calibrate import calibrate_run
    from demur.report import write_report

    found = calibrate_run(
        run,
        max_error=max_error,
        confidence=confidence,
        risk="joint" if joint else "selective",
        system=system,
        signal=signal,
        signals=[name.strip() for name in signals.split(",") if name.strip()] if signals else (),
        by_group=by_group,
        groups=groups,
        recalibrate=recalibrate,
    )
    write_report(run)
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    more = found.get("recalibration", {}).get("sentences", [])
    say(paragraphs([*found["sentences"], *([""] if more else []), *more]))


def analyse(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    system: Annotated[str | None, typer.Option(help="By default the run's method.")] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="Also open the base model and score the questions' texts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """R-Tuning's analyses: certain and uncertain data, signals side by side, every threshold.

    Example: `demur analyse runs/mine`
    """
    from demur.analyse import analyse_run
    from demur.analyse.page import markdown
    from demur.core.console import print_wide, quiet_libraries
    from demur.runfolder.finished import FinishedRun

    quiet_libraries()
    found = analyse_run(run, system=system, questions=questions)
    for refused in FinishedRun.open(run).refused.values():
        say(f"note: {refused.sentence(run)}", err=True)
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    from rich.markdown import Markdown

    from demur.core.errors import plain

    print_wide(Markdown(plain(markdown(found, run.resolve().name))))
