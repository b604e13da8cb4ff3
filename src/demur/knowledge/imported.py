"""Answers of the base model that were made elsewhere, taken as its probe.

Two forms: a ``probe.parquet`` of another run, and the training rows of Alignment for Honesty, which hold
the greedy and the ten sampled answers of a question with a label each ("known" where it is right).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.core.records import Probe, Question, Response, Verdict, read_parquet
from demur.datasets.files import open_records
from demur.datasets.problems import Problems, describe

EXPECTED = "rows with question, greedy_pred_text, greedy_label, sampling_pred_text and sampling_labels"
_FIX = "name a run's probe.parquet, or a training file of Alignment for Honesty"


def read_probes(path: Path, questions: Sequence[Question], *, samples: int) -> dict[str, Probe]:
    """The probes that a file holds of some questions, by question id.

    Args:
        questions: rows are matched by id (Parquet) or by the question's text.
        samples: probes with fewer sampled answers are left out.

    Raises:
        DataError: the file cannot be read, or fits none of the questions.
    """
    if not path.exists():
        raise DataError(expected=EXPECTED, found="no such file", where=str(path), fix=_FIX)
    found = _parquet(path) if path.suffix == ".parquet" else _rows(path, questions)
    wanted = {question.id for question in questions}
    kept = {key: probe for key, probe in found.items() if key in wanted and len(probe.samples) >= samples}
    if not kept:
        raise DataError(
            expected=f"answers to this run's questions, {samples} sampled ones each",
            found=f"{len(found):,} questions, none of them of this run with so many",
            where=str(path),
            fix="bring the questions that the answers are about, or lower probe.samples",
        )
    return kept


def _parquet(path: Path) -> dict[str, Probe]:
    import pyarrow as pa

    try:
        return {probe.question_id: probe for probe in read_parquet(path, Probe)}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        found = " ".join(str(error).split())[:200]
        raise DataError(expected="a run's probe.parquet", found=found, where=str(path), fix=_FIX) from error


def _rows(path: Path, questions: Iterable[Question]) -> dict[str, Probe]:
    ids: dict[str, list[str]] = {}
    for question in questions:
        ids.setdefault(question.text, []).append(question.id)
    problems, probes = Problems(path, expected=EXPECTED), dict[str, Probe]()
    records = open_records(path, problems)
    for number, row in records.rows:
        fault = _fault(row)
        if fault:
            problems.add(f"{records.unit} {number}", fault, fix=_FIX)
            continue
        for key in ids.get(row["question"].strip(), ()):
            probes[key] = _probe(key, row)
    problems.raise_any()
    return probes


def _fault(row: Any) -> str | None:
    """Why a row is none of Alignment for Honesty's; None where it is one."""
    if not isinstance(row, Mapping):
        return f"{describe(row)}, not an object"
    for name in ("question", "greedy_pred_text", "greedy_label"):
        if not isinstance(row.get(name), str):
            return f"{name} is {describe(row.get(name))}, not a text"
    texts, labels = row.get("sampling_pred_text", []), row.get("sampling_labels", [])
    if not isinstance(texts, list) or not isinstance(labels, list) or len(texts) != len(labels):
        return "sampling_pred_text and sampling_labels are not lists of one length"
    named = {row["greedy_label"], *map(str, labels)}
    return None if named <= {"known", "unknown"} else f"a label is none of known, unknown: {sorted(named)}"


def _probe(key: str, row: Mapping[str, Any]) -> Probe:
    return Probe(
        question_id=key,
        greedy=Response(text=row["greedy_pred_text"].strip()),
        greedy_verdict=_verdict(row["greedy_label"]),
        samples=tuple(Response(text=str(text).strip()) for text in row.get("sampling_pred_text", ())),
        sample_verdicts=tuple(map(_verdict, row.get("sampling_labels", ()))),
    )


def _verdict(label: str) -> Verdict:
    return Verdict.CORRECT if label == "known" else Verdict.WRONG
