"""Answers as an object of a value and its aliases, as TriviaQA has them (arXiv 1705.03551)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import answers_field
from demur.datasets.layouts.base import Layout, Wanted, fields_of, most, objects

_PUBLISHED = frozenset({"question_source", "QuestionSource", "QuestionId"})
"""Fields of TriviaQA's own files, which `demur.datasets.triviaqa` reads with their parts."""


@dataclass(frozen=True, slots=True)
class Aliases:
    """Rows whose answer is such an object.

    Args:
        answers: the field of the answer.
    """

    answers: str
    note: str = "read as TriviaQA's layout: the answer's value and its aliases are accepted"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with the value first and its aliases after it."""
        found = _names(value.get(self.answers)) if isinstance(value, dict) else None
        return (value,) if found is None else ({**value, self.answers: found},)


def _names(answer: Any) -> list[Any] | None:
    if not isinstance(answer, dict):
        return None
    plain = {str(name).casefold(): value for name, value in answer.items()}
    aliases = plain.get("aliases")
    return [plain["value"], *aliases] if "value" in plain and isinstance(aliases, list) else None


def _find(first: Sequence[Any], wanted: Wanted) -> Aliases | None:
    rows = objects(first)
    found = fields_of(rows)
    if wanted.purpose == "questions" and _PUBLISHED & set(found):
        return None
    name = answers_field(found, wanted.options)
    fits = name is not None and most(rows, lambda row: _names(row.get(name)) is not None)
    return Aliases(name) if name is not None and fits else None


LAYOUT = Layout(name="aliases", title="an answer with its aliases (TriviaQA)", find=_find)
