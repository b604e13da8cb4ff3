"""SelfAware: questions that nobody can answer, beside answerable ones. Tested on only.

Format: one JSON object whose ``example`` lists the questions; ``answer`` is null where there is none.
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

EXPECTED = "SelfAware.json (question, answer, answerable)"


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question."""
    answerable = record.get("answerable")
    if not isinstance(answerable, bool):
        raise FieldError(f"answerable is {describe(answerable)}, neither true nor false")
    return Question(
        id="",
        text=text_of(record, "question"),
        answers=texts_of(record, "answer") if answerable else (),
        answerable=answerable,
        split="answerable" if answerable else "unanswerable",
        meta={"source": str(record.get("source") or "")},
    )


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the file."""
    parts = (Part("", "answerable", "ood"),)
    return read_published(path, parts, convert, settings, dataset="selfaware", expected=EXPECTED)


SELFAWARE = Dataset(
    name="selfaware",
    description="unanswerable questions and answerable ones beside them (SelfAware)",
    load=load,
    path="SelfAware.json, or its folder",
    splits=("answerable", "unanswerable"),
    licence="CC BY-SA 4.0",
    citation="Yin et al., SelfAware, ACL Findings 2023, arXiv 2305.18153",
    source="https://github.com/yinzhangyue/SelfAware",
)
