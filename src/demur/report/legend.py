"""What a metric's name means: title, direction and one line, for the tables of page and terminal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from demur.core.records import SIGNALS
from demur.metrics import describe


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
    percent: bool = False
    """Whether its values are written as percentages."""

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
        return f"{100 * value:.1f}%" if self.percent else f"{value:.3f}"

    def interval(self, low: float | None, high: float | None) -> str:
        """An interval of this metric for a table, empty where undefined."""
        if low is None or high is None:
            return ""
        if self.percent:
            return f"{100 * low:.1f}–{100 * high:.1f}"
        return f"{low:.3f}–{high:.3f}"

    def short_interval(self, low: float | None, high: float | None) -> str:
        """The same in two digits, for a terminal's narrow columns."""
        if low is None or high is None:
            return ""
        scale, digits = (100, 0) if self.percent else (1, 2)
        return f"{scale * low:.{digits}f}–{scale * high:.{digits}f}"


def legend(metric: str) -> Legend:
    """The legend of a metric; one with a signal's suffix is read as the metric by that signal."""
    name, signal = _without_signal(metric)
    described = _described().get(name, {})
    title = described.get("title") or name.replace("_", " ")
    return Legend(
        name=metric,
        title=f"{title}, by {signal}" if signal else title,
        meaning=described.get("meaning", ""),
        direction={"higher": "higher", "lower": "lower"}.get(described.get("better", ""), ""),
        source=described.get("source", ""),
        undefined=described.get("undefined", ""),
        percent=described.get("percent", False),
    )


def legends() -> list[Legend]:
    """The legends of all metrics."""
    return [legend(name) for name in _described()]


def main_metrics() -> list[str]:
    """What the main tables show, in their order: the metrics marked `headline`."""
    return [name for name, entry in _described().items() if entry["headline"]]


def _without_signal(metric: str) -> tuple[str, str]:
    name, _, signal = metric.rpartition("_")
    return (name, signal) if signal in SIGNALS and name else (metric, "")


@cache
def _described() -> dict[str, dict[str, Any]]:
    """What the metrics say of themselves, by name."""
    return {entry["name"]: entry for entry in describe()}
