"""The card of an export: how the data was made, what is in it, and what a trainer does with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from demur.core.markdown import code, plain
from demur.core.records import Example
from demur.core.version import __version__
from demur.export.base import Format, Material


def card(material: Material, form: Format, files: Sequence[Path]) -> str:
    """The card, in Markdown."""
    return "\n".join(_lines(material, form, files)) + "\n"


def _lines(material: Material, form: Format, files: Sequence[Path]) -> Iterator[str]:
    yield f"# Training data of {plain(material.system)}, for {form.tool}"
    yield ""
    yield f"{material.about} Written by Demur {__version__}."
    yield from ("", "## Files", "")
    yield from (f"- {code(path.name)}" for path in files)
    yield from (f"- stage {code(stage)}: {_counts(rows)}" for stage, rows in material.stages.items())
    yield from ("", "## How to use it", "", form.use)
    yield from ("", "## Where the loss falls", "", form.loss(material))
    yield from ("", "## Where the questions come from", "")
    yield from (f"- {source}" for source in material.sources)


def _counts(rows: Sequence[Example]) -> str:
    found = f"{len(rows):,} rows"
    sides = [sum(row.certain is side for row in rows) for side in (True, False)]
    return f"{found}, {sides[0]:,} of certain and {sides[1]:,} of uncertain data" if any(sides) else found
