"""`demur study`, `compare` and `claims`: many runs."""

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


def claims(
    out: Annotated[Path, typer.Option(help="Folder of the runs; what is done there is kept.")] = Path(
        "runs/claims"
    ),
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=2)] = 5,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two seeds, few questions: a look, no proof.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Runs at once.", min=1)] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the page there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every claim of the papers on the pocket world, each with an interval and a verdict."""
    import time

    from demur.claims.claims import as_json as to_json
    from demur.claims.claims import check_claims, make_runs, tables
    from demur.claims.page import markdown
    from demur.core.console import Terminal
    from demur.core.files import write_text
    from demur.pipeline.study import failures

    chosen = list(range(2 if quick else seeds))
    folder = out / "quick" if quick else out
    started = time.monotonic()
    problem = failures(make_runs(folder, chosen, quick=quick, jobs=jobs, note=Terminal().note))
    if problem is not None:
        raise problem
    minutes = (time.monotonic() - started) / 60
    findings = check_claims(folder, chosen, quick=quick)
    command = f"demur claims --seeds {len(chosen)}" + (" --quick" if quick else "")
    text = markdown(
        findings,
        seeds=chosen,
        command=command,
        minutes=minutes if minutes > 1 else None,
        tables=tables(folder, chosen),
    )
    write_text(folder / "claims.md", text)
    if page is not None:
        write_text(page, text)
    if as_json:
        typer.echo(json.dumps(to_json(findings)))
        return
    from rich.markdown import Markdown

    from demur.core.console import print_shown
    from demur.core.errors import plain

    print_shown(Markdown(plain(text)))
