"""The result files of R-Tuning's evaluation scripts (arXiv 2311.09677): triples without questions or
texts.

``[right, confidence, sure]``: 1 where an accepted answer stands in the output, else 0; the geometric mean
of the output's token probabilities; the probability of "sure" against "unsure". The scripts rank by the
mean of both, which is Demur's ``combined``. Rows are matched with others by their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.records import Verdict
from demur.datasets.layouts.base import VERDICT, Layout, Wanted, most
from demur.datasets.values import is_number


@dataclass(frozen=True, slots=True)
class Triples:
    """Such rows."""

    note: str = (
        "read as R-Tuning's results: right or wrong as its script found it (the answer stands in the "
        "output); combined is the mean of sure and likelihood, by which it ranks"
    )

    def rows(self, value: Any) -> Iterable[Any]:
        """The row as fields."""
        if not _is_triple(value):
            return (value,)
        right, likelihood, sure = value
        signals = {"combined": (likelihood + sure) / 2, "sure": sure, "likelihood": likelihood}
        return (
            {
                "question": "(a question of R-Tuning's test file)",
                "answers": [],
                "response": "(not in the file)",
                "confidence": signals,
                VERDICT: Verdict.CORRECT if right else Verdict.WRONG,
            },
        )


def _is_triple(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not all(map(is_number, value)):
        return False
    return value[0] in (0, 1) and all(0 <= number <= 1 for number in value[1:])


def _find(first: Sequence[Any], wanted: Wanted) -> Triples | None:
    return Triples() if wanted.purpose == "outputs" and most(first, _is_triple) else None


LAYOUT = Layout(name="r-tuning-results", title="results of R-Tuning's scripts (triples)", find=_find)
