"""HotpotQA in the distractor setting: questions with ten paragraphs, two of which are needed.

Two layouts: the published JSON, ``context`` a list of [title, sentences], and the Hub's rows, ``context``
an object of ``title`` and ``sentences``. The passages stand as the released code of R-Tuning
(arXiv 2311.09677) writes them, to the space.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Question
from demur.datasets.base import Dataset, RawData
from demur.datasets.problems import describe
from demur.datasets.published import FieldError, Part, converting, read_published, text_of

EXPECTED = "HotpotQA's files (question, answer, context)"
PARTS = (Part("train", "train"), Part("", "test"))


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question with its paragraphs."""
    paragraphs = _paragraphs(record.get("context"))
    return Question(
        id="",
        text=text_of(record, "question"),
        answers=(text_of(record, "answer"),),
        task="contextual",
        context=" ".join(f"{title}:{' '.join(sentences)}\n" for title, sentences in paragraphs),
        form="contextual",
        split="",
        meta={"supporting": _supporting(record.get("supporting_facts"))},
    )


def _paragraphs(context: object) -> list[tuple[str, list[str]]]:
    """Titles with their sentences, from either layout."""
    if isinstance(context, Mapping):
        titles, sentences = context.get("title"), context.get("sentences")
        equal = isinstance(titles, list) and isinstance(sentences, list) and len(titles) == len(sentences)
        context = list(zip(titles, sentences, strict=True)) if equal else None  # type: ignore[arg-type]
    if not isinstance(context, list) or not context:
        raise FieldError(f"context is {describe(context)}, neither paragraphs nor title and sentences")
    for item in context:
        fits = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)
        if not fits or not isinstance(item[1], list) or not all(isinstance(s, str) for s in item[1]):
            raise FieldError(f"a paragraph of context is {describe(item)}, not a title with sentences")
    return [(str(title), list(sentences)) for title, sentences in context]


def _supporting(facts: object) -> list[str]:
    """Titles of the paragraphs that the answer needs, from either layout; none where none are given."""
    titles = facts.get("title") if isinstance(facts, Mapping) else facts
    listed = titles if isinstance(titles, list) else []
    names = [item[0] if isinstance(item, list) and item else item for item in listed]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    return read_published(path, PARTS, convert, settings, dataset="hotpotqa", expected=EXPECTED)


HOTPOTQA = Dataset(
    name="hotpotqa",
    description="questions over two of ten given paragraphs (HotpotQA, distractor setting)",
    load=load,
    path="a file of HotpotQA, or the folder of its train and dev files",
    splits=("train", "test/id"),
    licence="CC BY-SA 4.0",
    citation="Yang et al., HotpotQA, EMNLP 2018, arXiv 1809.09600",
    hub="hub:hotpotqa/hotpot_qa:distractor",
    source="https://hotpotqa.github.io",
)
