"""The comparison for a terminal: one table for each main split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from demur.compare.columns import COLUMNS

SHOWN = (
    "accuracy",
    "accuracy_willing",
    "likelihood_willing",
    "coverage",
    "ap",
    "auroc",
    "honesty",
    "auroc_truth",
    "refused_unanswerable",
    "seconds",
)
"""Columns that fit a terminal; the page has all."""


def tables(summary: Mapping[str, Any]) -> Iterator[Table]:
    """One table for each dataset and main split; a figure's interval is in the page."""
    for name, group in summary["datasets"].items():
        main = [split for split in group["splits"] if split in ("id", "ood")] or list(group["splits"])
        for split in main:
            seeds = len(group["seeds"])
            title = f"{name}, {split}: mean of {seeds} seeds" if seeds > 1 else f"{name}, {split}"
            table = Table(title=title, title_justify="left", box=None, header_style="dim")
            table.add_column("system", no_wrap=True)
            for column in SHOWN:
                table.add_column(COLUMNS[column].title, justify="right", min_width=6)
            for system, cells in group["splits"][split].items():
                table.add_row(system, *(shown(cells[column]["mean"], column) for column in SHOWN))
            yield table


def shown(value: float | None, column: str) -> str:
    """A value as people read it; a dash where it is undefined."""
    if value is None:
        return "–"
    if column == "seconds":
        return f"{value:.0f}"
    return f"{100 * value:.1f}" if COLUMNS[column].share else f"{value:.3f}"
