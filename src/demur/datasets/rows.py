"""Records of a file into Questions: the layout found, fields guessed or given, every value checked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from demur.core.records import Domain, Question, question_id
from demur.datasets import values
from demur.datasets.fields import Fields, RowError, fields_of_turns, plain_name
from demur.datasets.files import TABLES
from demur.datasets.files.folders import part_named
from demur.datasets.files.tables import value_in
from demur.datasets.layouts import Conversion, Wanted, find_layouts
from demur.datasets.options import Purpose, ReadOptions
from demur.datasets.problems import Problems, describe, names, shorten, text_fault

DATASET = "file"
"""What the user's own questions name as their dataset."""

_PEEK = 1000
_DOMAINS: dict[str, Domain] = {
    "id": "id",
    "in-domain": "id",
    "in_domain": "id",
    "ood": "ood",
    "out-of-domain": "ood",
    "out_of_domain": "ood",
}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where rows come from, and what that says of them."""

    label: str
    """The file's name in messages; empty where there is one file only."""
    unit: str
    kind: str
    split: str | None = None
    """Of every row that has no split of its own; None where nothing says it."""
    domain: Domain = "id"

    def place(self, number: int) -> str:
        """Where a row stands, as it reads in a message."""
        return f"{self.label} {self.unit} {number}".strip()


class RowReader:
    """Turns the records of one file into Questions and remembers which fields it took for what.

    Args:
        options: what the user said; fields that were not named are guessed from the first rows, and a
            field that only occurs later is adopted where nothing held that place before.
        problems: gets every row that cannot be read.
    """

    purpose: Purpose = "questions"

    def __init__(self, origin: Origin, options: ReadOptions, *, problems: Problems) -> None:
        self.origin, self.options, self.problems = origin, options, problems
        self.table = origin.kind in TABLES
        self.found = Fields(options, self.purpose, kind=origin.kind, table=self.table)
        self.layouts: list[Conversion] = []
        """How records become plain rows; none where they are plain."""
        self.explicit: dict[str, int] = {}
        """Ids that the file gives, with the number of the row."""
        self._truths = False
        self._packed: tuple[str, ...] = ()
        self._first: list[tuple[int, Any]] = []
        self._rows: Iterator[tuple[int, Any]] = iter(())

    @property
    def fields(self) -> dict[str, str]:
        """Fields by what they hold."""
        return self.found.by_role

    @property
    def names(self) -> frozenset[str]:
        """Names of all fields that were met."""
        return frozenset(self.found.names)

    @property
    def notes(self) -> list[str]:
        """What was understood of the file beyond its fields, a sentence each."""
        otherwise = "--layout plain reads the fields as they stand"
        notes = [f"{layout.note} ({otherwise})" for layout in self.layouts]
        if self._truths:
            notes.append("answers that are truth values are read as yes (or true) and no (or false)")
        return notes

    def open(self, records: Iterable[tuple[int, Any]]) -> bool:
        """Settle from the first rows the layout and the fields; false where no row could be read."""
        self._rows = iter(records)
        first = list(itertools.islice(self._rows, _PEEK))
        self._packed = self._packed_columns([value for _, value in first])
        wanted = Wanted(options=self.options, purpose=self.purpose)
        self.layouts = find_layouts([self._unpacked(value) for _, value in first], wanted)
        self._first = list(self.plain(first))
        found = dict.fromkeys(name for _, value in self._first if isinstance(value, dict) for name in value)
        try:
            if found:
                self.found.take_note(list(found))
        except RowError as fault:  # it holds for every row, so no row is looked at
            self.problems.add(self.origin.label, fault.found, fix=fault.fix)
            return False
        field = self.fields.get("answers")
        rows = (value for _, value in self._first if isinstance(value, dict))
        self._truths = any(values.is_truth(row.get(field), table=self.table) for row in rows)
        return True

    def plain(self, records: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Records as plain rows; several of one record have its number."""
        for number, value in records:
            row = self._unpacked(value) if self._packed else value
            if self.layouts:
                yield from ((number, made) for made in self._converted(row))
            else:
                yield number, row

    def _converted(self, value: Any) -> list[Any]:
        rows = [value]
        for layout in self.layouts:
            rows = [made for row in rows for made in layout.rows(row)]
        return rows

    def _packed_columns(self, first: Sequence[Any]) -> tuple[str, ...]:
        """The columns of a table that hold printed objects, where they matter: answers, options, turns."""
        rows = [value for value in first if isinstance(value, dict)] if self.table else []
        columns = dict.fromkeys(name for row in rows for name in row)
        concerned = [name for name in columns if plain_name(name) in fields_of_turns(self.options)]
        return tuple(
            name
            for name in concerned
            if any(_holds_objects(row[name]) for row in rows if str(row[name]).lstrip()[:1] in ("{", "["))
        )

    def _unpacked(self, value: Any) -> Any:
        if not self._packed or not isinstance(value, dict):
            return value
        return {**value, **{name: value_in(value[name]) for name in self._packed if name in value}}

    def read(self) -> Iterator[Question]:
        """The questions of the records that are in order; the others become problems.

        An id that was made from the content is the same for the same content.
        """
        for number, value in self.rows():
            try:
                yield self._question(number, value)
            except RowError as fault:
                self.problems.add(self.origin.place(number), fault.found, fix=fault.fix)

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Every plain row with its number."""
        return itertools.chain(self._first, self.plain(self._rows))

    # -- one row --------------------------------------------------------------------------------

    def _question(self, number: int, row: Any) -> Question:
        self._check_fields(row)
        # Most files have few of these fields, and a call for each absent one would double the time.
        has = self.fields
        text = self._text(row)
        options = self._options(row) if "choices" in has else []
        choices = tuple(map(values.text_of, options))
        context = self._context(row) if "context" in has else None
        answerable = self._answerable(row) if "answerable" in has else True
        split, domain = self._part(row)
        return Question(
            id=self._id(number, row, text, context, choices),
            text=text,
            answers=self._answers(row, options) if answerable else (),
            task="choice" if choices else "open" if context is None else "contextual",
            choices=choices,
            context=context,
            dataset=DATASET,
            split=split,
            domain=domain,
            answerable=answerable,
            group=self._label(row, "group") if "group" in has else None,
        )

    def _check_fields(self, row: Any) -> None:
        """A row must be an object; a field that was not met before may settle something.

        Raises:
            RowError: it is none.
        """
        if not isinstance(row, dict):
            fix = 'write every record as an object: {"question": …, "answers": …}'
            if isinstance(row, list) and len(row) == 3:
                fix += ", or add --name pararel where these are R-Tuning's ParaRel files"
            raise RowError(f"{describe(row)}, not an object with fields", fix)
        if not row.keys() <= self.found.names.keys():
            self.found.take_note([name for name in row if name not in self.found.names])

    def _get(self, row: Row, role: str) -> Any:
        """A field's value; None where the row has no such field, or nothing in it."""
        name = self.fields.get(role)
        value = row.get(name) if name is not None else None
        return None if isinstance(value, float) and values.is_nothing(value) else value

    def _text(self, row: Row) -> str:
        value = self._get(row, "question")
        if value is None:
            raise self._missing(row, "question")
        if fault := text_fault(value):
            raise RowError(
                f"the question ({self.fields['question']}) is {fault}", "write the question as text"
            )
        return cast(str, value).strip()

    def _answers(self, row: Row, options: Sequence[Any]) -> tuple[str, ...]:
        value = self._get(row, "answers")
        if value is None:
            raise self._missing(row, "answers")
        field, separator = self.fields["answers"], self.options.separator
        return values.answers_in(value, field, options, table=self.table, separator=separator)

    def _answerable(self, row: Row) -> bool:
        return self._truth(row, "answerable", values.ANSWERABLE) is not False

    def _truth(self, row: Row, role: str, words: Mapping[str, bool] = values.TRUTH) -> bool | None:
        return values.truth_in(self._get(row, role), self.fields.get(role, role), role, words)

    def _options(self, row: Row) -> list[Any]:
        value = self._get(row, "choices")
        return [] if value is None else values.options_in(value, self.fields["choices"], table=self.table)

    def _context(self, row: Row) -> str | None:
        return values.passage_in(self._get(row, "context"), self.fields["context"])

    def _id(self, number: int, row: Row, text: str, context: str | None, choices: tuple[str, ...]) -> str:
        if "id" not in self.fields:
            return question_id(text, context=context, choices=choices)
        name = self._label(row, "id")
        fix = "give every row an id of its own, or add --id-field none for ids from the content"
        if name is None:
            raise RowError(f"no id ({self.fields['id']})", fix)
        if name in self.explicit:
            place = self.origin.place(self.explicit[name])
            raise RowError(f"id {shorten(name)} ({self.fields['id']}) was already used in {place}", fix)
        self.explicit[name] = number
        return name

    def _part(self, row: Row) -> tuple[str, Domain]:
        """The split and the domain of a row."""
        split, domain = self.origin.split or "train", self.origin.domain
        if "split" in self.fields:
            name = self._label(row, "split")
            if name is None:
                raise RowError(
                    f"no split ({self.fields['split']})",
                    "say train, calibration or test in every row, or add --split-field none",
                )
            split, domain = part_named(name, whole=True) or (name, domain)
        name = self._label(row, "domain") if "domain" in self.fields else None
        if name is None:
            return split, domain
        if name.casefold() not in _DOMAINS:
            raise RowError(
                f"the domain ({self.fields['domain']}) is {shorten(name)}",
                "write id or ood, or add --domain-field none",
            )
        return split, _DOMAINS[name.casefold()]

    def _label(self, row: Row, role: str) -> str | None:
        return values.label_in(self._get(row, role), self.fields.get(role, role), role)

    def _missing(self, row: Row, role: str) -> RowError:
        word = "answer" if role == "answers" else role
        name = self.fields.get(role, role)
        state = "is null" if name in row else f"is missing; the fields here are {names(list(row))}"
        fix = f"every row needs a field {name!r}"
        if role == "answers":
            fix += ", or answerable set to false where there is no answer"
        return RowError(f"the {word} ({name}) {state}", fix)


def _holds_objects(cell: Any) -> bool:
    value = value_in(cell) if isinstance(cell, str) else None
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
