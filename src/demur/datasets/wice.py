"""WiCE: is a claim of Wikipedia supported by its cited evidence? Claim level, three labels.

Format: JSON lines with ``claim``, ``evidence`` (sentences) and ``label``. R-Tuning (arXiv 2311.09677) asks
it as a choice of three behind the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.problems import describe
from demur.datasets.published import FieldError, Part, converting, letters, read_published, text_of

LABELS = ("supported", "partially_supported", "not_supported")
EXPECTED = "WiCE's claim files (claim, evidence, label)"
PARTS = (Part("train", "train"), Part("test", "test"), Part("dev", "validation"))


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One claim with its evidence."""
    return Question(
        id="",
        text=text_of(record, "claim"),
        answers=(letters(LABELS, text_of(record, "label"), "label"),),
        task="choice",
        choices=LABELS,
        context=" ".join(_sentences(record.get("evidence"))),
        form="wice",
        split="",
    )


def _sentences(evidence: object) -> list[str]:
    """The sentences of the evidence; some are empty in the published files, and add nothing."""
    if not isinstance(evidence, list) or not all(isinstance(sentence, str) for sentence in evidence):
        raise FieldError(f"evidence is {describe(evidence)}, not a list of sentences")
    return [sentence for sentence in evidence if sentence.strip()]


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    return read_published(path, PARTS, convert, settings, dataset="wice", expected=EXPECTED)


WICE = Dataset(
    name="wice",
    description="claims with cited evidence: supported, partially or not (WiCE, claim level)",
    load=load,
    path="a claim file of WiCE, or the folder of train.jsonl, dev.jsonl and test.jsonl",
    splits=("train", "test/id"),
    licence="annotations ODC-BY; text CC BY-SA (Wikipedia) and Common Crawl's terms",
    citation="Kamoi et al., WiCE, EMNLP 2023, arXiv 2303.01432",
    source="https://github.com/ryokamoi/wice",
)
