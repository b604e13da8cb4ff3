"""FalseQA: questions with a false premise, each beside one that it was made from. Tested on only.

Format: CSV with ``question``, ``answer`` and ``label`` (1: false premise). All files are one test set, as
R-Tuning (arXiv 2311.09677) uses them. The answers are whole explanations, which no answer of a model could
be compared with by rule: they stand in ``meta`` as ``reference``, and answers to the answerable questions
are not judged right or wrong, only counted as refused or not.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.problems import describe
from demur.datasets.published import FieldError, Part, converting, read_published, text_of

EXPECTED = "FalseQA's files (question, answer, label)"


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question."""
    label = str(record.get("label")).strip()
    if label not in ("0", "1"):
        raise FieldError(f"label is {describe(record.get('label'))}, neither 0 nor 1 (false premise)")
    return Question(
        id="",
        text=text_of(record, "question"),
        answerable=label == "0",
        split="answerable" if label == "0" else "unanswerable",
        meta={"reference": _references(str(record.get("answer") or ""))},
    )


def _references(cell: str) -> list[str]:
    """The explanations of a cell: one text, or, in the official test part, a list as Python prints it."""
    try:
        listed = ast.literal_eval(cell) if cell.startswith("[") else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        listed = None
    return [str(text) for text in listed] if isinstance(listed, list) else [cell] if cell else []


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    parts = (Part("", "answerable", "ood"),)
    return read_published(path, parts, convert, settings, dataset="falseqa", expected=EXPECTED)


FALSEQA = Dataset(
    name="falseqa",
    description="questions with a false premise, and ones without; tested on only (FalseQA)",
    load=load,
    path="a file of FalseQA, or the folder of train.csv, valid.csv and test.csv",
    splits=("answerable", "unanswerable"),
    licence="not stated",
    citation="Hu et al., Won't Get Fooled Again, ACL 2023, arXiv 2307.02394",
    source="https://github.com/thunlp/FalseQA",
)
