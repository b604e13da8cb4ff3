"""Which published dataset a file may be, told from the whole layout of its first records.

Names of files and folders decide nothing: what people download is renamed, and extensions do not tell the
container. Neither does a single field: a file of the user's own may have any of them. What can be read as
the user's own questions is read so (`demur.datasets.loading`); a published layout is then only named.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import DemurError
from demur.datasets import fever, wice
from demur.datasets.fields import KNOWN, plain_name
from demur.datasets.files import SUFFIXES, TABLES, open_records
from demur.datasets.problems import Problems

DEEPEST = 3
"""So many folders below the one that was named are looked into."""
_FIRST = 20
"""Records that must all have a dataset's layout."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a file is."""

    dataset: str | None
    """The dataset's name; None where it holds no questions."""
    kind: str
    """In words, as a noun phrase."""
    fix: str = ""
    """What to do with it, where it holds no questions."""
    own: bool = False
    """Whether reading it as a file of one's own gives the same questions."""


@dataclass(frozen=True, slots=True)
class _Signature:
    """The layout of one dataset's records."""

    dataset: str
    fields: str
    """Those that every record has."""
    more: str = ""
    """Those that it may have; ``*``: any."""
    fits: Callable[[Row], bool] = lambda row: True  # noqa: ARG005
    own: bool = False

    def has(self, row: Any) -> bool:
        """Whether a record has this layout."""
        if not isinstance(row, Mapping):
            return False
        fields, more = set(self.fields.split()), set(self.more.split())
        known = fields <= row.keys() and ("*" in more or row.keys() <= fields | more)
        return known and self.fits(row)


def _is_truth(value: object) -> bool:
    return value in (0, 1)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


SIGNATURES: tuple[_Signature, ...] = (
    _Signature("pararel", "sub_label obj_label", "*"),
    _Signature(
        "wice", "claim label evidence supporting_sentences", "meta", lambda r: r["label"] in wice.LABELS
    ),
    _Signature("fever", "claim label evidence", "id verifiable", lambda r: r["label"] in fever.LABELS),
    _Signature("hotpotqa", "question answer supporting_facts context", "id _id type level"),
    _Signature("halueval", "knowledge question right_answer hallucinated_answer"),
    _Signature(
        "selfaware",
        "question_id question answer answerable source",
        "",
        lambda r: r["answer"] is None or _is_list(r["answer"]),
    ),
    _Signature("puqa", "title authors question label", "year", lambda r: r["label"] == "unknown"),
    _Signature("pkqa", "topic question answer label", "greedy_pred_text", lambda r: r["label"] == "known"),
    _Signature(
        "nonambigqa", "question_id question answers gold_answer", "", lambda r: _is_list(r["answers"])
    ),
    _Signature("triviaqa", "Question QuestionId Answer", "*", lambda r: isinstance(r["Answer"], Mapping)),
    _Signature(
        "triviaqa",
        "question question_source answer",
        "*",
        lambda r: isinstance(r["answer"], Mapping),
    ),
    _Signature("triviaqa", "id question golden_answers", "metadata", own=True),
    _Signature("asqa", "ambiguous_question qa_pairs", "*"),
    _Signature("nec", "prompt label category", "", lambda r: _is_truth(r["label"])),
    _Signature("refunq", "prompt label", "", lambda r: r["label"] == "NEC" or _is_list(r["label"])),
    _Signature("nq-open", "question answer", "", lambda r: _is_list(r["answer"]), own=True),
)
"""Layouts of whole records; the first that all of the first records have counts."""

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
    fix="name the file of the questions themselves, or measure the outputs with `demur score`",
)
_OF_A_MODEL = ("_response", "_numerical", "_entropy", "_perplexity", "chatgpt", "claude")


def recognise(path: Path) -> Recognised | None:
    """What a file holds, or the first in a folder that holds questions; None where that is unknown."""
    others: Recognised | None = None
    for file in [path] if path.is_file() else _files(path):
        try:
            found = _recognise_file(file)
        except DemurError:
            continue
        if found is not None and found.dataset is not None:
            return found
        others = others or found
    return others


def _files(folder: Path, depth: int = 0) -> list[Path]:
    """The question files of a folder and of those below it, by name; a few of each folder are enough."""
    if not folder.is_dir():
        return []
    entries = sorted(entry for entry in folder.iterdir() if entry.name[0] not in "._")
    here = [entry for entry in entries if entry.is_file() and entry.suffix.lower() in SUFFIXES][:3]
    below = [entry for entry in entries if entry.is_dir()] if depth < DEEPEST else []
    return here + [file for entry in below for file in _files(entry, depth + 1)]


def _recognise_file(path: Path) -> Recognised | None:
    records = open_records(path, Problems(path, expected="records"))
    rows = [value for _, value in itertools.islice(records.rows, _FIRST)]
    if not rows:
        return None
    if all(map(_is_triple, rows)):
        return _dataset("pararel")
    if not all(isinstance(row, Mapping) for row in rows):
        return None
    if records.kind in TABLES:
        return _of_table(rows)
    found = next((item for item in SIGNATURES if all(map(item.has, rows))), None)
    if found is not None:
        return _dataset(found.dataset, own=found.own)
    return _others(rows, alone=len(rows) == 1 and path.suffix.lower() not in (".jsonl", ".ndjson"))


def _is_triple(record: Any) -> bool:
    if not isinstance(record, list) or len(record) != 3:
        return False
    return isinstance(record[2], str) and record[2][:1] == "P" and "(" in record[2]


def _of_table(rows: Sequence[Row]) -> Recognised | None:
    """A table with names of columns; MMLU's has none, so its first row stands there."""
    header = list(rows[0])
    if len(header) == 6 and header[5].strip() in ("A", "B", "C", "D"):
        return _dataset("mmlu")
    false_premise = header == ["question", "answer", "label"] and all(
        row["label"] in ("0", "1") for row in rows
    )
    return _dataset("falseqa") if false_premise else None


def _others(rows: Sequence[Row], *, alone: bool) -> Recognised | None:
    """What is no layout of records: patterns, outputs, a file that is one object.

    Args:
        alone: whether the file is one object, and not a first line.
    """
    if all({"pattern", "lemma"} <= row.keys() for row in rows):
        return _PATTERNS
    if all(row and all(map(_is_ambiguous, row.values())) for row in rows):
        return _dataset("asqa")
    more = rows[0].keys() - {"prompt", "label", "category"}
    if {"prompt", "label"} <= rows[0].keys() and more and all(name.endswith(_OF_A_MODEL) for name in more):
        return _OUTPUTS
    return _of_whole_file(rows[0]) if alone else None


def _of_whole_file(record: Row) -> Recognised | None:
    """A file that is one object: of subjects, of parts, of predictions."""
    values = list(record.values())
    if values and all(isinstance(value, list) and value and _is_choice(value[0]) for value in values):
        return _dataset("mmlu")
    ids_to_answers = len(values) > 0 and all(isinstance(value, str) for value in values)
    named = any(plain_name(name) in KNOWN for name in record)
    return _PREDICTIONS if ids_to_answers and not named else None


def _is_ambiguous(sample: object) -> bool:
    return isinstance(sample, Mapping) and {"ambiguous_question", "qa_pairs"} <= sample.keys()


def _is_choice(row: object) -> bool:
    return isinstance(row, list) and len(row) == 6 and row[5] in ("A", "B", "C", "D")


def _dataset(name: str, *, own: bool = False) -> Recognised:
    return Recognised(dataset=name, kind=f"the dataset {name}", own=own)
