"""What a file holds, told from its fields: a published dataset, or something that holds no questions.

Names of files and folders decide nothing: what people download is renamed, and extensions do not tell the
container. The fields of the first record do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.datasets.problems import Problems
from demur.datasets.reading import SUFFIXES, open_records

DEEPEST = 3
"""So many folders below the one that was named are looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a file is."""

    dataset: str | None
    """The dataset's name; None where it holds no questions."""
    kind: str
    """In words, as a noun phrase."""
    fix: str = ""
    """What to do with it, where it holds no questions."""


FIELDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("pararel", frozenset({"sub_label", "obj_label"})),
    ("wice", frozenset({"claim", "label", "supporting_sentences"})),
    ("fever", frozenset({"claim", "label", "verifiable"})),
    ("fever", frozenset({"claim", "label", "evidence"})),
    ("hotpotqa", frozenset({"question", "answer", "supporting_facts", "context"})),
    ("halueval", frozenset({"knowledge", "question", "right_answer", "hallucinated_answer"})),
    ("selfaware", frozenset({"question_id", "question", "answer", "answerable"})),
    ("puqa", frozenset({"title", "authors", "question", "label"})),
    ("pkqa", frozenset({"topic", "question", "answer", "label"})),
    ("nonambigqa", frozenset({"question", "answers", "gold_answer"})),
    ("triviaqa", frozenset({"Question", "Answer"})),
    ("triviaqa", frozenset({"question", "golden_answers"})),
    ("triviaqa", frozenset({"question", "question_source", "answer"})),
    ("asqa", frozenset({"ambiguous_question", "qa_pairs"})),
)
"""Fields that only one dataset has together; the first match counts."""

_PATTERNS = Recognised(
    dataset=None,
    kind="ParaRel's patterns: statements with gaps, without facts",
    fix="name the folder of fact files (trex_lms_vocab)",
)
_PREDICTIONS = Recognised(
    dataset=None,
    kind="predictions: an object from question ids to answers",
    fix="bring the questions they answer; predictions are scored, not asked",
)
_OUTPUTS = Recognised(
    dataset=None,
    kind="a model's outputs: its answers or scores beside the questions",
    fix="name the file of the questions themselves",
)


def recognise(path: Path) -> Recognised | None:
    """What a file holds, or the first in a folder that holds questions; None where that is unknown."""
    others: Recognised | None = None
    for file in [path] if path.is_file() else _files(path):
        try:
            found = _recognise_file(file)
        except DataError:
            continue
        if found is not None and found.dataset is not None:
            return found
        others = others or found
    return others


def _files(folder: Path, depth: int = 0) -> list[Path]:
    """The question files of a folder and of those below it, by name; one of each folder is enough."""
    if not folder.is_dir():
        return []
    entries = sorted(entry for entry in folder.iterdir() if entry.name[0] not in "._")
    here = [entry for entry in entries if entry.is_file() and entry.suffix.lower() in SUFFIXES][:3]
    below = [entry for entry in entries if entry.is_dir()] if depth < DEEPEST else []
    return here + [file for entry in below for file in _files(entry, depth + 1)]


def _recognise_file(path: Path) -> Recognised | None:
    records = open_records(path, Problems(path, expected="records"))
    first = next((value for _, value in records.rows), None)
    if isinstance(first, list):
        return _dataset("pararel") if _is_triple(first) else None
    if not isinstance(first, Mapping):
        return None
    if records.kind in ("CSV", "TSV"):
        return _of_table(list(first), first)
    return _of_record(first)


def _is_triple(record: list[Any]) -> bool:
    return len(record) == 3 and isinstance(record[2], str) and record[2][:1] == "P" and "(" in record[2]


def _of_table(header: list[str], first: Mapping[str, Any]) -> Recognised | None:
    """A table with names of columns; MMLU's has none, so its first row stands there."""
    if len(header) == 6 and header[5].strip() in ("A", "B", "C", "D"):
        return _dataset("mmlu")
    false_premise = set(header) == {"question", "answer", "label"} and first["label"] in ("0", "1")
    return _dataset("falseqa") if false_premise else None


def _of_record(record: Mapping[str, Any]) -> Recognised | None:
    if {"pattern", "lemma"} <= record.keys():
        return _PATTERNS
    if {"prompt", "label"} <= record.keys():
        return _of_unknown_bench(record)
    for name, fields in FIELDS:
        if fields <= record.keys():
            return _dataset(name)
    if record.keys() == {"question", "answer"} and isinstance(record["answer"], list):
        return _dataset("nq-open")
    return _of_whole_file(record)


def _of_unknown_bench(record: Mapping[str, Any]) -> Recognised:
    if record.keys() - {"prompt", "label", "category"}:
        return _OUTPUTS
    return _dataset("nec" if record["label"] in (0, 1) else "refunq")


def _of_whole_file(record: Mapping[str, Any]) -> Recognised | None:
    """A file that is one object: of subjects, of parts, of predictions."""
    values = list(record.values())
    if values and all(isinstance(value, list) and value and _is_choice(value[0]) for value in values):
        return _dataset("mmlu")
    parts = [value for value in values if isinstance(value, Mapping) and value]
    inner = next((item for part in parts for item in part.values()), None)
    if len(parts) == len(values) and isinstance(inner, Mapping) and "ambiguous_question" in inner:
        return _dataset("asqa")
    ids_to_answers = values and all(isinstance(value, str) for value in values)
    return _PREDICTIONS if ids_to_answers and "question" not in record else None


def _is_choice(row: object) -> bool:
    return isinstance(row, list) and len(row) == 6 and row[5] in ("A", "B", "C", "D")


def _dataset(name: str) -> Recognised:
    return Recognised(dataset=name, kind=f"the dataset {name}")
