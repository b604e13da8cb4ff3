"""All methods and baselines as rows, for the command line and the documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from demur.methods import METHODS
from demur.methods.base import MethodInfo
from demur.methods.baselines import BASELINES

if TYPE_CHECKING:
    from rich.table import Table


def infos() -> Iterator[MethodInfo]:
    """What is known of every method, then of every baseline that no run needs to name."""
    for _, method in METHODS.items():
        yield method.info
    yield dataclasses.replace(
        METHODS.get("pretrain-t").info,
        name="pretrain",
        summary="the model before tuning; rows pretrain-t (all questions) and pretrain-w (willing ones)",
    )
    yield from BASELINES.values()


def entries() -> list[dict[str, Any]]:
    """One object per method, JSON values."""
    return [
        {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(info).items()
        }
        for info in infos()
    ]


def table() -> Table:
    """The main columns for a terminal."""
    from rich.table import Table

    shown = Table(box=None, header_style="dim")
    for column in ("method", "what it does", "paper", "needs"):
        shown.add_column(column)
    for info in infos():
        shown.add_row(info.name, info.summary, info.paper, ", ".join(info.needs) or "–")
    return shown


def markdown() -> str:
    """The table of the documentation."""
    lines = [
        "| method | what it does | paper | needs | loss | cost |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{i.name}` | {i.summary} | {i.paper} | {', '.join(i.needs) or '–'} | {i.loss} | {i.cost} |"
        for i in infos()
    ]
    return "\n".join(lines)


def deviations() -> str:
    """Every deviation from a paper, by method, for the documentation."""
    return "\n".join(
        f"- `{info.name}`: " + "; ".join(info.deviations) + "."
        for info in infos()
        if info.deviations and info.name not in ("pretrain",)
    )
