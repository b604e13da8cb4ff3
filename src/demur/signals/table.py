"""All signals as rows, for the command line and the documentation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from demur.signals import SIGNALS

if TYPE_CHECKING:
    from rich.table import Table


def entries() -> list[dict[str, Any]]:
    """One object per signal, JSON values; a bound that is infinite is null."""
    return [
        {
            "name": info.name,
            "summary": info.summary,
            "source": info.source,
            "needs": list(info.needs),
            "cost": info.cost,
            "range": [bound if math.isfinite(bound) else None for bound in info.bounds],
        }
        for info in (signal.info for _, signal in SIGNALS.items())
    ]


def table() -> Table:
    """The main fields for a terminal, below each other so that 80 columns are enough."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    shown.add_column("signal", no_wrap=True)
    shown.add_column("what it is; what it needs; source")
    for row in entries():
        more = f"needs {', '.join(row['needs'])}; {row['source']}"
        shown.add_row(row["name"], Group(Text(row["summary"]), Text(more, style="dim")))
    return shown


def markdown() -> str:
    """The table of the documentation."""
    lines = [
        "| signal | what it is | range | needs | cost | source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in entries():
        low, high = ("∞" if bound is None else f"{bound:g}" for bound in row["range"])
        span = f"{'-' if row['range'][0] is None else ''}{low} … {high}"
        needs = ", ".join(row["needs"])
        lines.append(
            f"| `{row['name']}` | {row['summary']} | {span} | {needs} | {row['cost']} | {row['source']} |"
        )
    return "\n".join(lines)
