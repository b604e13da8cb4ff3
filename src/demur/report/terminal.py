"""The before-and-after table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from demur.report import words
from demur.report.legend import Legend, legend, main_metrics

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = 5
"""How many of the main metrics fit a terminal of 80 columns; the report shows the rest."""


def summary_table(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> Table:
    """Every system on the main splits, each figure above its interval.

    Args:
        metrics: the whole of ``metrics.json``.
        manifest: the whole of ``manifest.json``; its order of systems is kept.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    found = metrics["metrics"]
    systems = [*(s for s in manifest.get("systems", {}) if s in found), *found]
    columns = [legend(name) for name in main_metrics()[:COLUMNS]]
    level = metrics.get("settings", {}).get("level", 0.95)
    table = Table(
        box=SIMPLE_HEAD,
        caption=f"{words.percent(level)} intervals below; – is undefined; * is a small sample",
        caption_justify="left",
        padding=(0, 1, 0, 0),
    )
    table.add_column("system", no_wrap=True)
    for column in columns:
        table.add_column(f"{column.title} {column.arrow}".rstrip(), justify="right")
    for split in words.main_splits(
        list(dict.fromkeys(split for cells in found.values() for split in cells))
    ):
        _add_split(
            table, split, {s: found[s][split] for s in dict.fromkeys(systems) if split in found[s]}, columns
        )
    return table


def _add_split(
    table: Table, split: str, systems: Mapping[str, Mapping[str, Any]], columns: list[Legend]
) -> None:
    from rich.text import Text

    table.add_section()
    asked = max(cells.get("coverage", {}).get("n") or 0 for cells in systems.values())
    table.add_row(Text(f"{words.split_title(split)}\nn {asked}", style="bold"))
    for system, cells in systems.items():
        figures = [_cell(column, cells.get(column.name, {})) for column in columns]
        table.add_row(Text(system), *figures)


def _cell(column: Legend, estimate: Mapping[str, Any]) -> Any:
    """A value with its interval below, dimmed."""
    from rich.text import Text

    interval = column.short_interval(estimate.get("low"), estimate.get("high"))
    mark = "*" if estimate.get("small") else ""
    return Text.assemble(f"{column.cell(estimate.get('value'))}{mark}", (f"\n{interval}", "dim"))
