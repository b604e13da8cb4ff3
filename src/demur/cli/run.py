"""`demur run`, `demo`, every stage by itself, and `status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from demur.cli.output import say
from demur.cli.settings import AsJson, Limit, Update, open_pipeline, read_settings, require_input


def run(
    ctx: typer.Context,
    limit: Limit = None,
    update: Update = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate time and memory, from a short trial, and stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """From a model and questions to an honest model and a report.

    Example: `demur run --model Qwen/Qwen3-4B --data my_qa.jsonl --out runs/mine`
    """
    settings = read_settings(ctx, limit)
    if dry_run:
        from demur.core.console import Terminal, quiet_libraries

        quiet_libraries()
        from demur.pipeline.dryrun import estimate, render

        plan = estimate(settings, note=Terminal().note)
        say(json.dumps(plan, indent=2) if as_json else render(plan))
        return
    require_input(ctx)
    _carry_out(settings, update=update, as_json=as_json)


def fit(
    ctx: typer.Context,
    labels: Annotated[
        int, typer.Option(min=2, help="Labelled questions to use: two thirds fit, a third calibrates.")
    ] = 300,
    before_answering: Annotated[
        bool,
        typer.Option(
            "--before-answering", help="Decline by the question alone, before an answer is generated."
        ),
    ] = False,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Tune the model too; kept only where more of its answers are right."),
    ] = False,
    update: Update = False,
    as_json: AsJson = False,
) -> None:
    """A confidence on every answer of a model, from some hundred labelled questions.

    Nothing is tuned unless asked for. The test part of the data is asked too: the report is about it.

    Example: `demur fit --model Qwen/Qwen3-4B --data my_qa.jsonl --labels 300 --out runs/mine`
    """
    given = [flag for flag, on in (("--before-answering", before_answering), ("--tune", tune)) if on]
    method = {"method": METHOD_OF[given[0]]} if given else {}
    settings = read_settings(ctx, None, preset=FIT | {"data.labels": labels} | method)
    _require_one_method(given, settings.method)
    require_input(ctx)
    _carry_out(settings, update=update, as_json=as_json)


def _require_one_method(given: list[str], method: str) -> None:
    """Refuse two flags that each name a method, and one beside another method."""
    from demur.core.errors import ConfigError

    wanted = {METHOD_OF[flag] for flag in given}
    if wanted and wanted != {method}:
        others = "" if len(given) > 1 else f" and method {method}"
        raise ConfigError(
            expected="one method",
            found=f"{' and '.join(f'{flag} (method {METHOD_OF[flag]})' for flag in given)}{others}",
            where="--method" if others else given[-1],
            fix="leave out one of the two",
        )


METHOD_OF = {"--before-answering": "p-ik", "--tune": "demur"}
"""The methods that flags of `demur fit` stand for, in place of `probe`."""

FIT: dict[str, Any] = {"method": "probe", "baselines": [], "data.calibration": 1 / 3}
"""What `demur fit` sets where the user does not."""


def demo(ctx: typer.Context, update: Update = False, as_json: AsJson = False) -> None:
    """The whole of it on the pocket world, in about a minute on a laptop."""
    from demur.pocket import DEMO_CONFIG

    _carry_out(read_settings(ctx, None, DEMO_CONFIG), update=update, as_json=as_json)


def stage_command(stage: str) -> Callable[..., None]:
    """The command that carries out a run up to a stage."""

    def command(
        ctx: typer.Context,
        limit: Limit = None,
        update: Update = False,
    ) -> None:
        settings = read_settings(ctx, limit)
        require_input(ctx)
        open_pipeline(settings, update=update).run(until=stage)

    return command


def status(
    run: Annotated[Path, typer.Argument(help="A run folder, also one that a process is at work in.")],
    watch: Annotated[bool, typer.Option("--watch", help="Look again until nobody works in it.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a run has done, what it is doing, and how long that will take.

    Example: `demur status runs/mine --watch`
    """
    import time

    from rich.live import Live

    from demur.core.console import print_wide, terminal
    from demur.pipeline.status import render
    from demur.pipeline.status import status as look

    found = look(run)
    if as_json:
        typer.echo(json.dumps(found))
        while watch and found["state"] == "running":
            time.sleep(2)
            found = look(run)
            typer.echo(json.dumps(found))
        return
    if not watch:
        print_wide(render(found))
        return
    with Live(render(found), console=terminal(), auto_refresh=False) as live:
        while found["state"] == "running":
            time.sleep(2)
            found = look(run)
            live.update(render(found), refresh=True)


def _carry_out(settings: Any, *, update: bool, as_json: bool) -> None:
    folder = open_pipeline(settings, update=update).run()
    from demur.runfolder.finished import FinishedRun

    run = FinishedRun.open(folder.root)
    if as_json:
        typer.echo(json.dumps({"run": str(folder.root), "report": str(folder.report), **run.metrics}))
        return
    from demur.core.console import print_shown
    from demur.report import controlled, headline, summary_table

    print_shown(summary_table(run.metrics, run.manifest))
    known = [sentence for part in controlled(run.metrics, run.manifest) for sentence in part.sentences]
    told = headline(run.metrics, run.manifest, run.guarantee)
    print_shown(*(f"• {sentence}" for sentence in (*told, *known)))
    say(f"\nreport: {folder.report}")
