"""What every section of a configuration is, and the kinds of values that several of them have."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from demur.core.names import problem

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]


def _named(kind: str, name: str) -> str:
    if (found := problem(kind, name)) is not None:
        raise ValueError(found)
    return name


SystemName = Annotated[str, pydantic.AfterValidator(partial(_named, "system"))]
StageName = Annotated[str, pydantic.AfterValidator(partial(_named, "stage"))]
BY_COMMA = pydantic.BeforeValidator(
    lambda value: tuple(part for part in value.split(",") if part) if isinstance(value, str) else value
)
"""Of a tuple of names; as text they are separated by commas."""
Names = Annotated[tuple[str, ...], BY_COMMA]
"""Several names; as text they are separated by commas."""
SystemNames = Annotated[tuple[SystemName, ...], BY_COMMA]
"""Several systems, written in the same way."""


class Section(BaseModel):
    """Base of all sections: unknown fields are errors, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def unknown(kind: str, name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """A sentence: no such name is known; with the nearest known one, else all of them."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return f"{name!r} is no known {kind}{hint}"
