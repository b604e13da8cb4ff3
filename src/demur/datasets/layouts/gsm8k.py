r"""GSM8K and MATH: the answer stands behind ``####`` at the end of its rationale, or in its ``\boxed{}``.

Sources: arXiv 2110.14168 (GSM8K), 2103.03874 (MATH).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import answers_field
from demur.datasets.layouts.base import Layout, Wanted, fields_of, most, objects
from demur.judging.statements import boxed

_MARK = "####"


@dataclass(frozen=True, slots=True)
class Rationales:
    r"""Rows whose answers end in ``#### GOLD``, or hold ``\boxed{GOLD}``.

    Args:
        answers: the field of the answers.
    """

    answers: str
    note: str = (
        "read as GSM8K's or MATH's layout: the answer is what stands behind #### or in \\boxed{}, the "
        "rationale is left out"
    )

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with the gold answer alone."""
        if not isinstance(value, dict) or self.answers not in value:
            return (value,)
        return ({**value, self.answers: _gold(value[self.answers])},)


def _gold(value: Any) -> Any:
    if isinstance(value, list):
        return [_gold(item) for item in value]
    return _behind_mark(value) or value


def _behind_mark(value: Any) -> str:
    """What stands behind the mark on the last line, else in the last box; empty where neither is."""
    if isinstance(value, str) and "\\boxed" in value:
        return boxed(value) or ""
    last = value.rstrip().rpartition("\n")[2].strip() if isinstance(value, str) else ""
    return last.removeprefix(_MARK).strip() if last.startswith(_MARK) else ""


def _find(first: Sequence[Any], wanted: Wanted) -> Rationales | None:
    rows = objects(first)
    name = answers_field(fields_of(rows), wanted.options)
    return Rationales(name) if name is not None and most(rows, lambda row: _ends(row.get(name))) else None


def _ends(value: Any) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(map(_behind_mark, listed))


LAYOUT = Layout(
    name="gsm8k", title=r"a rationale with the answer behind #### (GSM8K) or in \boxed{} (MATH)", find=_find
)
