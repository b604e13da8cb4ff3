"""Records of a user's own file into Questions: field names guessed or given, every value checked."""

from __future__ import annotations

import ast
import difflib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from demur.core.config import NO_FIELD, DataSettings
from demur.core.records import Domain, Question, question_id
from demur.core.templates import LETTERS
from demur.datasets.problems import Problems, describe, names, shorten, text_fault

GUESSES: dict[str, tuple[str, ...]] = {
    "question": (
        *("question", "query", "question_text", "prompt", "instruction", "input", "problem", "claim", "q"),
    ),
    "answers": (
        *("answers", "answer", "golden_answers", "gold_answers", "gold_answer", "gold", "accepted_answers"),
        *("correct_answer", "right_answer", "reference_answer", "references", "reference", "targets"),
        *("target", "expected", "outputs", "output", "solution", "response", "completion", "labels"),
        *("label", "a"),
    ),
    "id": ("id", "question_id", "qid", "uid", "uuid", "_id"),
    "choices": ("choices", "options"),
    "context": ("context", "passage", "knowledge"),
    "split": ("split",),
    "domain": ("domain",),
    "group": ("group", "category", "subject", "relation"),
    "answerable": ("answerable", "is_answerable"),
}
"""Names that a field may have, by what it holds, the likeliest first. Case, spaces and dashes do not
count: ``Gold Answer`` is ``gold_answer``."""

DATASET = "file"
"""What the user's own questions name as their dataset."""


_PEEK = 1000
_TRUTH = {
    **dict.fromkeys(("true", "yes", "1", "1.0"), True),
    **dict.fromkeys(("false", "no", "0", "0.0"), False),
}
_ANSWERABLE = _TRUTH | {"answerable": True, "unanswerable": False}
_DOMAINS: dict[str, Domain] = {
    "id": "id",
    "in-domain": "id",
    "in_domain": "id",
    "ood": "ood",
    "out-of-domain": "ood",
    "out_of_domain": "ood",
}
_LIST_LIKE = re.compile(r"\[\s*['\"].*\]", re.DOTALL)

Row = Mapping[str, Any]


class _RowError(Exception):  # never leaves this module
    """One row that cannot be a question: what was found, and what to do."""

    def __init__(self, found: str, fix: str) -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


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
    """Turns the rows of one file into Questions and remembers which fields it took for what.

    Args:
        settings: field names given by the user; the others are guessed from the first rows, and a
            field that only occurs later is adopted where nothing held that place before.
        problems: gets every row that is no question.
    """

    def __init__(self, origin: Origin, settings: DataSettings, *, problems: Problems) -> None:
        self.origin, self.settings, self.problems = origin, settings, problems
        self.fields: dict[str, str] = {}
        self.explicit: dict[str, int] = {}
        """Ids that the file gives, with the number of the row."""
        self._names: dict[str, None] = {}
        self._first: list[tuple[int, Any]] = []
        self._rows: Iterator[tuple[int, Any]] = iter(())

    def open(self, records: Iterable[tuple[int, Any]]) -> bool:
        """Settle from the first rows which field holds what; false where no row could be a question."""
        self._rows = iter(records)
        self._first = list(itertools.islice(self._rows, _PEEK))
        found = dict.fromkeys(name for _, value in self._first if isinstance(value, dict) for name in value)
        try:
            if found:
                self._take_note(list(found))
        except _RowError as fault:  # it holds for every row, so no row is looked at
            self.problems.add(self.origin.label, fault.found, fix=fault.fix)
            return False
        return True

    @property
    def names(self) -> frozenset[str]:
        """Names of all fields that were met."""
        return frozenset(self._names)

    def read(self) -> Iterator[Question]:
        """The questions of the records that are in order; the others become problems.

        An id that was made from the content is the same for the same content.
        """
        for number, value in itertools.chain(self._first, self._rows):
            try:
                yield self._question(number, value)
            except _RowError as fault:
                self.problems.add(self.origin.place(number), fault.found, fix=fault.fix)

    # -- fields ---------------------------------------------------------------------------------

    def _take_note(self, found: list[str]) -> None:
        """Settle which of the fields found holds what; what is settled stays."""
        self._names.update(dict.fromkeys(found))
        by_plain_name = {_plain(name): name for name in reversed(found)}
        for role, guesses in GUESSES.items():
            wanted = self._wanted(role)
            if wanted == NO_FIELD or role in self.fields:
                continue
            names_to_try = guesses if wanted is None else ()
            name = next((by_plain_name[guess] for guess in names_to_try if guess in by_plain_name), wanted)
            if name in self._names and (wanted or name not in self.fields.values()):
                self._settle(role, name, late=len(found) < len(self._names))
        self._require_fields()

    def _settle(self, role: str, name: str, *, late: bool) -> None:
        if late and role in ("id", "split"):
            fix = f"give every row this field, or add --data.{role}_field none"
            raise _RowError(f"the field {name!r} begins here: earlier rows have none", fix)
        self.fields[role] = name

    def _wanted(self, role: str) -> str | None:
        """The name that the user gave for a field."""
        return cast("str | None", getattr(self.settings, f"{role}_field"))

    def _option(self, role: str) -> str:
        """The option that names a field."""
        return f"--data.{role}_field"

    def _require_fields(self) -> None:
        for role in GUESSES:
            wanted = self._wanted(role)
            if wanted not in (None, NO_FIELD) and role not in self.fields:
                raise self._no_field(role, f"no field is called {wanted!r}", wanted)
        if "question" not in self.fields:
            raise self._no_field("question", "no field holds the question", "question")
        if "answers" not in self.fields and "answerable" not in self.fields:
            raise self._no_field("answers", "no field holds the answer", "answer")

    def _no_field(self, role: str, what: str, wanted: str) -> _RowError:
        plain = {_plain(name): name for name in self._names}
        near = difflib.get_close_matches(_plain(wanted), list(plain)[:1000], n=1)
        option = self._option(role)
        fix = f"name the field with {option} FIELD"
        if near:
            fix = f"did you mean {plain[near[0]]!r}? Then add {option} {plain[near[0]]!r}"
        elif self.origin.kind in ("CSV", "TSV"):
            fix += "; the first row must hold the names of the columns"
        return _RowError(
            f"{what}; the fields are {names(list(self._names))} (read as {self.origin.kind})", fix
        )

    # -- one row --------------------------------------------------------------------------------

    def _question(self, number: int, row: Any) -> Question:
        if not isinstance(row, dict):
            fix = 'write every record as an object: {"question": …, "answers": …}'
            if isinstance(row, list) and len(row) == 3:
                fix += ", or add --data.name pararel where these are R-Tuning's ParaRel files"
            raise _RowError(f"{describe(row)}, not an object with fields", fix)
        if not row.keys() <= self._names.keys():
            self._take_note([name for name in row if name not in self._names])
        # Most files have few of these fields, and a call for each absent one would double the time.
        has = self.fields
        text = self._text(row)
        options = self._options(row) if "choices" in has else []
        choices = tuple(map(_text_of, options))
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

    def _get(self, row: Row, role: str) -> Any:
        """A field's value; None where the row has no such field, or nothing in it."""
        name = self.fields.get(role)
        value = row.get(name) if name is not None else None
        return None if isinstance(value, float) and math.isnan(value) else value

    def _text(self, row: Row) -> str:
        value = self._get(row, "question")
        if value is None:
            raise self._missing(row, "question")
        if fault := text_fault(value):
            raise _RowError(
                f"the question ({self.fields['question']}) is {fault}", "write the question as text"
            )
        return cast(str, value).strip()

    def _answers(self, row: Row, options: Sequence[Any]) -> tuple[str, ...]:
        value = self._get(row, "answers")
        if isinstance(value, str) and value[:1] == "[":
            value = self._unpacked(value)
        listed = value if isinstance(value, list) else (value,)
        if value is None:
            raise self._missing(row, "answers")
        for answer in listed:
            self._check_answer(answer)
        answers = [answer for answer in listed if not isinstance(answer, str) or answer.strip()]
        if not answers:
            fix = "give an answer, or set answerable to false where there is none"
            raise _RowError(f"the answer ({self.fields['answers']}) is empty", fix)
        if options:
            return tuple(dict.fromkeys(itertools.chain(*(_letters(each, options) for each in answers))))
        return tuple(dict.fromkeys(map(_text_of, answers)))

    def _check_answer(self, value: Any) -> None:
        if isinstance(value, bool):
            fix = 'write truth values as the text to be answered, such as "yes" or "no"'
            raise _RowError(f"the answer ({self.fields['answers']}) is {describe(value)}", fix)
        fault = None if _is_number(value) else text_fault(value)
        if fault and fault != "empty":
            fix = "write answers as text, a number, or a list of those"
            raise _RowError(f"the answer ({self.fields['answers']}) is {fault}", fix)

    def _unpacked(self, cell: str) -> Any:
        """The list that a table's cell holds, in JSON or as Python prints it; other text as it is.

        JSON files say what is a list, so there a text stays a text.
        """
        if self.origin.kind not in ("CSV", "TSV"):
            return cell
        for parse in (json.loads, ast.literal_eval):
            try:
                value = parse(cell)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            # "['a' 'b']", as NumPy prints it, is a list of one for Python: only a faithful print counts.
            if isinstance(value, list) and (parse is json.loads or repr(value) == cell):
                return value
        if _LIST_LIKE.fullmatch(cell.strip()):
            fix = 'write a list in a cell as JSON: ["first", "second"]'
            raise _RowError(f"{shorten(cell)} looks like a list but cannot be read as one", fix)
        return cell

    def _answerable(self, row: Row) -> bool:
        return self._truth(row, "answerable", _ANSWERABLE) is not False

    def _truth(self, row: Row, role: str, words: Mapping[str, bool] = _TRUTH) -> bool | None:
        """A truth value, also where it is written as a word or a number; None where the row has none."""
        value = self._get(row, role)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().casefold() if isinstance(value, str | int | float) else ""
        if word in words:
            return words[word]
        raise _RowError(f"{role} ({self.fields[role]}) is {describe(value)}", "write true or false")

    def _options(self, row: Row) -> list[Any]:
        """The options of a choice question as they stand in the file: texts or numbers."""
        value = self._get(row, "choices")
        if isinstance(value, str):
            value = self._unpacked(value) if value.strip() else None
        if isinstance(value, dict):  # {"text": [...]} as hubs have it, or {"A": ..., "B": ...}
            value = value["text"] if isinstance(value.get("text"), list) else list(value.values())
        if value is None or value == []:
            return []
        fix = 'write the options as a list of texts: ["first", "second"]'
        if not isinstance(value, list) or not 2 <= len(value) <= len(LETTERS):
            found = f"the options ({self.fields['choices']}) are {describe(value)}"
            raise _RowError(found, f"{fix}, at least 2 and at most {len(LETTERS)}")
        for option in value:
            fault = None if _is_number(option) else text_fault(option)
            if fault:
                raise _RowError(f"an option ({self.fields['choices']}) is {fault}", fix)
        return value

    def _context(self, row: Row) -> str | None:
        value = self._get(row, "context")
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            value = "\n".join(value)
        if value is None or value == "":
            return None
        fault = text_fault(value)
        if fault == "empty":
            return None
        if fault:
            fix = "write the passage as text or a list of texts, or add --data.context_field none"
            raise _RowError(f"the context ({self.fields['context']}) is {fault}", fix)
        return cast(str, value)

    def _id(self, number: int, row: Row, text: str, context: str | None, choices: tuple[str, ...]) -> str:
        if "id" not in self.fields:
            return question_id(text, context=context, choices=choices)
        name = self._label(row, "id")
        fix = "give every row an id of its own, or add --data.id_field none for ids from the content"
        if name is None:
            raise _RowError(f"no id ({self.fields['id']})", fix)
        if name in self.explicit:
            place = self.origin.place(self.explicit[name])
            raise _RowError(f"id {shorten(name)} ({self.fields['id']}) was already used in {place}", fix)
        self.explicit[name] = number
        return name

    def _part(self, row: Row) -> tuple[str, Domain]:
        """The split and the domain of a row."""
        split, domain = self.origin.split or "train", self.origin.domain
        if "split" in self.fields:
            name = self._label(row, "split")
            if name is None:
                raise _RowError(
                    f"no split ({self.fields['split']})",
                    "say train, calibration or test in every row, or add --data.split_field none",
                )
            split, domain = part_named(name, whole=True) or (name, domain)
        name = self._label(row, "domain") if "domain" in self.fields else None
        if name is None:
            return split, domain
        if name.casefold() not in _DOMAINS:
            raise _RowError(
                f"the domain ({self.fields['domain']}) is {shorten(name)}",
                "write id or ood, or add --data.domain_field none",
            )
        return split, _DOMAINS[name.casefold()]

    def _label(self, row: Row, role: str) -> str | None:
        """A short text or number: an id, a split, a domain, a group."""
        value = self._get(row, role)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if fault := text_fault(value):
            fix = f"write it as text or a whole number, or add {self._option(role)} none"
            raise _RowError(f"the {role} ({self.fields[role]}) is {fault}", fix)
        return cast(str, value).strip()

    def _missing(self, row: Row, role: str) -> _RowError:
        word = "answer" if role == "answers" else role
        name = self.fields.get(role, role)
        state = "is null" if name in row else f"is missing; the fields here are {names(list(row))}"
        fix = f"every row needs a field {name!r}"
        if role == "answers":
            fix += ", or answerable set to false where there is no answer"
        return _RowError(f"the {word} ({name}) {state}", fix)


def part_named(name: str, *, whole: bool = False) -> tuple[str, Domain] | None:
    """The split and domain that a name speaks of; None where it speaks of none.

    Args:
        name: such as ``train``, ``dev``, ``OOD_test_pararel`` or ``train-00000-of-00001``.
        whole: the name must say nothing else, as in a field that holds the split.
    """
    words = set(re.findall(r"[^\W\d_]+", name.casefold()))
    if whole and not words <= _PART_WORDS:
        return None
    if "ood" in words:
        return "test", "ood"
    split = next((split for split, spellings in _SPLIT_WORDS.items() if words & spellings), None)
    return None if split is None else (split, "id")


_SPLIT_WORDS = {
    "calibration": {"calibration", "calib", "cal"},
    "validation": {"validation", "valid", "val", "dev"},
    "test": {"test", "testing"},
    "train": {"train", "training"},
}
_PART_WORDS = {"id", "ood", "set", "split"}.union(*_SPLIT_WORDS.values())


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold()).strip("_") or name


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text_of(value: Any) -> str:
    """A text without the space around it; a number as it is written, a whole one without a point."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def _letters(answer: Any, options: Sequence[Any]) -> list[str]:
    """The letters of the options that an answer means: by their text, by letter, or by number from 0.

    A number beside options that are texts may mean either ("2" of "1", "2", "3"): where the two
    differ, it is refused rather than guessed.
    """
    text = _text_of(answer)
    same = [LETTERS[place] for place, option in enumerate(options) if _text_of(option) == text]
    number = int(text) if text.isdecimal() and len(text) < 3 else len(options)
    by_number = [LETTERS[number]] if number < len(options) else []
    unclear = not isinstance(answer, str) and not all(map(_is_number, options))
    if unclear and same and by_number and same != by_number:
        raise _RowError(
            f"the answer {text} may be option {by_number[0]}, counted from 0, or {same[0]}, by its text",
            "give the letter of the option",
        )
    if same:
        return same
    if len(text) == 1 and text.upper() in LETTERS[: len(options)]:
        return [text.upper()]
    if by_number:
        return by_number
    raise _RowError(
        f"the answer {shorten(text)} is none of the {len(options)} options",
        "give the option's text, its letter, or its number counted from 0",
    )
