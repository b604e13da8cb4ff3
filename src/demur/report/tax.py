"""The alignment tax in words: one row for each task and metric, for the report and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demur.report import words


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One metric of one task, as texts."""

    task: str
    metric: str
    arrow: str
    """Which way is better; empty where neither is."""
    n: str
    base: str
    tuned: str
    difference: str
    """Tuned less base, with its interval; shares in percentage points."""
    moved: str
    """Documents lost and gained; a dash where a document is not right or wrong."""
    tone: str
    """``better``, ``worse``, ``even`` (the interval holds zero) or ``undefined``; ``neither`` without a
    direction."""

    @property
    def direction(self) -> str:
        """The arrow in words."""
        return {"↑": "higher is better", "↓": "lower is better"}.get(self.arrow, "")


ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}


def tax_rows(tax: Mapping[str, Any]) -> list[TaxRow]:
    """Every row of a ``tax.json``."""
    return list(_rows(tax["tasks"]))


def tax_section(tax: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the report shows; None where nothing was measured."""
    if tax is None:
        return None
    settings = tax["settings"]
    return {
        "headline": headline(tax),
        "rows": tax_rows(tax),
        "system": tax["system"],
        "limit": settings["limit"],
        "level": words.percent(settings["level"]),
        "version": settings["lm_eval"],
    }


def headline(tax: Mapping[str, Any]) -> str:
    """What was found, in a sentence."""
    rows = [row for row in tax_rows(tax) if row.tone != "neither"]
    worse = [f"{row.task} ({row.metric})" for row in rows if row.tone == "worse"]
    better = [f"{row.task} ({row.metric})" for row in rows if row.tone == "better"]
    system = words.title(tax["system"])
    lost = f"worse than the base model on {_listed(worse)}"
    kept = f"measurably worse than the base model on none of {len(rows)} metrics"
    gained = f", and better on {_listed(better)}" if better else ""
    return f"{system} is {lost if worse else kept}{gained}."


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _rows(tasks: Mapping[str, Any]) -> Iterator[TaxRow]:
    for name, task in tasks.items():
        for metric, cell in task["metrics"].items():
            unscored = f" ({cell['unscored']} unscored)" if cell["unscored"] else ""
            yield TaxRow(
                task=name,
                metric=metric.replace("_", " "),
                arrow=ARROWS[cell["better"]],
                n=f"{cell['n']:,}{unscored}",
                base=_value(cell["base"], cell["unit"]),
                tuned=_value(cell["tuned"], cell["unit"]),
                difference=_difference(cell["difference"], cell["unit"]),
                moved="–" if cell["lost"] is None else f"{cell['lost']:,} / {cell['gained']:,}",
                tone=_tone(cell),
            )


def _tone(cell: Mapping[str, Any]) -> str:
    if cell["better"] == "neither":
        return "neither"
    return words.tone(cell["difference"], lower_is_better=cell["better"] == "lower")


def _value(estimate: Mapping[str, Any], unit: str) -> str:
    value = estimate["value"]
    if value is None:
        return "–"
    return words.percent(value) if unit == "share" else f"{value:.3f}"


def _difference(estimate: Mapping[str, Any], unit: str) -> str:
    """``−1.2 [−2.0, −0.4]``: points for shares, else the metric's own unit."""
    scale, digits = (100, 1) if unit == "share" else (1, 3)
    texts = [
        "–" if estimate[key] is None else f"{scale * estimate[key]:+.{digits}f}".replace("-", "−")
        for key in ("value", "low", "high")
    ]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if texts[0] != "–" else texts[0]
