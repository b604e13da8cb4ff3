"""The comparison as a page for the documentation: means, intervals over seeds, paired differences."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demur.compare.columns import COLUMNS
from demur.compare.terminal import shown
from demur.core.markdown import fenced, one_line, plain
from demur.core.version import __version__

TABLE: tuple[str, ...] = (
    *("accuracy", "accuracy_willing", "likelihood_willing", "coverage", "ap", "auroc", "honesty"),
    *("newly_wrong", "auroc_truth", "honesty_truth", "refused_unanswerable", "refused_twins", "seconds"),
)
DIFFERENCES = ("accuracy_willing", "auroc", "auroc_truth", "honesty")


def markdown(summary: Mapping[str, Any], *, title: str, command: str) -> str:
    """The page, dated, with its command and hardware."""
    return "\n".join(_lines(summary, title, command)) + "\n"


def _lines(summary: Mapping[str, Any], title: str, command: str) -> Iterator[str]:
    hardware = f"{os.cpu_count()} cores, {platform.machine()}"
    yield from (f"# {plain(title)}", "", fenced(one_line(command), "bash"), "")
    yield f"Demur {__version__}, {hardware}, {datetime.now(UTC).date().isoformat()}."
    for name, group in summary["datasets"].items():
        seeds = ", ".join(map(str, group["seeds"]))
        known = group["truth"]["known_share"]["mean"]
        yield from ("", f"## {plain(name)}, seeds {seeds}", "")
        yield "Means over seeds in percent where nothing else is said, Student's 95 % interval below."
        if known is not None:
            yield (
                f"Truly known are {shown(known, 'accuracy')} % of the test questions whose fact was read "
                "never, or several times an epoch."
            )
        for split in sorted(group["splits"], key=_order):
            if split.partition("/")[0] in ("id", "ood"):
                yield from ("", f"### {plain(split)}", "", *_table(group["splits"][split]))
        gaps = [item for item in group["differences"] if item["split"].partition("/")[0] in ("id", "ood")]
        yield from ("", "### Paired differences", "", *_differences(gaps))


def _order(split: str) -> tuple[int, str]:
    return ({"id": 0, "ood": 1}.get(split.partition("/")[0], 2), split)


def _table(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| system | " + " | ".join(COLUMNS[column].title for column in TABLE) + " |"
    yield "| --- |" + " ---: |" * len(TABLE)
    for system, cells in rows.items():
        yield f"| {plain(system)} | " + " | ".join(_cell(cells[column], column) for column in TABLE) + " |"


def _cell(cell: Mapping[str, Any], column: str) -> str:
    text = shown(cell["mean"], column)
    if cell["low"] is None or column == "seconds":
        return text
    return f"{text}<br><small>{shown(cell['low'], column)} … {shown(cell['high'], column)}</small>"


def _differences(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Each system minus the other, seed by seed; p of a paired t test, corrected by Holm over systems."
    yield "Accuracies when answering are compared at equal coverage only."
    yield from ("", "| split | column | system | against | difference | 95 % interval | p |")
    yield "| --- | --- | --- | --- | ---: | --- | ---: |"
    for item in sorted(items, key=lambda item: (_order(item["split"]), item["metric"])):
        if item["metric"] in DIFFERENCES and item["mean"] is not None:
            column, p = item["metric"], item["p_holm"]
            low, high = (shown(item[key], column) for key in ("low", "high"))
            if not item["fair"]:
                continue
            yield (
                f"| {plain(item['split'])} | {COLUMNS[column].title} | {plain(item['system'])} "
                f"| {plain(item['against'])} "
                f"| {shown(item['mean'], column)} | {low} … {high} | {'–' if p is None else f'{p:.3f}'} |"
            )
