"""NQ-open: questions of Natural Questions with short answers, without their passages.

Format: JSON lines with ``question`` and ``answer`` (a list).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.published import Part, converting, read_published, text_of, texts_of

EXPECTED = "NQ-open's files (question, answer)"
PARTS = (Part("train", "train"), Part("", "test"))


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question."""
    return Question(id="", text=text_of(record, "question"), answers=texts_of(record, "answer"), split="")


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    return read_published(path, PARTS, convert, settings, dataset="nq-open", expected=EXPECTED)


NQ_OPEN = Dataset(
    name="nq-open",
    description="questions people asked a search engine, with short answers (NQ-open)",
    load=load,
    path="a file of NQ-open, or the folder of NQ-open.train.jsonl and NQ-open.dev.jsonl",
    splits=("train", "test/id"),
    licence="Apache-2.0; dataset card: CC BY-SA 3.0",
    citation="Lee et al., ORQA, ACL 2019, arXiv 1906.00300; Kwiatkowski et al., TACL 2019",
    hub="hub:google-research-datasets/nq_open",
    source="https://github.com/google-research-datasets/natural-questions/tree/master/nq_open",
)
