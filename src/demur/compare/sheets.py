"""The comparison's tables as CSV files; the page's links hold the same text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demur.report.sheets import Sheet, Value, short, write_sheets

FIGURES = ("mean", "low", "high", "n")


def sheets(summary: Mapping[str, Any]) -> list[Sheet]:
    """Every value, every value of every seed, the paired differences, and the answers by reads."""
    return [
        Sheet(
            name="values",
            columns=("dataset", "split", "system", "column", *FIGURES),
            rows=[(*names, *_figures(cell)) for names, cell in _cells(summary)],
        ),
        Sheet(
            name="seeds",
            columns=("dataset", "split", "system", "column", "seed", "value"),
            rows=list(_seeds(summary)),
        ),
        Sheet(
            name="differences",
            columns=("dataset", "split", "column", "system", "against", *FIGURES, "p_holm", "fair"),
            rows=list(_differences(summary)),
        ),
        Sheet(
            name="reads",
            columns=("dataset", "system", "group_and_reads", "n", "answered", "accuracy_willing"),
            rows=list(_reads(summary)),
        ),
    ]


def write_csv(summary: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write each table to ``folder/NAME.csv``, atomically."""
    return write_sheets(sheets(summary), folder)


def _figures(cell: Mapping[str, Any]) -> tuple[Value, ...]:
    return (*(short(cell[key]) for key in FIGURES[:-1]), cell["n"])


def _cells(summary: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str, str], Mapping[str, Any]]]:
    for dataset, group in summary["datasets"].items():
        for split, systems in group["splits"].items():
            for system, cells in systems.items():
                for column, cell in cells.items():
                    yield (dataset, split, system, column), cell


def _seeds(summary: Mapping[str, Any]) -> Iterator[tuple[Value, ...]]:
    for names, cell in _cells(summary):
        seeds = summary["datasets"][names[0]]["seeds"]
        for seed, value in zip(seeds, cell["values"], strict=True):
            yield (*names, seed, short(value))


def _differences(summary: Mapping[str, Any]) -> Iterator[tuple[Value, ...]]:
    for dataset, group in summary["datasets"].items():
        for item in group["differences"]:
            names = (dataset, item["split"], item["metric"], item["system"], item["against"])
            yield (*names, *_figures(item), short(item["p_holm"]), item["fair"])


def _reads(summary: Mapping[str, Any]) -> Iterator[tuple[Value, ...]]:
    for dataset, group in summary["datasets"].items():
        for system, cells in group["truth"]["reads"].items():
            for name, cell in cells.items():
                figures = (short(cell[key]["mean"]) for key in ("n", "answered", "accuracy_willing"))
                yield (dataset, system, name, *figures)
