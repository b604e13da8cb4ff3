"""Records of anybody's outputs: a question with its accepted answers, and what a system made of it.

Field names are guessed, and cells of tables read, as in the user's own question files
(`demur.datasets.rows`).
"""

from __future__ import annotations

import ast
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.config import NO_FIELD, DataSettings
from demur.core.errors import ConfigError
from demur.core.records import Question, question_id
from demur.datasets.problems import Problems, describe
from demur.datasets.rows import Origin, Row, RowReader, _is_number, _plain, _RowError, _text_of
from demur.judging.choice import right as picks

RESPONSES = (
    *("response", "prediction", "predicted_answer", "predicted", "pred", "model_response", "model_answer"),
    *(
        "model_output",
        "generated_answer",
        "generated_text",
        "generated_response",
        "generation",
        "generated",
    ),
    *("completion", "output", "reply", "hypothesis", "outputs", "predictions", "generations"),
)
"""Names that the field of the responses may have, the likeliest first; see `rows.GUESSES`."""
NAMED = ("question", "answers", "response", "id", "confidence")
"""What fields may be named for; the others are guessed or have fixed names."""
PLAIN = "confidence"
"""What a confidence without a name is called."""
FIX = 'give every row as {"question": …, "answers": […], "response": …}'

_GUESSED = frozenset({"question", "answers", "id", "choices", "answerable"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LONGEST_CELL = 10_000
"""Characters of a cell that are read as an object of confidences."""


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


class OutputReader(RowReader):
    """Turns the rows of one file into `Output`s.

    Args:
        given: names of fields by what they hold (`NAMED`); the others are guessed from the first rows.

    Raises:
        ConfigError: a name for something else.
    """

    def __init__(self, origin: Origin, given: Mapping[str, str], *, problems: Problems) -> None:
        super().__init__(origin, DataSettings(), problems=problems)
        if unknown := sorted(given.keys() - set(NAMED)):
            raise ConfigError(
                expected=f"field names for {', '.join(NAMED)}",
                found=", ".join(unknown),
                where="fields",
                fix='write fields={"answers": "NAME OF THE FIELD"}',
            )
        self.given = given

    def outputs(self) -> Iterator[tuple[int, Output]]:
        """Every row that is in order, with its number; the others become problems."""
        for number, row in itertools.chain(self._first, self._rows):
            try:
                yield number, self.output(row)
            except _RowError as fault:
                self.problems.add(self.origin.place(number), fault.found, fix=fault.fix)

    def fault(self, row: Any) -> Output | tuple[str, str]:
        """What a row says, or what is wrong with it and how to correct it."""
        try:
            return self.output(row)
        except _RowError as fault:
            return fault.found, fault.fix

    def output(self, row: Any) -> Output:
        """What a row says."""
        if not isinstance(row, dict):
            raise _RowError(f"{describe(row)}, not an object", FIX)
        text, options = self._text(row), self._options(row)
        choices, answerable, asked = tuple(map(_text_of, options)), self._answerable(row), question_id(text)
        group = self._get(row, "group")
        return Output(
            question=Question(
                id=self._label(row, "id") or asked,
                text=text,
                answers=self._accepted(row, options, choices) if answerable else (),
                task="choice" if choices else "open",
                choices=choices,
                answerable=answerable,
            ),
            response=self._said(row),
            asked=asked,
            abstained=self._truth(row, "abstained") is True,
            confidence=self._confidence(row),
            group=None if group is None else str(group),
        )

    # -- fields ---------------------------------------------------------------------------------

    def _take_note(self, found: list[str]) -> None:
        self._names.update(dict.fromkeys(found))
        response = self._find(found, "response", RESPONSES)
        if response is None:
            raise self._no_field("response", "no field holds the response", "response")
        fixed = {"abstained": "abstained", "group": "group"}
        fixed[PLAIN] = self._find(found, PLAIN, (PLAIN,)) or PLAIN
        self.fields |= {"response": response, **fixed}
        super()._take_note([name for name in found if name != response])

    def _find(self, found: Sequence[str], role: str, guesses: Sequence[str]) -> str | None:
        """The field that was named, or guessed; None where there is none to be guessed."""
        wanted = self.given.get(role)
        if wanted is None:
            by_plain_name = {_plain(name): name for name in reversed(found)}
            return next((by_plain_name[guess] for guess in guesses if guess in by_plain_name), None)
        if wanted not in found and wanted != NO_FIELD:
            raise self._no_field(role, f"no field is called {wanted!r}", wanted)
        return wanted

    def _settle(self, role: str, name: str, *, late: bool) -> None:
        if role in _GUESSED:
            self.fields[role] = name

    def _wanted(self, role: str) -> str | None:
        return self.given.get(role)

    def _option(self, role: str) -> str:
        return f"--{role}-field"

    # -- one row --------------------------------------------------------------------------------

    def _get(self, row: Row, role: str) -> Any:
        """As for questions; an empty cell of a table says nothing."""
        value = super()._get(row, role)
        empty = isinstance(value, str) and not value.strip() and self._is_table
        return None if empty and role != "question" else value

    @property
    def _is_table(self) -> bool:
        return self.origin.kind in ("CSV", "TSV")

    def _said(self, row: Row) -> str:
        name = self.fields["response"]
        value = row.get(name)
        if isinstance(value, str):
            return value
        raise _RowError(f"{name} is {describe(value) if name in row else 'missing'}, not a text", FIX)

    def _accepted(self, row: Row, options: Sequence[Any], choices: tuple[str, ...]) -> tuple[str, ...]:
        """The accepted answers; none where the row has none, which is no fault: it is not scored."""
        value = self._get(row, "answers")
        if value is None or value == [] or (isinstance(value, str) and value.strip() in ("", "[]")):
            return ()
        try:
            return self._answers(row, options)
        except _RowError:
            answers = self._answers(row, []) if options else ()
            question = Question(id="", text="", answers=answers, choices=choices)
            if not answers or picks(question, "") is None:  # no option in the words of the judging rule
                raise
            return answers

    def _confidence(self, row: Row) -> dict[str, float]:
        value = self._get(row, PLAIN)
        if isinstance(value, str) and self._is_table:
            value = _in_cell(value.strip())
        named = value if isinstance(value, Mapping) else {PLAIN: value}
        wrong = [number for number in named.values() if not (_is_number(number) or _is_none(number))]
        if wrong:
            found = f"{self.fields[PLAIN]} is {describe(wrong[0])}, not a number"
            raise _RowError(found, "write every confidence as a number, or leave it out")
        return {str(name): float(number) for name, number in named.items() if not _is_none(number)}


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _in_cell(text: str) -> Any:
    """The number that a cell holds, or an object of them; other text as it is."""
    if _NUMBER.fullmatch(text):
        return float(text)
    for parse in (json.loads, ast.literal_eval) if text[:1] == "{" and len(text) < _LONGEST_CELL else ():
        try:
            value = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict):
            return value
    return text
