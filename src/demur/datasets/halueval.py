"""HaluEval's questions: with the knowledge they rest on. R-Tuning uses them as a set never trained on.

Format: JSON lines in files named .json: ``knowledge``, ``question``, ``right_answer``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.published import Part, converting, read_published, text_of

EXPECTED = "HaluEval's QA files (knowledge, question, right_answer)"


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question with its knowledge."""
    return Question(
        id="",
        text=text_of(record, "question"),
        answers=(text_of(record, "right_answer"),),
        task="contextual",
        context=text_of(record, "knowledge"),
        form="contextual",
        split="",
    )


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    parts = (Part("", "test", "ood"),)
    return read_published(path, parts, convert, settings, dataset="halueval", expected=EXPECTED)


HALUEVAL = Dataset(
    name="halueval",
    description="questions with the knowledge they rest on; tested on only (HaluEval-QA)",
    load=load,
    path="qa_data.json, or a folder of files in its layout",
    splits=("test/ood",),
    licence="MIT",
    citation="Li et al., HaluEval, EMNLP 2023, arXiv 2305.11747",
    hub="hub:pminervini/HaluEval:qa",
    source="https://github.com/RUCAIBox/HaluEval",
)
