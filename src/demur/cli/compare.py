"""`demur study` and `compare`: many runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import say
from demur.cli.settings import AsJson


def study(
    config: Annotated[Path, typer.Argument(help="The study: out, seeds, jobs, run, datasets.")],
    out: Annotated[Path | None, typer.Option(help="Another folder than the study's own.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Runs at once.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Methods x seeds x datasets: every run, several at once, and their comparison.

    Example: `demur study examples/study-pocket.yaml`
    """
    from demur.core.console import Terminal
    from demur.pipeline.study import failures, load_study, run_study

    given = {name: value for name, value in (("out", out), ("jobs", jobs)) if value is not None}
    settings = load_study(config, given)
    outcomes = run_study(settings, note=Terminal().note)
    problem = failures(outcomes)
    if problem is None:
        _compare([outcome.job.config.out for outcome in outcomes], settings.out, None, as_json=as_json)
    else:
        raise problem


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders that hold runs.")],
    out: Annotated[Path | None, typer.Option(help="Write compare.json and compare.html there.")] = None,
    against: Annotated[str | None, typer.Option(help="A system to compare all others with.")] = None,
    page: Annotated[Path | None, typer.Option(help="Also write a page in Markdown there.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the tables to this folder as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """One table for many runs: means and intervals over seeds, paired differences."""
    _compare(runs, out, against, page=page, csv=csv, as_json=as_json)


def _compare(
    runs: list[Path],
    out: Path | None,
    against: str | None,
    *,
    page: Path | None = None,
    csv: Path | None = None,
    as_json: bool,
) -> None:
    from demur.compare import collect, markdown, summarise, tables, write_csv, write_page
    from demur.core.files import write_json, write_text
    from demur.runfolder.folder import find_runs

    summary = summarise([collect(path) for path in find_runs(runs)], against=against)
    if out is not None:
        write_json(out / "compare.json", summary)
        write_page(summary, out / "compare.html")
    if csv is not None:
        write_csv(summary, csv)
    if page is not None:
        command = f"demur compare {' '.join(map(str, runs))}"
        write_text(page, markdown(summary, title=f"Comparison: {page.stem}", command=command))
    if as_json:
        typer.echo(json.dumps(summary))
        return
    from demur.core.console import print_wide

    notice = "always refusing scores 100% prudence and 50% honesty: read no column alone"
    print_wide(*tables(summary), notice)
    if out is not None:
        say(f"\ncomparison: {out / 'compare.html'}")
