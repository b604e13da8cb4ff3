"""FEVER: claims to be supported or refuted, or not enough is known.

Two layouts: the published one, whose ``evidence`` names pages and lines of a Wikipedia dump, so the claim
is asked without evidence; and R-Tuning's, whose ``evidence`` is a list of sentences.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.published import Part, converting, letters, read_published, text_of

LABELS = ("SUPPORTS", "REFUTES", "NOT ENOUGH INFO")
EXPECTED = "FEVER's files (claim, label, evidence)"
PARTS = (Part("train", "train"), Part("", "test"))


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One claim, with evidence where its sentences are given."""
    evidence = record.get("evidence")
    sentences = evidence if isinstance(evidence, list) and evidence else []
    given = all(isinstance(sentence, str) for sentence in sentences) and bool(sentences)
    return Question(
        id="",
        text=text_of(record, "claim"),
        answers=(letters(LABELS, text_of(record, "label"), "label"),),
        task="choice",
        choices=LABELS,
        context=" ".join(sentences) if given else None,
        form="fever" if given else "",
        split="",
    )


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    raw = read_published(path, PARTS, convert, settings, dataset="fever", expected=EXPECTED)
    bare = sum(question.context is None for question in raw.questions)
    note = f"{bare:,} claims are asked without evidence: the files name pages, not sentences"
    return dataclasses.replace(raw, notes=(*raw.notes, note)) if bare else raw


FEVER = Dataset(
    name="fever",
    description="claims that Wikipedia supports, refutes or leaves open (FEVER)",
    load=load,
    path="a file of FEVER, or the folder of train.jsonl and paper_dev.jsonl",
    splits=("train", "test/id"),
    licence="annotations and Wikipedia text CC BY-SA 3.0",
    citation="Thorne et al., FEVER, NAACL 2018, arXiv 1803.05355",
    source="https://fever.ai",
)
