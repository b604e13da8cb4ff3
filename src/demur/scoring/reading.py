"""Rows of outputs as arrays: every response judged, every confidence read.

A row is an object with ``question``, ``answers`` (a list of accepted ones, or a text) and ``response``, and
optionally ``id``, ``answerable``, ``abstained``, ``confidence`` (a number, or an object of named ones),
``choices`` and ``group``. Large files are read by several processes, each a share of the lines.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from demur.datasets.problems import Problems, describe, text_fault
from demur.datasets.reading import open_records
from demur.judging import judge
from demur.metrics.base import CODES, REFUSED, Bools, Codes, Floats
from demur.records import Question, question_id

EXPECTED = "rows with question, answers (a list) and response"
FIX = 'give every row as {"question": …, "answers": […], "response": …}'
SHARE_BYTES = 8 << 20
"""From so many bytes on, lines are read in parallel, so many at a time."""
PLAIN = "confidence"
"""What a confidence without a name is called."""

Row = Mapping[str, Any]
Pair = tuple[Question, str]


@dataclass(kw_only=True)
class Outputs:
    """What one system did on n questions."""

    keys: list[str] = field(default_factory=list)
    """Each row's ``id``, or one derived from its question."""
    verdict: Codes = field(default_factory=lambda: np.zeros(0, np.int8))
    """Shape [n]."""
    abstained: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """Said to have declined, whatever the words; shape [n]."""
    answerable: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """Shape [n]."""
    signals: dict[str, Floats] = field(default_factory=dict)
    """By name, shape [n]; NaN where a row has none."""
    groups: list[str] | None = None
    """Where any row has one."""
    pairs: list[Pair] = field(default_factory=list)
    """Questions and responses themselves, where they were asked for."""
    judge: dict[str, Any] | None = None
    """What came of a model's judging (see `demur.judging.llm_judge.rejudge`); None where a rule judged."""

    @property
    def refused(self) -> Bools:
        """Declined in words, or said to be; shape [n]."""
        refused: Bools = self.abstained | (self.verdict == REFUSED)
        return refused

    def __len__(self) -> int:
        return len(self.keys)


def read_outputs(path: Path, *, keep: bool = False) -> Outputs:
    """Read every row and judge it by the default rule.

    Args:
        keep: keep questions and responses, for a model to judge (`demur.scoring.judged`).

    Raises:
        DataError: the file cannot be read, or rows lack what they need; every problem is listed.
    """
    problems = Problems(path, expected=EXPECTED)
    if path.is_file() and path.stat().st_size > SHARE_BYTES and _is_lines(path):
        parts = _in_parallel(path, problems, keep)
    else:
        records = open_records(path, problems)
        parts = [_judged(records.rows, records.unit, problems, keep).outputs()]
    problems.raise_any()
    return _joined(parts)


@dataclass
class _Part:
    """Some rows, as lists."""

    keep: bool = False
    keys: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    abstained: list[bool] = field(default_factory=list)
    answerable: list[bool] = field(default_factory=list)
    confidence: list[dict[str, float]] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    def outputs(self) -> Outputs:
        """The rows as arrays."""
        names = dict.fromkeys(name for named in self.confidence for name in named)
        signals = {
            name: np.array([named.get(name, np.nan) for named in self.confidence], np.float64)
            for name in names
        }
        return Outputs(
            keys=self.keys,
            verdict=np.array(self.codes, np.int8),
            abstained=np.array(self.abstained, bool),
            answerable=np.array(self.answerable, bool),
            signals=signals,
            groups=["" if group is None else group for group in self.groups] if any(self.groups) else None,
            pairs=self.pairs,
        )


def _judged(rows: Iterator[tuple[int, Any]], unit: str, problems: Problems, keep: bool) -> _Part:
    part = _Part(keep)
    for number, row in rows:
        fault = _fault(row)
        if fault:
            problems.add(f"{unit} {number}", fault, fix=FIX)
        else:
            _add(part, row)
    return part


def _add(part: _Part, row: Row) -> None:
    answers = row.get("answers") or ()
    question = Question(
        id=str(row["id"]) if row.get("id") is not None else question_id(row["question"]),
        text=row["question"],
        answers=(answers,) if isinstance(answers, str) else tuple(answers),
        choices=tuple(row.get("choices") or ()),
        task="choice" if row.get("choices") else "open",
        answerable=row.get("answerable", True),
    )
    if part.keep:
        part.pairs.append((question, row["response"]))
    part.keys.append(question.id)
    part.codes.append(CODES[judge(question, row["response"])])
    part.abstained.append(bool(row.get("abstained")))
    part.answerable.append(question.answerable)
    part.confidence.append(_named(row.get("confidence")))
    part.groups.append(None if row.get("group") is None else str(row["group"]))


def _named(confidence: Any) -> dict[str, float]:
    if confidence is None:
        return {}
    if isinstance(confidence, Mapping):
        return {str(name): float(value) for name, value in confidence.items() if value is not None}
    return {PLAIN: float(confidence)}


def _fault(row: Any) -> str | None:
    """Why a row cannot be scored; None where it can."""
    if not isinstance(row, Mapping):
        return f"{describe(row)}, not an object"
    for name in ("question", "response"):
        if not isinstance(row.get(name), str):
            return f"{name} is {describe(row[name]) if name in row else 'missing'}, not a text"
    fault = text_fault(row["question"])
    if fault:
        return f"question is {fault}"
    answers = row.get("answers")
    if not (answers is None or isinstance(answers, str) or _are_texts(answers)):
        return f"answers is {describe(answers)}, not a list of texts"
    if row.get("choices") is not None and not _are_texts(row["choices"]):
        return f"choices is {describe(row['choices'])}, not a list of texts"
    for name in ("answerable", "abstained"):
        if not isinstance(row.get(name, True), bool):
            return f"{name} is {describe(row[name])}, not true or false"
    return _confidence_fault(row.get("confidence"))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _confidence_fault(confidence: Any) -> str | None:
    values = confidence.values() if isinstance(confidence, Mapping) else [confidence]
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and np.isfinite(value)):
            return f"confidence is {describe(value)}, not a number"
    return None


def _joined(parts: list[Outputs]) -> Outputs:
    """Several shares of the rows, in order."""
    names = dict.fromkeys(name for part in parts for name in part.signals)
    grouped = any(part.groups is not None for part in parts)
    return Outputs(
        keys=[key for part in parts for key in part.keys],
        verdict=np.concatenate([part.verdict for part in parts]),
        abstained=np.concatenate([part.abstained for part in parts]),
        answerable=np.concatenate([part.answerable for part in parts]),
        signals={
            name: np.concatenate([part.signals.get(name, np.full(len(part), np.nan)) for part in parts])
            for name in names
        },
        groups=[group for part in parts for group in (part.groups or [""] * len(part))]
        if grouped
        else None,
        pairs=[pair for part in parts for pair in part.pairs],
    )


# ---------------------------------------------------------------------------------------------
# Large files
# ---------------------------------------------------------------------------------------------


def _is_lines(path: Path) -> bool:
    """Whether the first lines are JSON objects, one each."""
    with path.open("rb") as handle:
        head = list(itertools.islice(handle, 2))
    return all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in head)


def _in_parallel(path: Path, problems: Problems, keep: bool) -> list[Outputs]:
    shares = list(_shares(path))
    with ProcessPoolExecutor(min(len(shares), os.cpu_count() or 1)) as pool:
        done = list(pool.map(partial(_work, path, keep=keep), *zip(*shares, strict=True)))
    for _, found in done:
        for place, fault in found:
            problems.add(place, fault, fix=FIX)
    return [part for part, _ in done]


def _shares(path: Path) -> Iterator[tuple[int, int, int]]:
    """Where each share of the lines begins, how long it is, and the number of its first line."""
    with path.open("rb") as handle:
        number = 1
        while block := handle.read(SHARE_BYTES):
            block += handle.readline()
            yield handle.tell() - len(block), len(block), number
            number += block.count(b"\n")


def _work(
    path: Path, start: int, length: int, first: int, *, keep: bool
) -> tuple[Outputs, list[tuple[str, str]]]:
    """The rows of one share, and what is wrong with the others."""
    with path.open("rb") as handle:
        handle.seek(start)
        lines = handle.read(length).decode("utf-8", errors="replace").split("\n")
    part, faults = _Part(keep), []
    for number, line in enumerate(lines, start=first):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            faults.append((f"line {number}", f"no JSON: {error}"))
            continue
        fault = _fault(row)
        if fault:
            faults.append((f"line {number}", fault))
        else:
            _add(part, row)
    return part.outputs(), faults
