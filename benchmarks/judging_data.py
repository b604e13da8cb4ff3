"""The labelled pairs that judging is measured on: a question, accepted answers, a response, right or wrong.

`tests/data/judging_labels.jsonl` has one pair a line. A pair wholly of our own writing has its question
and answers. One about a published question has `file`, `row` (from 1) and `sha` of the question instead:
the questions stay where they are, below the folder given. A real model's answer has `model`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from demur.core.records import Question

LABELS = Path(__file__).parents[1] / "tests/data/judging_labels.jsonl"
SYSTEMS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")


@dataclass(frozen=True, slots=True)
class Pair:
    """One response with its label."""

    question: Question
    response: str
    right: bool
    part: str
    """``written``, or ``model`` for a real model's answer; the system's name in EVOUNA."""
    half: str
    """``tuning`` or ``check``; all pairs of a question are in one half."""


def half_of(question: str) -> str:
    """The half that a question's pairs belong to, by its digest."""
    return ("tuning", "check")[int(hashlib.sha256(question.encode()).hexdigest(), 16) % 2]


def sha(question: str) -> str:
    """The digest that a pair keeps of a published question."""
    return hashlib.sha256(question.encode()).hexdigest()[:16]


@lru_cache(maxsize=16)
def published(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Questions and accepted answers of a published file, in its order."""
    text = path.read_text(encoding="utf-8-sig")
    if path.name == "SelfAware.json":
        rows = json.loads(text)["example"]
    elif path.parent.name == "pararel":
        return [(row[0], (row[1],)) for row in json.loads(text)]
    else:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [(_question(row), _answers(row)) for row in rows]


def _question(row: dict[str, Any]) -> str:
    return str(row.get("question") or row.get("prompt"))


def _answers(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("golden_answers", "answers", "answer", "label")
    found: Any = next((row[name] for name in names if row.get(name)), ())
    return (found,) if isinstance(found, str) else tuple(map(str, found))


def labelled(data: Path | None) -> Iterator[Pair]:
    """The pairs of the project; without a folder of published questions, those of our own writing only.

    Raises:
        ValueError: where a published question is another one than the pair was labelled with.
    """
    for number, line in enumerate(LABELS.read_text(encoding="utf-8").splitlines(), start=1):
        row = json.loads(line)
        if "file" in row:
            if data is None:
                continue
            text, answers = published(data / row["file"])[row["row"] - 1]
            if sha(text) != row["sha"]:
                raise ValueError(
                    f"{LABELS.name}, line {number}: {row['file']} has another question in row {row['row']}"
                )
        else:
            text, answers = row["question"], tuple(row["answers"])
        question = Question(id=str(number), text=text, answers=answers)
        yield Pair(
            question, row["response"], row["right"], "model" if "model" in row else "written", half_of(text)
        )


def evouna(folder: Path) -> Iterator[Pair]:
    """The pairs of EVOUNA (arXiv 2305.12421), labelled by its authors; improper questions left out."""
    for name in ("NQ", "TQ"):
        for number, row in enumerate(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))):
            if row["improper"]:
                continue
            answers = tuple(answer.strip() for answer in row["golden_answer"].split("/"))
            question = Question(id=f"{name}-{number}", text=row["question"], answers=answers)
            for system in SYSTEMS:
                if row[f"answer_{system}"] is not None:
                    yield Pair(
                        question,
                        row[f"answer_{system}"],
                        row[f"judge_{system}"],
                        system,
                        half_of(row["question"]),
                    )
