"""The result files of Alignment for Honesty (arXiv 2312.07000): ``eval_predictions.jsonl``,
``post_predictions.jsonl``.

Rows of its evaluation sets with the model's response in ``pred_text``. Its own verdict (``pred``: correct,
wrong, idk) is left aside: the responses are judged anew. PUQA's accepted answers are the authors; its and
PKQA's ``label`` ("unknown", "known") is no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.layouts.base import Layout, Row, Wanted, most, objects

RESPONSE = "pred_text"
_OWN = ("pred", "has_match", "pred_choice", "gold_answer", "authors")
_LEFT_OUT = (
    "pred",
    "prompt",
    "exact_match",
    "has_match",
    "loosely_correct",
    "pred_choice",
    "chatgpt_prompt",
)
_LABELS = ("known", "unknown")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Rows with a response."""

    note: str = "read as a result file of Alignment for Honesty: pred_text is the response, judged anew"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row, with its accepted answers."""
        if not isinstance(value, dict) or RESPONSE not in value:
            return (value,)
        row = {name: held for name, held in value.items() if name not in _LEFT_OUT}
        if row.get("label") in _LABELS:
            del row["label"]
        return (row | _answers(row),)


def _answers(row: Row) -> dict[str, Any]:
    if "authors" in row and "title" in row:
        return {"answers": row["authors"]}
    if isinstance(row.get("answer"), str):
        return {"answer": row["answer"].removeprefix("Answer:").strip() or row["answer"]}
    return {"answers": row["target"]} if "choices" in row and "target" in row else {}


def _find(first: Sequence[Any], wanted: Wanted) -> Predictions | None:
    named = wanted.options.fields.keys() & {"answers", "response"}

    def fits(row: Row) -> bool:
        asked = isinstance(row.get("question"), str) and isinstance(row.get(RESPONSE), str)
        return asked and any(name in row for name in _OWN)

    return Predictions() if not named and most(objects(first), fits) else None


LAYOUT = Layout(name="honesty-predictions", title="results of Alignment for Honesty", find=_find)
