"""What a metric's name means: title, direction and one line, for the tables of page and terminal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from demur.core.records import SIGNALS
from demur.metrics import describe
from demur.report import words

SHARES = frozenset({"accuracy", "coverage", "accuracy_willing", "refusal_rate"})
"""Metrics written as percentages; the others are written as plain numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """How to read one metric."""

    name: str
    title: str
    meaning: str
    """One line; empty for a metric that nobody described."""
    direction: str
    """``higher`` or ``lower`` is better; empty where neither is, or where it is unknown."""
    source: str
    undefined: str
    """When it has no value."""

    @property
    def arrow(self) -> str:
        """The direction as a sign."""
        return {"higher": "↑", "lower": "↓"}.get(self.direction, "")

    @property
    def direction_words(self) -> str:
        """The direction in words, empty where there is none."""
        return f"{self.direction} is better" if self.direction else ""

    def cell(self, value: float | None) -> str:
        """A value of this metric for a table."""
        if value is None:
            return "–"
        return f"{100 * value:.1f}%" if self.name in SHARES else f"{value:.3f}"

    def interval(self, low: float | None, high: float | None) -> str:
        """An interval of this metric for a table, empty where undefined."""
        if low is None or high is None:
            return ""
        if self.name in SHARES:
            return f"{100 * low:.1f}–{100 * high:.1f}"
        return f"{low:.3f}–{high:.3f}"

    def short_interval(self, low: float | None, high: float | None) -> str:
        """The same in two digits, for a terminal's narrow columns."""
        if low is None or high is None:
            return ""
        scale, digits = (100, 0) if self.name in SHARES else (1, 2)
        return f"{scale * low:.{digits}f}–{scale * high:.{digits}f}"


def legend(metric: str) -> Legend:
    """The legend of a metric; one with a signal's suffix is read as the metric by that signal."""
    name, signal = _without_signal(metric)
    described = _described().get(name, {})
    title, meaning = words.METRICS.get(name, (name.replace("_", " "), ""))
    return Legend(
        name=metric,
        title=f"{title}, by {signal}" if signal else title,
        meaning=meaning,
        direction={"higher": "higher", "lower": "lower"}.get(described.get("better", ""), ""),
        source=described.get("source", ""),
        undefined=described.get("undefined", ""),
    )


def _without_signal(metric: str) -> tuple[str, str]:
    name, _, signal = metric.rpartition("_")
    return (name, signal) if signal in SIGNALS and name else (metric, "")


@cache
def _described() -> dict[str, dict[str, Any]]:
    """What the metrics say of themselves, by name."""
    return {entry["name"]: entry for entry in describe()}
