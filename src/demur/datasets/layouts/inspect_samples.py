"""Samples of an inspect_ai log: what was put in, the target, and the model's output.

Of ``--epochs`` each is a row of its own. Source: inspect_ai's log format, version 2
(`inspect_ai.log.EvalSample`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.layouts.base import Layout, Row, Wanted, most, objects, texts_in
from demur.datasets.layouts.chat import exchange, turns_of

_FIELDS = frozenset({"id", "epoch", "input", "target", "output"})


@dataclass(frozen=True, slots=True)
class Samples:
    """Such rows."""

    note: str = "read as samples of an inspect_ai log"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its question, answers and response."""
        if not isinstance(value, dict) or not value.keys() >= _FIELDS:
            return (value,)
        epoch = value["epoch"]
        row = {
            "id": value["id"] if epoch in (None, 1) else f"{value['id']}/{epoch}",
            "question": _asked(value["input"]),
            "answers": value["target"],
            "response": _completion(value["output"]),
        }
        return ({**row, "choices": value["choices"]} if value.get("choices") else row,)


def _asked(given: Any) -> Any:
    """The question: a text, or the last turn of the user."""
    return given if isinstance(given, str) else exchange(turns_of(given))[0]


def _completion(output: Any) -> Any:
    """The text of an output; None where there is none."""
    if not isinstance(output, dict):
        return None
    if isinstance(output.get("completion"), str):
        return output["completion"]
    choices = output.get("choices")
    message = choices[0].get("message") if isinstance(choices, list) and choices else None
    return "\n".join(texts_in(message.get("content"))) if isinstance(message, dict) else None


def _find(first: Sequence[Any], wanted: Wanted) -> Samples | None:  # noqa: ARG001
    def fits(row: Row) -> bool:
        return row.keys() >= _FIELDS and isinstance(row["output"], dict)

    return Samples() if most(objects(first), fits) else None


LAYOUT = Layout(name="inspect-samples", title="samples of an inspect_ai log", find=_find)
