"""`demur methods`, `metrics` and `signals`: what there is to choose from."""

from __future__ import annotations

import json

import typer

from demur.cli.settings import AsJson


def list_metrics(as_json: AsJson = False) -> None:
    """Every metric: what it needs, its range, which way is better, when it is undefined."""
    from demur.metrics import describe

    if as_json:
        typer.echo(json.dumps(describe(), indent=2))
        return
    from demur.core.console import print_shown
    from demur.scoring.tables import metrics_table

    print_shown(metrics_table())


def methods(as_json: AsJson = False) -> None:
    """Every method: what it needs, what it trains on, what it costs, where it deviates from its paper."""
    from demur.methods.table import entries, table

    if as_json:
        typer.echo(json.dumps(entries(), indent=2))
        return
    from demur.core.console import print_shown

    print_shown(table())


def list_signals(as_json: AsJson = False) -> None:
    """Every confidence signal: what it is, what it needs, where it comes from."""
    from demur.signals.table import entries, table

    if as_json:
        typer.echo(json.dumps(entries(), indent=2))
        return
    from demur.core.console import print_shown

    print_shown(table())
