"""ASQA as US-Tuning uses it: the same passage with a question it answers and one it does not.

Of each ambiguous question with two or more passages every ordered pair makes one passage, the first one's,
with the first one's question (answerable) and the second one's (unanswerable). As published
(arXiv 2406.10099, released code): some answer of the first question must stand in its passage, and none in
the other passage. Added here, since the released code never looked: no answer of the second question may
stand in the shown passage, or it would be answerable after all. Answers are looked for as whole words,
spelling variants aside; the released code looks for the bare substring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.records import Question, question_id
from demur.core.templates import CONTEXT
from demur.datasets.base import Dataset, Ids, RawData
from demur.datasets.passages import Passage
from demur.datasets.problems import Problems, describe
from demur.datasets.published import FieldError, load_json, placed, text_of, texts_of

EXPECTED = "ASQA.json: an object of dev and train, each of samples with qa_pairs"
NO_CONTEXT = "No context provided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of an ambiguous question, with the passage that answers it."""

    question: str
    answers: tuple[str, ...]
    page: str
    passage: str
    searched: Passage = field(init=False, repr=False, compare=False)
    """The passage, ready to be searched."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "searched", Passage(self.passage))


def pairs(
    readings: Iterable[Reading], dropped: Counter[str] | None = None
) -> Iterator[tuple[Question, Question]]:
    """Every sound pair of an answerable and an unanswerable question about one passage.

    Args:
        readings: of one ambiguous question.
        dropped: counts the pairs that each filter drops.
    """
    counts = Counter[str]() if dropped is None else dropped
    for shown, other in permutations(readings, 2):
        if not (shown.answers and other.answers):
            counts["a question has no short answer"] += 1
        elif not shown.searched.holds(shown.answers):
            counts["the answer does not stand in its own passage"] += 1
        elif other.searched.holds(shown.answers):
            counts["the answer also stands in the other passage"] += 1
        elif shown.searched.holds(other.answers):
            counts["the other answer stands in the shown passage"] += 1
        else:
            yield _pair(shown, other)


def _pair(shown: Reading, other: Reading) -> tuple[Question, Question]:
    context = CONTEXT.format(page=shown.page, context=shown.passage)
    common: dict[str, Any] = {
        "id": "",
        "task": "contextual",
        "context": context,
        "form": "instructed",
        "split": "",
    }
    meta = {"pair": question_id(shown.question + other.question, context=context)}
    answerable = Question(text=shown.question, answers=shown.answers, meta=meta, **common)
    return answerable, Question(text=other.question, answerable=False, meta=meta, **common)


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read ASQA.json; its train part trains, its dev part is tested on."""
    file = path / "ASQA.json" if path is not None and path.is_dir() else path
    if file is None or not file.is_file():
        found = "no path" if path is None else "no such file"
        raise DataError(
            expected=EXPECTED, found=found, where=str(path or "--data.path"), fix="name ASQA.json"
        )
    problems, ids = Problems(file, expected=EXPECTED), Ids()
    dropped, questions, records = Counter[str](), list[Question](), 0
    published = load_json(file, expected=EXPECTED)
    for name, split in (("train", "train"), ("dev", "test")):
        for readings in _samples(published, name, problems):
            records += 1
            for pair in pairs(readings, dropped):
                questions += [placed(question, ids, "asqa", split, "id") for question in pair]
    problems.raise_any()
    notes = [f"{records:,} ambiguous questions read, {len(questions) // 2:,} pairs made"]
    notes += [f"{count:,} pairs dropped: {reason}" for reason, count in dropped.items()]
    return RawData(questions=questions, files=(file,), notes=tuple(notes))


def _samples(found: Any, name: str, problems: Problems) -> Iterator[list[Reading]]:
    samples = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(samples, Mapping):
        problems.add(name, f"{describe(samples)}, not an object of samples", fix="copy ASQA.json again")
        return
    for key, sample in samples.items():
        try:
            yield list(_readings(sample))
        except FieldError as error:
            problems.add(f"{name} {key}", str(error), fix="copy ASQA.json again")


def _readings(sample: Any) -> Iterator[Reading]:
    listed = sample.get("qa_pairs") if isinstance(sample, Mapping) else None
    if not isinstance(listed, list):
        raise FieldError(f"qa_pairs is {describe(listed)}, not a list")
    for item in listed:
        if not isinstance(item, Mapping):
            raise FieldError(f"a qa_pair is {describe(item)}, not an object")
        passage = text_of(item, "context")
        if passage != NO_CONTEXT:
            yield Reading(
                question=text_of(item, "question"),
                answers=texts_of(item, "short_answers") if item.get("short_answers") != [] else (),
                page=str(item.get("wikipage") or ""),
                passage=passage,
            )


ASQA = Dataset(
    name="asqa",
    description="passages with a question they answer and one they do not (US-Tuning, from ASQA)",
    load=load,
    path="ASQA.json, or its folder",
    splits=("train", "test/id"),
    licence="Apache-2.0",
    citation="Stelmakh et al., ASQA, EMNLP 2022, arXiv 2204.06092; US-Tuning, arXiv 2406.10099",
    source="https://github.com/google-research/language/tree/master/language/asqa",
)
