"""UnknownBench: NEC, about concepts that do not exist, and RefuNQ, questions with a noun made up.

Both come with answerable twins. Format: JSON lines in files named .json: ``prompt`` and ``label``. NEC's
label is 0 (answerable) or 1 and it gives no answers, so answers to its answerable questions cannot be
judged right or wrong, only counted as refused or not. RefuNQ's label is the list of answers, or "NEC".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.problems import describe
from demur.datasets.published import FieldError, Part, converting, read_published, text_of, texts_of

PARTS = (Part("", "answerable", "ood"),)
NO_ANSWER = "NEC"


@converting
def convert_nec(record: Mapping[str, Any]) -> Question:
    """One question of NEC; its category is its group."""
    label = record.get("label")
    if label not in (0, 1):
        raise FieldError(f"label is {describe(label)}, neither 0 (answerable) nor 1")
    return _question(record, (), answerable=label == 0, group=str(record.get("category") or "") or None)


@converting
def convert_refunq(record: Mapping[str, Any]) -> Question:
    """One question of RefuNQ."""
    answerable = record.get("label") != NO_ANSWER
    return _question(record, texts_of(record, "label") if answerable else (), answerable=answerable)


def _question(
    record: Mapping[str, Any], answers: tuple[str, ...], *, answerable: bool, group: str | None = None
) -> Question:
    return Question(
        id="",
        text=text_of(record, "prompt"),
        answers=answers,
        answerable=answerable,
        split="answerable" if answerable else "unanswerable",
        group=group,
    )


def load_nec(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read NEC's files."""
    expected = "NEC's files (prompt, label, category)"
    return read_published(path, PARTS, convert_nec, settings, dataset="nec", expected=expected)


def load_refunq(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read RefuNQ's files."""
    expected = "RefuNQ's files (prompt, label)"
    return read_published(path, PARTS, convert_refunq, settings, dataset="refunq", expected=expected)


_CITATION = "Liu et al., Examining LLMs' Uncertainty Expression, arXiv 2311.09731"
_SOURCE = "https://github.com/genglinliu/UnknownBench"

NEC = Dataset(
    name="nec",
    description="questions about concepts that do not exist, and about ones that do; tested on only",
    load=load_nec,
    path="a file of NEC, or the folder of NEC_answerable.json and NEC_unanswerable.json",
    splits=("answerable", "unanswerable"),
    licence="not stated",
    citation=_CITATION,
    source=_SOURCE,
)
REFUNQ = Dataset(
    name="refunq",
    description="questions of NQ with a noun made up, and as they were; tested on only",
    load=load_refunq,
    path="a file of RefuNQ, or the folder of RefuNQ_answerable.json and RefuNQ_unanswerable.json",
    splits=("answerable", "unanswerable"),
    licence="not stated; questions of Natural Questions: CC BY-SA 3.0",
    citation=_CITATION,
    source=_SOURCE,
)
