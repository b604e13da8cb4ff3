"""Layouts: ways in which rows hold a question, its answers and a response that are no plain fields.

A layout is recognised by all of the first rows, never by a field's name alone, and turns each row into
rows of plain fields, which `demur.datasets.rows` reads like any other. One file is one layout; a new one
is added here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demur.core.errors import UnknownNameError
from demur.datasets.layouts import (
    aliases,
    alpaca,
    chat,
    choices,
    gsm8k,
    honesty_predictions,
    inspect_samples,
    lm_eval_samples,
    option_columns,
    r_tuning_results,
    squad,
    uqlm,
)
from demur.datasets.layouts.base import Conversion, Layout, Wanted
from demur.datasets.options import PLAIN

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        lm_eval_samples.LAYOUT,
        inspect_samples.LAYOUT,
        r_tuning_results.LAYOUT,
        honesty_predictions.LAYOUT,
        uqlm.LAYOUT,
        squad.LAYOUT,
        choices.LAYOUT,
        option_columns.LAYOUT,
        chat.LAYOUT,
        alpaca.LAYOUT,
        aliases.LAYOUT,
        gsm8k.LAYOUT,
    )
}
"""By name; the first that fits is taken, and `gsm8k` is also looked for behind another."""

__all__ = ["LAYOUTS", "PLAIN", "Conversion", "Layout", "Wanted", "find_layouts"]


def find_layouts(first: Sequence[Any], wanted: Wanted) -> list[Conversion]:
    """How rows become plain ones, in order; none where they are plain already.

    Args:
        first: the first rows of a file.

    Raises:
        UnknownNameError: the layout that was named does not exist.
    """
    named = wanted.options.layout
    if named == PLAIN:
        return []
    if named is not None and named not in LAYOUTS:
        raise UnknownNameError("layout", named, (PLAIN, *LAYOUTS), "--layout")
    found: list[Conversion] = []
    for layout in LAYOUTS.values() if named is None else [LAYOUTS[named]]:
        if found and layout is not gsm8k.LAYOUT:
            continue
        if conversion := layout.find(first, wanted):
            found.append(conversion)
            first = [row for value in first for row in conversion.rows(value)]
    return found
