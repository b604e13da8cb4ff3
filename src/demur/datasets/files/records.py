"""The records of a file, as every format gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Numbered = Iterator[tuple[int, Any]]
TABLES = ("CSV", "TSV")
"""Kinds whose values are all text."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one file, or of one part of it, read as they are asked for."""

    unit: str
    """What the numbers count: ``line``, ``record`` or ``row``, each from 1."""
    rows: Numbered
    kind: str
    """The format that was found."""
    part: str | None = None
    """The name of the part in the file; None where the file has no parts."""
