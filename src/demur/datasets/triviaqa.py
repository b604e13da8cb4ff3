"""TriviaQA: trivia questions with all names of their answer, without their documents.

Three layouts: the published JSON, whose ``Data`` lists questions with an ``Answer`` of value and aliases,
the Hub's rows, which have these in small letters, and
flat JSON lines with ``question`` and ``golden_answers``. The published test part has no answers, and the
verified part stands in the development part: in a folder, neither is read.
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

EXPECTED = "TriviaQA's files (Question, Answer) or its flat form (question, golden_answers)"
PARTS = (
    Part("without-answers", None),
    Part("verified", None),
    Part("train", "train"),
    Part("dev", "validation"),
    Part("validation", "validation"),
    Part("", "test"),
)


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question; the answer's value comes first, its aliases after it."""
    if "golden_answers" in record:
        text, answers = text_of(record, "question"), texts_of(record, "golden_answers")
    else:
        hub = "question" in record  # the same layout in small letters
        names = (
            ("question", "answer", "value", "aliases")
            if hub
            else ("Question", "Answer", "Value", "Aliases")
        )
        text, answers = text_of(record, names[0]), _answers(record, *names[1:])
    return Question(id="", text=text, answers=answers, split="")


def _answers(record: Mapping[str, Any], field: str, value: str, aliases: str) -> tuple[str, ...]:
    answer = record.get(field)
    if not isinstance(answer, Mapping):
        raise FieldError(f"{field} is {describe(answer)}, not an object; the test part has none")
    others = texts_of(answer, aliases) if answer.get(aliases) else ()
    return tuple(dict.fromkeys((text_of(answer, value), *others)))


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the files."""
    return read_published(path, PARTS, convert, settings, dataset="triviaqa", expected=EXPECTED)


TRIVIAQA = Dataset(
    name="triviaqa",
    description="trivia questions with every accepted name of the answer (TriviaQA)",
    load=load,
    path="a file of TriviaQA (qa/web-train.json, unfiltered-web-dev.json, …) or a folder of them",
    splits=("train", "test/id"),
    licence="Apache-2.0",
    citation="Joshi et al., TriviaQA, ACL 2017, arXiv 1705.03551",
    hub="hub:mandarjoshi/trivia_qa:rc.nocontext",
    source="https://github.com/mandarjoshi90/triviaqa",
)
