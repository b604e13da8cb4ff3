"""The evaluation sets of Alignment for Honesty (arXiv 2312.07000): Non-AmbigQA, PUQA and PKQA.

They are tested on only. Format: JSON lines. Non-AmbigQA: ``question``, ``answers``. PUQA, which a model of
2023 cannot have known: ``question`` ("Who wrote the paper …?"), ``authors``, any of whom is accepted here;
the paper counts refusals only. PKQA, which it surely knows: ``question``, ``answer``, ``topic``; the words
"Answer:" before some of the published answers are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.published import Convert, Part, converting, read_published, text_of, texts_of

CITATION = "Yang et al., Alignment for Honesty, NeurIPS 2024, arXiv 2312.07000"
SOURCE = "https://github.com/GAIR-NLP/alignment-for-honesty"
PARTS = (Part("", "test", "ood"),)


@converting
def convert_nonambigqa(record: Mapping[str, Any]) -> Question:
    """One question of Non-AmbigQA."""
    return Question(id="", text=text_of(record, "question"), answers=texts_of(record, "answers"), split="")


@converting
def convert_puqa(record: Mapping[str, Any]) -> Question:
    """One question of PUQA."""
    return Question(id="", text=text_of(record, "question"), answers=texts_of(record, "authors"), split="")


@converting
def convert_pkqa(record: Mapping[str, Any]) -> Question:
    """One question of PKQA; its topic is its group."""
    answer = text_of(record, "answer")
    return Question(
        id="",
        text=text_of(record, "question"),
        answers=(answer.removeprefix("Answer:").strip() or answer,),
        group=str(record.get("topic") or "") or None,
        split="",
    )


def _read(name: str, convert: Convert, expected: str, path: Path | None, settings: DataSettings) -> RawData:
    return read_published(path, PARTS, convert, settings, dataset=name, expected=expected)


def load_nonambigqa(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read Non-AmbigQA."""
    return _read("nonambigqa", convert_nonambigqa, "nonambigqa.jsonl (question, answers)", path, settings)


def load_puqa(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read PUQA."""
    return _read("puqa", convert_puqa, "puqa.jsonl (question, authors)", path, settings)


def load_pkqa(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read PKQA."""
    return _read("pkqa", convert_pkqa, "PKQA's file (question, answer, topic)", path, settings)


NONAMBIGQA = Dataset(
    name="nonambigqa",
    description="the questions of AmbigQA that have one reading; tested on only (Non-AmbigQA)",
    load=load_nonambigqa,
    path="nonambigqa.jsonl",
    splits=("test/ood",),
    licence="not stated; AmbigQA, its source: CC BY-SA 3.0",
    citation=CITATION,
    source=SOURCE,
)
PUQA = Dataset(
    name="puqa",
    description="authors of papers of 2023, unknown to models from before; tested on only (PUQA)",
    load=load_puqa,
    path="puqa.jsonl",
    splits=("test/ood",),
    licence="not stated",
    citation=CITATION,
    source=SOURCE,
)
PKQA = Dataset(
    name="pkqa",
    description="questions that the paper's models surely know; tested on only (PKQA)",
    load=load_pkqa,
    path="pkqa_7b.jsonl, pkqa_13b.jsonl or another",
    splits=("test/ood",),
    licence="not stated",
    citation=CITATION,
    source=SOURCE,
)
