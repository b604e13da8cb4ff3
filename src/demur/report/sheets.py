"""Every table and figure of the report as a CSV file; the page's buttons give the same bytes.

Undefined is an empty cell, never 0. Metrics stand with six decimals; ``metrics.json`` has them exactly. A
text that a spreadsheet would take for a formula, because it begins with ``=``, ``+``, ``-``, ``@``, a tab
or a carriage return, is written with an apostrophe before it: model answers are text. Numbers stay numbers.
"""

from __future__ import annotations

import base64
import csv
import io
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.files import write_text
from demur.core.records import Prediction
from demur.report import curves, flow, promise
from demur.report.material import BEFORE, Material
from demur.report.paired import PairedDifference, paired_differences
from demur.report.slices import DIMENSIONS, Sliced
from demur.runfolder.finished import FinishedRun

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""How a text begins that a spreadsheet may run as a formula; the last four are their full-width twins."""

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table; its name is that of its file and of its button."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Value]]

    @property
    def text(self) -> str:
        """The file's content."""
        return csv_text([self.columns, *self.rows])


def csv_text(rows: Iterable[Sequence[Value]]) -> str:
    """Rows as CSV (RFC 4180), texts guarded against spreadsheets."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue()


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def short(value: float | None) -> float | None:
    """A figure as it stands in a table: six decimals, undefined stays so."""
    return None if value is None else round(value, 6)


def write_sheets(sheets: Iterable[Sheet], folder: Path) -> list[Path]:
    """Write each sheet to ``folder/NAME.csv``, atomically."""
    paths = []
    for sheet in sheets:
        path = folder / f"{sheet.name}.csv"
        write_text(path, sheet.text)
        paths.append(path)
    return paths


def sheets(run: FinishedRun, material: Material) -> list[Sheet]:
    """All tables but the single answers, which `answers` gives."""
    return [
        Sheet(
            name="outcomes", columns=("split", "questions", "system", *OUTCOMES), rows=list(_outcomes(run))
        ),
        Sheet(name="metrics", columns=("split", "system", "metric", *ESTIMATE), rows=list(_metrics(run))),
        Sheet(
            name="policies",
            columns=("split", "in_place_of", "policy", "metric", *ESTIMATE),
            rows=list(_policies(run)),
        ),
        Sheet(name="differences", columns=DIFFERENCE, rows=list(_differences(run))),
        Sheet(
            name="flow",
            columns=("split", "system", "before", "after", "called", "questions"),
            rows=list(_moves(material.moves)),
        ),
        Sheet(name="slices", columns=SLICE, rows=list(_slices(material.sliced))),
        Sheet(
            name="risk-coverage",
            columns=("split", "system", "signal", "threshold", "answered", "right", "coverage", "risk"),
            rows=list(_curves(material.rows)),
        ),
        Sheet(name="reliability", columns=RELIABILITY, rows=list(_reliability(run, material.rows))),
        Sheet(
            name="confidence",
            columns=("split", "system", "signal", "from", "to", "known_before", "unknown_before"),
            rows=list(_confidence(run, material)),
        ),
        Sheet(name="guarantee", columns=GUARANTEE, rows=list(_guarantee(run))),
        Sheet(
            name="stages",
            columns=("stage", "seconds", "peak_memory_mb", "inputs"),
            rows=[
                (name, stage.get("seconds"), stage.get("peak_memory_mb"), stage.get("inputs"))
                for name, stage in run.manifest.get("stages", {}).items()
            ],
        ),
    ]


def answers(data: Mapping[str, Any]) -> Sheet:
    """The single answers, from the data that the page holds: the page's script writes the same table."""
    signals = list(dict.fromkeys(name for system in data["systems"] for name in system["signals"]))
    return Sheet(
        name="answers",
        columns=(*ANSWER, *signals),
        rows=list(_answers(data, signals)),
    )


OUTCOMES = ("correct", "wrong", "refused", "unscored")
ESTIMATE = ("value", "low", "high", "n", "unscored", "small")
DIFFERENCE = (
    *("metric", "split", "system", "against", "value", "low", "high", "n", "p", "p_holm"),
    *("coverage", "coverage_against"),
)
SLICE = (
    *("split", "system", "slice", "value", "n", "unscored", "answered", "right"),
    *("accuracy_willing", "accuracy_low", "accuracy_high", "accuracy_p_holm"),
    *("refusal_rate", "refusal_low", "refusal_high", "refusal_p_holm"),
)
RELIABILITY = (
    *("split", "system", "signal", "from", "to", "n"),
    *("mean_confidence", "accuracy", "low", "high"),
)
GUARANTEE = (
    *("split", "system", "signal", "risk", "max_error", "confidence", "threshold"),
    *("n", "answered", "coverage", "error", "low", "high"),
)
ANSWER = (
    *("question_id", "splits", "question", "context", "choices", "accepted"),
    *("system", "answer", "response", "verdict", "abstained"),
)
VERDICTS = {"c": "correct", "w": "wrong", "r": "refused", "u": "unscored"}


def _cell(value: Value) -> Value:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _estimate(cell: Mapping[str, Any]) -> tuple[Value, ...]:
    return (
        *(short(cell.get(key)) for key in ("value", "low", "high")),
        cell.get("n"),
        cell.get("unscored"),
        cell.get("small"),
    )


def _outcomes(run: FinishedRun) -> Iterator[tuple[Value, ...]]:
    for system, splits in run.metrics.get("tables", {}).items():
        for split, kinds in splits.items():
            for kind, counts in kinds.items():
                if sum(counts.values()):
                    yield (split, kind, system, *(counts.get(outcome, 0) for outcome in OUTCOMES))


def _metrics(run: FinishedRun) -> Iterator[tuple[Value, ...]]:
    for system, splits in run.metrics["metrics"].items():
        for split, cells in splits.items():
            for metric, cell in cells.items():
                yield (split, system, metric, *_estimate(cell))


def _policies(run: FinishedRun) -> Iterator[tuple[Value, ...]]:
    for system, splits in run.metrics.get("policies", {}).items():
        for split, policies in splits.items():
            for policy, cells in policies.items():
                for metric, cell in cells.items():
                    yield (split, system, policy, metric, *_estimate(cell))


def _differences(run: FinishedRun) -> Iterator[tuple[Value, ...]]:
    for item in paired_differences(run.metrics):
        yield _difference(item)


def _difference(item: PairedDifference) -> tuple[Value, ...]:
    row = item.row
    figures = (row["value"], row["low"], row["high"])
    names = (row["metric"], row["split"], row["system"], row["against"])
    rest = (item.p, item.p_holm, item.coverage, item.coverage_against)
    return (*names, *map(short, figures), row.get("n"), *map(short, rest))


def _moves(moves: Mapping[str, Mapping[str, flow.Flow]]) -> Iterator[tuple[Value, ...]]:
    for system, splits in moves.items():
        for split, found in splits.items():
            for ((before, after), called), count in zip(flow.CELLS.items(), found.counts, strict=True):
                yield (split, system, str(before), str(after), called, count)


def _slices(sliced: Mapping[str, Mapping[str, Sliced]]) -> Iterator[tuple[Value, ...]]:
    for system, splits in sliced.items():
        for split, found in splits.items():
            for item in found.slices:
                names = (split, system, DIMENSIONS[item.dimension], item.value)
                counts = (item.n, item.unscored, item.answered, item.right)
                accuracy = (*(item.accuracy or (None, None, None)), item.p_accuracy)
                yield (*names, *counts, *map(short, (*accuracy, *item.refusal, item.p_refusal)))


def _by_signal(
    rows: Mapping[str, Mapping[str, Sequence[Prediction]]],
) -> Iterator[tuple[str, str, str, Sequence[Prediction]]]:
    for system, splits in rows.items():
        for split, members in splits.items():
            for signal in dict.fromkeys(name for row in members for name in row.signals):
                yield split, system, signal, members


def _curves(rows: Mapping[str, Mapping[str, Sequence[Prediction]]]) -> Iterator[tuple[Value, ...]]:
    for split, system, signal, members in _by_signal(rows):
        for point in curves.risk_coverage(members, signal):
            counts = (point.answered, point.right)
            yield (
                split,
                system,
                signal,
                short(point.threshold),
                *counts,
                *map(short, (point.coverage, point.risk)),
            )


def _reliability(
    run: FinishedRun, rows: Mapping[str, Mapping[str, Sequence[Prediction]]]
) -> Iterator[tuple[Value, ...]]:
    bins = run.metrics.get("settings", {}).get("ece_bins", 15)
    for split, system, signal, members in _by_signal(rows):
        for part in curves.reliability(members, signal, bins=bins):
            edges = (short(part.low_edge), short(part.high_edge), part.n)
            figures = (part.confidence, part.accuracy, part.low, part.high)
            yield (split, system, signal, *edges, *map(short, figures))


def _confidence(run: FinishedRun, material: Material) -> Iterator[tuple[Value, ...]]:
    before = {row.question_id: row.verdict for row in run.predictions.get(BEFORE, [])}
    for split, system, signal, members in _by_signal(material.rows):
        for column in curves.known_and_unknown(members, before, signal):
            edges = (short(column.low_edge), short(column.high_edge))
            yield (split, system, signal, *edges, column.known, column.unknown)


def _guarantee(run: FinishedRun) -> Iterator[tuple[Value, ...]]:
    found = run.guarantee
    if found is None:
        return
    for group, item in found["guarantees"].items():
        terms = (item["risk"], item["max_error"], item["confidence"], short(item["threshold"]))
        where = "calibration" if group == "all" else f"calibration/{group}"
        figures = (item["n"], item["answered"], short(item["coverage"]), short(item["error"]), None, None)
        yield (where, found["system"], found["signal"], *terms, *figures)
    shared = promise.drawn(found)
    threshold = found["guarantees"]["all"]["threshold"] if shared else None
    first = next(iter(found["guarantees"].values()))
    for split, cell in found["test"].items():
        terms = (first["risk"], first["max_error"], first["confidence"], short(threshold))
        shown = [short(cell[key]) for key in ("coverage", "error", "low", "high")]
        yield (split, found["system"], found["signal"], *terms, cell["n"], cell["answered"], *shown)


def _answers(data: Mapping[str, Any], signals: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    texts = data["texts"]
    values = [_decoded(column) for column in data["columns"]]
    for index, row in enumerate(data["browse"]):
        about = (
            data["ids"][index],
            " ".join(data["splits"][number]["name"] for number in data["membership"][row]),
            texts[data["question"][index]],
            _text(texts, data["context"][index]),
            " | ".join(texts[number] for number in data["choices"][index]),
            " | ".join(texts[number] for number in data["gold"][index]),
        )
        for system in data["systems"]:
            code = system["codes"][row]
            if code == ".":
                continue
            said = (_text(texts, system["answers"][index]), _text(texts, system["responses"][index]))
            end = (VERDICTS[code.lower()], code != code.lower())
            confidence = [_of(values, system["signals"].get(signal), row) for signal in signals]
            yield (*about, system["name"], *said, *end, *confidence)


def _decoded(column: str) -> list[float]:
    """A confidence column as the page holds it: 64-bit floats in base64."""
    raw = base64.b64decode(column)
    return list(struct.unpack(f"<{len(raw) // 8}d", raw))


def _text(texts: Sequence[str], number: int) -> str | None:
    return None if number < 0 else texts[number]


def _of(columns: Sequence[Sequence[float]], number: int | None, row: int) -> float | None:
    value = None if number is None else columns[number][row]
    return None if value is None or math.isnan(value) else value
