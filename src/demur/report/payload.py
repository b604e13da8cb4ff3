"""The data that the page's script reads: columns rather than rows, every string stored once.

Confidence columns are 64-bit floats in base64, so that a threshold on the page decides exactly as
it does in Python. Columns that two systems share are stored once. A huge run is sampled, by seed,
and the payload says so.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demur.core.records import SIGNALS, Prediction, Question, Verdict
from demur.report import flow, promise, words
from demur.report.material import Material, primary_signal
from demur.report.sheets import Sheet
from demur.report.slices import DIMENSIONS, LEAST, LEVEL, Sliced
from demur.runfolder.finished import FinishedRun

CODES = {Verdict.CORRECT: "c", Verdict.WRONG: "w", Verdict.REFUSED: "r", Verdict.UNSCORED: "u"}
"""One letter per verdict; a capital letter says that the system abstained all the same."""
NO_PREDICTION = "."
LONGEST_TEXT = 600
"""Characters of a text that the page shows; a longer one is cut and ends in an ellipsis."""


@dataclass(slots=True)
class Interned:
    """Values numbered in order of first use."""

    values: list[Any] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)

    def number(self, value: Any) -> int:
        """The number of a value, a new one where it has none yet."""
        if value not in self.numbers:
            self.numbers[value] = len(self.values)
            self.values.append(value)
        return self.numbers[value]


def build(
    run: FinishedRun, material: Material, *, figure_limit: int, browse_limit: int, seed: int
) -> dict[str, Any]:
    """Everything the script needs, as JSON values.

    Args:
        figure_limit: maximum number of questions behind the curves and the slider.
        browse_limit: maximum number of questions with their texts.
        seed: of the sample that is drawn where a limit is exceeded.
    """
    asked = {row.question_id for rows in run.predictions.values() for row in rows}
    questions = [question for question in run.questions if question.id in asked]
    rows = _sample(questions, figure_limit, seed)
    browsed = _sample(rows, browse_limit, seed + 1)
    texts, columns = Interned(), Interned()
    splits = Interned()
    for name in words.ordered({name for question in rows for name in material.splits[question.id]}):
        splits.number(name)
    membership = [[splits.number(name) for name in material.splits[question.id]] for question in rows]
    position = {question.id: index for index, question in enumerate(rows)}
    systems = [_system(run, name, rows, browsed, texts, columns) for name in run.predictions]
    return {
        "splits": [{"name": name, "title": words.split_title(name)} for name in splits.values],
        "membership": membership,
        "answerable": "".join("01"[question.answerable] for question in rows),
        "systems": systems,
        "browse": [position[question.id] for question in browsed],
        "question": [texts.number(_clip(question.text)) for question in browsed],
        "context": _contexts(browsed, texts),
        "choices": [[texts.number(_clip(c)) for c in question.choices] for question in browsed],
        "gold": [[texts.number(_clip(a)) for a in question.answers] for question in browsed],
        "ids": [question.id for question in browsed],
        "texts": texts.values,
        "columns": columns.values,
        "total": len(questions),
        "bins": run.metrics.get("settings", {}).get("ece_bins", 15),
        "level": run.metrics.get("settings", {}).get("level", 0.95),
        "promise": promise.drawn(run.guarantee),
        "moves": _moves(run, material),
        "called": [
            {"before": str(before), "after": str(after), "name": name}
            for (before, after), name in flow.CELLS.items()
        ],
        "slices": {
            system: {split: _slices(found) for split, found in by_split.items()}
            for system, by_split in material.sliced.items()
        },
        "dimensions": DIMENSIONS,
        "least": LEAST,
        "chance": LEVEL,
    }


def packed(sheets: Iterable[Sheet]) -> dict[str, str]:
    """Each table's CSV text, compressed by gzip, in base64; the same text gives the same bytes."""
    return {
        sheet.name: base64.b64encode(gzip.compress(sheet.text.encode(), mtime=0)).decode()
        for sheet in sheets
    }


def _moves(run: FinishedRun, material: Material) -> dict[str, Any]:
    """The grid of before and after by system and split, with its rates."""
    measured = run.metrics["metrics"]
    return {
        system: {
            split: {
                "counts": found.counts,
                "unscored": found.unscored,
                "rates": flow.rates(measured.get(system, {}).get(split, {})),
            }
            for split, found in by_split.items()
        }
        for system, by_split in material.moves.items()
    }


def _slices(sliced: Sliced) -> dict[str, Any]:
    """Slices as lists: dimension, value, n, unscored, answered, accuracy, refusal, and the two p values."""
    return {
        "small": sliced.small,
        "rows": [
            [
                *(item.dimension, item.value, item.n, item.unscored, item.answered),
                *(_rounded(item.accuracy), _rounded(item.refusal)),
                *(_rounded([item.p_accuracy, item.p_refusal]) or []),
            ]
            for item in sliced.slices
        ],
    }


def _rounded(values: Sequence[float | None] | None) -> list[float | None] | None:
    """To six decimals: what a screen shows has fewer."""
    return None if values is None else [None if value is None else round(value, 6) for value in values]


def embed(value: Any) -> str:
    """JSON that can stand inside a ``script`` element: nothing in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _sample(questions: Sequence[Question], limit: int, seed: int) -> list[Question]:
    """All questions, or ``limit`` of them drawn by seed, in their own order."""
    if len(questions) <= limit:
        return list(questions)
    chosen = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311 - no secret
    return [questions[index] for index in chosen]


def _contexts(questions: Iterable[Question], texts: Interned) -> list[int]:
    """A text number per question, -1 where it has no context."""
    return [-1 if q.context is None else texts.number(_clip(q.context)) for q in questions]


def _system(
    run: FinishedRun,
    name: str,
    rows: Sequence[Question],
    browsed: Sequence[Question],
    texts: Interned,
    columns: Interned,
) -> dict[str, Any]:
    """One system's columns: verdicts and signals of ``rows``, answers and raw texts of ``browsed``."""
    found = {row.question_id: row for row in run.predictions[name]}
    signals = _signals(found.values())
    aligned = [found.get(question.id) for question in rows]
    shown = [found.get(question.id) for question in browsed]
    primary = primary_signal(run, name)
    return {
        "name": name,
        "title": words.title(name),
        "primary": primary if primary in signals else next(iter(signals), None),
        "signals": {signal: columns.number(_column(aligned, signal)) for signal in signals},
        "codes": "".join(_code(row) for row in aligned),
        "answers": [-1 if row is None else texts.number(_clip(row.answer)) for row in shown],
        "responses": [-1 if row is None else texts.number(_clip(row.response)) for row in shown],
    }


def _signals(rows: Iterable[Prediction]) -> list[str]:
    """The signals that any row has, known ones first, in the order of `SIGNALS`."""
    present = {signal for row in rows for signal in row.signals}
    return [s for s in SIGNALS if s in present] + sorted(present - set(SIGNALS))


def _column(rows: Sequence[Prediction | None], signal: str) -> str:
    """A signal as little-endian 64-bit floats in base64, NaN where unknown."""
    import numpy as np

    values = [_signal(row.signals if row else {}, signal) for row in rows]
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


def _signal(signals: Mapping[str, float], name: str) -> float:
    value = signals.get(name)
    return math.nan if value is None else float(value)


def _code(row: Prediction | None) -> str:
    if row is None:
        return NO_PREDICTION
    letter = CODES[row.verdict]
    return letter.upper() if row.abstained and not row.silent else letter


def _clip(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
