"""Paired differences with what a reader must know to weigh them: fair at all, and one of how many?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demur.metrics.multiple import holm, p_of_interval
from demur.report import words
from demur.report.legend import legend

SAME_COVERAGE = 0.005
"""Coverages that differ by less count as equal: groups are rounded to whole questions."""
AT_COVERAGE = frozenset({"accuracy_willing"})
"""Metrics that compare only at equal coverage: who answers less is easily right more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """One paired difference."""

    row: Mapping[str, Any]
    """As it stands in ``metrics.json``."""
    fair: bool
    """False where the metric compares only at equal coverage and the coverages differ."""
    coverage: float | None
    coverage_against: float | None
    p: float | None
    """Of "no difference", by the normal approximation of its interval; None where not fair or undefined."""
    p_holm: float | None
    """The same, corrected over its family."""
    family: int
    """Comparisons by this metric on these questions and their groups that have a p value."""
    level: float
    """Of the interval."""

    @property
    def tone(self) -> str:
        """As `words.tone`; ``unequal`` where it is not fair, ``unsure`` where the correction undoes it."""
        if not self.fair:
            return "unequal"
        lower = legend(self.row["metric"]).direction == "lower"
        tone = words.tone(self.row, lower_is_better=lower)
        undone = tone in ("better", "worse") and self.p_holm is not None and self.p_holm >= 1 - self.level
        return "unsure" if undone else tone

    @property
    def said(self) -> str:
        """The difference in words, for a table cell."""
        lower = legend(self.row["metric"]).direction == "lower"
        if not self.fair:
            value = self.row["value"]
            points = "undefined" if value is None else f"{words.signed(100 * value)} points"
            shares = f"{words.percent(self.coverage)} against {words.percent(self.coverage_against)}"
            return f"no fair comparison: {points}, answering {shares}"
        said = words.compare(self.row, lower_is_better=lower, brief=True)
        return f"{said}, perhaps by chance (of {self.family})" if self.tone == "unsure" else said


def paired_differences(metrics: Mapping[str, Any]) -> list[PairedDifference]:
    """The differences of ``metrics.json``, corrected by metric, split and the split's groups together."""
    rows = metrics.get("differences", [])
    level = metrics.get("settings", {}).get("level", 0.95)
    fair = [is_fair(metrics, row) for row in rows]
    p = [
        p_of_interval(row["value"], row["low"], row["high"], level) if ok else None
        for row, ok in zip(rows, fair, strict=True)
    ]
    families: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        families.setdefault((row["metric"], words.whole(row["split"])), []).append(i)
    corrected: dict[int, float | None] = {}
    size: dict[int, int] = {}
    for members in families.values():
        corrected |= dict(zip(members, holm([p[i] for i in members]), strict=True))
        size |= dict.fromkeys(members, sum(p[i] is not None for i in members))
    return [
        PairedDifference(
            row=row,
            fair=fair[i],
            coverage=_coverage(metrics, row["system"], row["split"]),
            coverage_against=_coverage(metrics, row["against"], row["split"]),
            p=p[i],
            p_holm=corrected[i],
            family=size[i],
            level=level,
        )
        for i, row in enumerate(rows)
    ]


def is_fair(metrics: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether both sides of a difference can be held against each other at all."""
    if row["metric"] not in AT_COVERAGE:
        return True
    return same_coverage(metrics, row["system"], row["against"], row["split"])


def same_coverage(metrics: Mapping[str, Any], system: str, against: str, split: str) -> bool:
    """Whether two systems answer equally often; where one has no coverage they do not."""
    ours, theirs = (_coverage(metrics, name, split) for name in (system, against))
    return ours is not None and theirs is not None and abs(ours - theirs) < SAME_COVERAGE


def _coverage(metrics: Mapping[str, Any], system: str, split: str) -> float | None:
    found: float | None = metrics["metrics"].get(system, {}).get(split, {}).get("coverage", {}).get("value")
    return found
