"""The alignment tax as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demur.report.tax import headline, tax_rows
from demur.report.words import percent

if TYPE_CHECKING:
    from rich.console import RenderableType

COLOURS = {"better": "green", "worse": "red"}


def tables(tax: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Every metric of both models with the paired difference, and the finding in a sentence."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    level = percent(tax["settings"]["level"])
    table = Table(
        box=SIMPLE_HEAD,
        caption=f"differences are paired, shares in points, with {level} intervals; lost / gained: right "
        "before and wrong now / the other way",
        caption_justify="left",
    )
    for title in ("task", "metric"):
        table.add_column(title)
    for title in ("n", "base", tax["system"], "difference", "lost / gained", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for row in tax_rows(tax):
        said = Text(row.tone if row.tone != "neither" else "", style=COLOURS.get(row.tone, "dim"))
        figures = (row.n, row.base, row.tuned, row.difference, row.moved)
        table.add_row(row.task, f"{row.metric} {row.arrow}".rstrip(), *figures, said)
    yield table
    yield headline(tax)
