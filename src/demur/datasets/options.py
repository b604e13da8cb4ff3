"""What a user can say of how a file is to be read: the same for every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from demur.core.config import DataSettings

Purpose = Literal["questions", "outputs", "asked"]
"""What rows are read for: questions with their answers, a system's outputs, or questions to ask now."""
PLAIN = "plain"
"""As the layout: take the fields as they stand, whatever they look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a file is to be read; what is not said is found out."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Names of fields by what they hold; ``none`` for no field."""
    encoding: str | None = None
    layout: str | None = None
    """A name of `demur.datasets.layouts.LAYOUTS`, or `PLAIN`."""
    separator: str | None = None
    """Divides a text of accepted answers into several."""

    @classmethod
    def of(cls, settings: DataSettings) -> ReadOptions:
        """Those of a run's settings."""
        named = {name.removesuffix("_field"): value for name, value in settings if name.endswith("_field")}
        return cls(
            fields={role: name for role, name in named.items() if name is not None},
            encoding=settings.encoding,
            layout=settings.layout,
            separator=settings.answers_separator,
        )
