"""An estimate as text for a person, at most 80 columns wide."""

from __future__ import annotations

import io
import textwrap
from typing import Any, cast

from rich.console import Console
from rich.table import Table

WIDTH = 80
COUNTS = ("questions", "training_questions", "generations", "tokens_at_most", "training_steps")
"""What is counted, before the table."""


def render(plan: dict[str, Any]) -> str:
    """The estimate: counts, a table by stage, the total, and how it was found."""
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, color_system=None)
    counts = Table.grid(padding=(0, 2))
    for name in (*COUNTS, "model_parameters", "device"):
        counts.add_row(name.replace("_", " "), _value(plan[name]))
    console.print(counts, "")
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("stage", overflow="fold")
    table.add_column("time", justify="right")
    table.add_column("memory", justify="right")
    for name, stage in plan["stages"].items():
        table.add_row(name, duration(stage["seconds"]), size(stage["memory_mb"]))
    total = sum(stage["seconds"] for stage in plan["stages"].values())
    memory = max(stage["memory_mb"] for stage in plan["stages"].values())
    table.add_row("all", duration(total), size(memory), style="bold")
    console.print(table, "")
    for line in sentences(plan):
        console.print(textwrap.fill(line, WIDTH), markup=False)
    shown = cast(io.StringIO, console.file).getvalue().rstrip()
    return "\n".join(line.rstrip() for line in shown.splitlines())


def sentences(plan: dict[str, Any]) -> list[str]:
    """How the estimate was found, and how far to trust it."""
    trial, assumed = plan["trial"], plan["assumed"]
    if "skipped" in trial:
        found = [
            f"No trial: {trial['skipped']}. Time and memory are computed from formulas, as if every answer "
            "had the most tokens: within a factor of a few."
        ]
    else:
        found = [
            f"Measured on {trial['questions']:,} training questions and {trial['steps']:,} training "
            f"steps in {duration(trial['seconds'])}. Time: within a factor of about 1.5, under this "
            "machine's present load. Memory: within about 1.3."
        ]
    found += [f"Assumed: {'; '.join(assumed)}."] if assumed else []
    return [*found, "Nothing was written."]


def duration(seconds: float) -> str:
    """Seconds, minutes, hours or days, whichever suits."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:,.0f} days"


def size(megabytes: float) -> str:
    """Memory in MB, from 1 GB on in GB."""
    return f"{megabytes:.0f} MB" if megabytes < 1024 else f"{megabytes / 1024:,.1f} GB"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in value.items()) or "none"
    return value if isinstance(value, str) else f"{value:,}"
