"""Alpaca: an ``instruction`` and, for some rows, an ``input`` that it is about; together they are the
question.

Source: https://github.com/tatsu-lab/stanford_alpaca (arXiv 2212.10560 for the form).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import guess, plain_name
from demur.datasets.layouts.base import Layout, Row, Wanted, fields_of, most, objects

_QUESTIONS = ("question", "query", "question_text", "prompt")


@dataclass(frozen=True, slots=True)
class Instructed:
    """Rows with an instruction and an input.

    Args:
        instruction: the field of the instruction.
        given: the field of the input.
    """

    instruction: str
    given: str
    note: str = "read as Alpaca's layout: instruction and input together are the question"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its whole question."""
        if not isinstance(value, dict) or not _has(value, self.instruction, self.given):
            return (value,)
        parts = [value[self.instruction], value.get(self.given) or ""]
        return ({**value, self.instruction: "\n\n".join(part.strip() for part in parts if part.strip())},)


def _has(row: Row, instruction: str, given: str) -> bool:
    return isinstance(row.get(instruction), str) and isinstance(row.get(given), str | None)


def _find(first: Sequence[Any], wanted: Wanted) -> Instructed | None:
    rows = objects(first)
    names = {plain_name(name): name for name in reversed(fields_of(rows))}
    instruction, given = names.get("instruction"), names.get("input")
    other = "question" in wanted.options.fields or guess(names, _QUESTIONS) is not None
    if instruction is None or given is None or other:
        return None
    together = most(rows, lambda row: _has(row, instruction, given))
    return Instructed(instruction, given) if together and any(row.get(given) for row in rows) else None


LAYOUT = Layout(name="alpaca", title="an instruction with an input (Alpaca)", find=_find)
