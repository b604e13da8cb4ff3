"""The score of some outputs for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demur.judging.llm_judge import sentences
from demur.metrics import METRICS

if TYPE_CHECKING:
    from rich.console import RenderableType


MARK = "*"
"""After figures of a small sample."""


def tables(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Outcomes, metrics beside what costs nothing, and what could not be computed."""
    from rich.table import Table
    from rich.text import Text

    outcomes = Table("", "correct", "wrong", "refused", "unscored", title=f"{found['rows']:,} rows")
    for name, row in found["tables"].items():
        outcomes.add_row(
            name, *(f"{row[column]:,}" for column in ("correct", "wrong", "refused", "unscored"))
        )
    yield outcomes
    if found["no_answer"]:
        yield Text(f"no answer: {found['no_answer']:,} of the unscored")
    yield Text(_readings(found["readings"]))
    policies = found["policies"]
    columns = ("metric", "value", "95 % interval", "n", *(name.replace("_", " ") for name in policies))
    measured = Table(*columns)
    computed = any(found["signals"].values())
    beside = _of_signals(found) if computed else {}
    for name, cell in found["metrics"].items():
        if name not in beside and cell["value"] is not None:
            free = (_number(policy.get(name, {}).get("value")) for policy in policies.values())
            mark = MARK if cell.get("small") else ""
            measured.add_row(
                name, f"{_number(cell['value'])}{mark}", _interval(cell), f"{cell['n']:,}", *free
            )
    yield measured
    if computed:
        yield _signals_table(found)
    told = {name: cell for name, cell in found["metrics"].items() if name not in beside}
    yield from (Text(sentence) for sentence in _beside(told))
    for name, of in (("judge", ""), ("judge_before", "before: ")):
        if found[name]:
            yield _agreement_table(found[name]["agreement"]["table"])
            yield from (Text(f"{of}{sentence}") for sentence in sentences(found[name]))
    for reason, names in _by_reason(found["not_computed"]).items():
        yield Text(f"not computed, {reason}: {', '.join(names)}")
    for note in found["notes"]:
        yield Text(f"note: {note}")
    yield Text("always refusing scores 100 % prudence and abstention recall: read no metric alone")


SIDE_BY_SIDE = ("auroc", "ap", "aurc", "prr", "ece", "brier")
"""Metrics by which signals are compared; JSON has all of them, with intervals."""


def _of_signals(found: Mapping[str, Any]) -> dict[str, str]:
    """The metrics of single signals, ``METRIC_SIGNAL``, with the signal of each."""
    names = {f"{metric}_{signal}": signal for metric, _ in METRICS.items() for signal in found["signals"]}
    return {name: names[name] for name in found["metrics"] if name in names and name not in METRICS}


def _signals_table(found: Mapping[str, Any]) -> RenderableType:
    """Every confidence signal beside the others: how it ranks answers, how far it is a probability."""
    from rich.table import Table

    shown = Table("signal", box=None, header_style="dim", pad_edge=False, title="confidence signals")
    for metric in ("n", *SIDE_BY_SIDE):
        shown.add_column(metric, justify="right")
    single = len(found["signals"]) == 1
    for signal in found["signals"]:
        cells = [found["metrics"].get(name if single else f"{name}_{signal}") for name in SIDE_BY_SIDE]
        rows = next((f"{cell['n']:,}" for cell in cells if cell), "–")
        shown.add_row(signal, rows, *(_number(cell and cell["value"]) for cell in cells))
    return shown


_READ_AS = {
    "answered": "answer",
    "hedged": "answer with a reservation",
    "refused": "decline",
    "corrects-premise": "say that there is no such thing",
    "contradicts": "contradict what the question takes for granted",
    "unclear": "are unclear",
    "stated": "state a final answer",
}


def _readings(counts: Mapping[str, int]) -> str:
    """How the responses were read: ``900 answer, 30 decline; 120 state a final answer``."""
    told = [f"{counts[name]:,} {words}" for name, words in _READ_AS.items() if counts.get(name)]
    return f"responses: {', '.join(told) or 'none that says anything'}"


def _beside(cells: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Which samples are small, and which calibration errors chance alone would give."""
    small = {name: cell["small"] for name, cell in cells.items() if cell.get("small")}
    for reason, names in _by_reason(small).items():
        yield f"{MARK} small sample, {reason}: {', '.join(names)}"
    for name, cell in cells.items():
        found = cell.get("calibrated")
        if found:
            verdict = "exceeds" if found["exceeds"] else "does not exceed"
            yield (
                f"{name}: a calibrated model would have {found['mean']:.4f} "
                f"[{found['low']:.4f}, {found['high']:.4f}] here; this one {verdict} that"
            )


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that share a reason, under it."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        found.setdefault(reason, []).append(name)
    return found


def _agreement_table(counts: Mapping[str, Mapping[str, int]]) -> RenderableType:
    """The rule's verdicts against the model's."""
    from rich.table import Table

    table = Table("by rule \\ by model", *counts, title="two judges")
    for name, row in counts.items():
        table.add_row(name, *(f"{count:,}" for count in row.values()))
    return table


def metrics_table() -> RenderableType:
    """Every metric: what it needs, its range, which way is better, and where it comes from."""
    from rich.table import Table

    table = Table("name", "better", "range", "needs", "source")
    for name, metric in METRICS.items():
        low, high = (f"{bound:g}" for bound in metric.span)
        table.add_row(name, metric.better, f"{low} … {high}", ", ".join(metric.needs) or "–", metric.source)
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _interval(cell: Mapping[str, Any]) -> str:
    return "–" if cell["low"] is None else f"{cell['low']:.4f} … {cell['high']:.4f}"
