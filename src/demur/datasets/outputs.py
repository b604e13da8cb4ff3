"""Records of anybody's outputs: a question with its accepted answers, and what a system made of it.

Layouts, names of fields and cells of tables are read as in question files (`demur.datasets.rows`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.records import Question, Verdict, question_id
from demur.datasets import values
from demur.datasets.fields import RowError
from demur.datasets.files.tables import value_in
from demur.datasets.layouts.base import VERDICT, Conversion
from demur.datasets.options import Purpose
from demur.datasets.problems import describe
from demur.datasets.rows import Row, RowReader
from demur.datasets.stored_answers import said_in
from demur.judging.choice import right as picks
from demur.signals import Said

PLAIN = "confidence"
"""What a confidence without a name is called."""
FIX = 'give every row as {"question": …, "answers": […], "response": …}'

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?) ?%")
_DECIMAL_COMMA = re.compile(r"0,\d+|1,0+")
"""Not "1,234", which may be a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one row says."""

    question: Question
    response: str
    asked: str
    """The id of the question's text, whatever id the row has."""
    abstained: bool
    """Said to have declined, whatever the words."""
    confidence: Mapping[str, float]
    """By name; empty where the row has none."""
    group: str | None
    said: Said | None = None
    """The response with its samples and log-probabilities; None where the row stores none."""
    verdict: Verdict | None = None
    """Where the row was judged elsewhere and holds no text to judge."""


class OutputReader(RowReader):
    """Turns the records of one file into `Output`s."""

    purpose: Purpose = "outputs"

    def outputs(self) -> Iterator[tuple[int, Output]]:
        """Every row that is in order, with its number; the others become problems."""
        for number, row in self.rows():
            try:
                yield number, self.output(row)
            except RowError as fault:
                self.problems.add(self.origin.place(number), fault.found, fix=fault.fix)

    def settle(self, fields: Mapping[str, str], layouts: Sequence[Conversion]) -> None:
        """Take over what another reader settled from the first rows of the file."""
        self.fields.update(fields)
        self.layouts = list(layouts)

    def of_record(self, value: Any) -> list[Output | tuple[str, str]]:
        """What a record says, or what is wrong with it and how to correct it."""
        if not self.layouts:  # most files have none, and a list for each row would take its time
            return [self._output_or_fault(value)]
        return [self._output_or_fault(row) for _, row in self.plain([(0, value)])]

    def _output_or_fault(self, row: Any) -> Output | tuple[str, str]:
        try:
            return self.output(row)
        except RowError as fault:
            return fault.found, fault.fix

    def output(self, row: Any) -> Output:
        """What a plain row says.

        Raises:
            RowError: it cannot be read.
        """
        if not isinstance(row, dict):
            raise RowError(f"{describe(row)}, not an object", FIX)
        text, options = self._text(row), self._options(row)
        choices = tuple(map(values.text_of, options))
        answerable, asked = self._answerable(row), question_id(text)
        group = self._get(row, "group")
        question = Question(
            id=self._label(row, "id") or asked,
            text=text,
            answers=self._accepted(row, options, choices) if answerable else (),
            task="choice" if choices else "open",
            choices=choices,
            answerable=answerable,
        )
        response = self._said(row)
        return Output(
            question=question,
            response=response,
            asked=asked,
            abstained=self._truth(row, "abstained") is True,
            confidence=self._confidence(row),
            group=None if group is None else str(group),
            said=said_in(row, question, response, table=self.table),
            verdict=row.get(VERDICT),
        )

    def _get(self, row: Row, role: str) -> Any:
        """As for questions; an empty cell of a table says nothing."""
        value = super()._get(row, role)
        empty = self.table and isinstance(value, str) and not value.strip()
        return None if empty and role != "question" else value

    def _said(self, row: Row) -> str:
        name = self.fields["response"]
        value = row.get(name)
        if isinstance(value, str):
            return value
        raise RowError(f"{name} is {describe(value) if name in row else 'missing'}, not a text", FIX)

    def _accepted(self, row: Row, options: Sequence[Any], choices: tuple[str, ...]) -> tuple[str, ...]:
        """The accepted answers; none where the row has none, which is no fault: it is not scored."""
        value = self._get(row, "answers")
        if value is None or value == [] or (isinstance(value, str) and value.strip() in ("", "[]")):
            return ()
        try:
            return self._answers(row, options)
        except RowError:
            answers = self._answers(row, []) if options else ()
            question = Question(id="", text="", answers=answers, choices=choices)
            if not answers or picks(question, "") is None:  # no option in the words of the judging rule
                raise
            return answers

    def _confidence(self, row: Row) -> dict[str, float]:
        value = self._get(row, PLAIN)
        if isinstance(value, str) and self.table:
            text = value.strip()
            held = value_in(text)
            value = held if isinstance(held, dict) else _number(text)
        named = value if isinstance(value, Mapping) else {PLAIN: value}
        wrong = [
            number
            for number in named.values()
            if not (values.is_number(number) or values.is_nothing(number))
        ]
        if wrong:
            found = f"{self.fields[PLAIN]} is {describe(wrong[0])}, not a number"
            raise RowError(found, "write every confidence as a number, or leave it out")
        return {str(name): float(number) for name, number in named.items() if not values.is_nothing(number)}


def _number(text: str) -> float | str:
    """The number in a table's cell, also in per cent and with a decimal comma; other text as it is."""
    if percent := _PERCENT.fullmatch(text):
        return float(percent[1].replace(",", ".")) / 100
    plain = text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
    return float(plain) if _NUMBER.fullmatch(plain) else text
