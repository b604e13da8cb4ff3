"""The comparison as one self-contained page: tables with intervals, a plot, everything as CSV.

No script runs on it; a content security policy allows its own style alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from demur.compare.columns import COLUMNS
from demur.compare.sheets import sheets
from demur.compare.terminal import shown
from demur.core.files import write_text
from demur.core.version import __version__

PLOT = {"left": 52, "top": 12, "width": 460, "height": 300}
"""The plotting area in pixels."""
VERDICTS = {
    "better": "better",
    "worse": "worse",
    "even": "not told apart",
    "unsure": "perhaps by chance",
    "unequal": "no fair comparison",
}
"""What each tone of a difference is called."""
NEAR = 9
"""Dots whose centres are fewer pixels apart share a label."""
CHARACTER, LINE = 8.5, 15
"""Width and height of a label's character in pixels."""
DOTS = ("coverage", "accuracy_willing")


def write_page(summary: Mapping[str, Any], path: Path) -> None:
    """Write the page, atomically."""
    write_text(path, render(summary))


def render(summary: Mapping[str, Any]) -> str:
    """The page's text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("demur.compare"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = resources.files("demur.report").joinpath("static/report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("comparison.html.j2").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:",
        style=style,
        version=__version__,
        groups={name: _group(group, summary["level"]) for name, group in summary["datasets"].items()},
        runs=summary["runs"],
        level=f"{100 * summary['level']:.0f}%",
        columns=list(COLUMNS.values()),
        verdicts=VERDICTS,
        labels=_labels,
        chance=f"{1 - summary['level']:.2f}",
        files={sheet.name: _link("text/csv", sheet.text) for sheet in sheets(summary) if sheet.rows},
        json=_link("application/json", json.dumps(summary, separators=(",", ":"))),
    )


def _link(kind: str, text: str) -> str:
    """A text as the address of a file to download."""
    return f"data:{kind};base64," + base64.b64encode(text.encode()).decode()


def _group(group: Mapping[str, Any], level: float) -> dict[str, Any]:
    """What the template shows of one dataset."""
    systems = list(group["systems"])
    colours = {system: number % 8 for number, system in enumerate(systems)}
    splits = sorted(group["splits"], key=lambda s: ({"id": 0, "ood": 1}.get(s.partition("/")[0], 2), s))
    return {
        "seeds": group["seeds"],
        "method": group["method"],
        "known_share": _text(group["truth"]["known_share"], "accuracy"),
        "colours": colours,
        "splits": {split: _rows(group["splits"][split]) for split in splits},
        "plots": {
            split: _dots(group["splits"][split], systems, colours)
            for split in splits
            if split in ("id", "ood")
        },
        "differences": [
            _difference(item, level) for item in group["differences"] if item["split"] in ("id", "ood")
        ],
        "reads": _reads(group["truth"]["reads"]),
    }


def _rows(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, str]]]:
    return {system: [_text(row[column], column) for column in COLUMNS] for system, row in cells.items()}


def _text(cell: Mapping[str, Any], column: str) -> dict[str, str]:
    """A value and its interval as text."""
    low, high = cell["low"], cell["high"]
    interval = "" if low is None or high is None else f"{shown(low, column)} … {shown(high, column)}"
    return {"value": shown(cell["mean"], column), "interval": interval}


def _dots(
    cells: Mapping[str, Mapping[str, Any]], systems: Sequence[str], colours: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Each system's mean and seeds as places in the plot; both axes run from 0 to 1."""
    found = []
    for number, system in enumerate(systems, start=1):
        x, y = (cells[system][column] for column in DOTS)
        if x["mean"] is not None and y["mean"] is not None:
            pairs = zip(x["values"], y["values"], strict=True)
            found.append(
                {
                    "number": number,
                    "system": system,
                    "colour": colours[system],
                    "mean": _place(x["mean"], y["mean"]),
                    "said": f"{shown(x['mean'], 'coverage')}%, {shown(y['mean'], 'accuracy_willing')}%",
                    "seeds": [_place(a, b) for a, b in pairs if a is not None and b is not None],
                }
            )
    return found


def _labels(dots: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Numbers for the dots: dots that lie on one another share a label, and no two labels overlap."""
    heaps: list[list[Mapping[str, Any]]] = []
    for dot in dots:
        near = next((heap for heap in heaps if math.dist(heap[0]["mean"], dot["mean"]) < NEAR), None)
        heaps.append([dot]) if near is None else near.append(dot)
    placed: list[dict[str, Any]] = []
    for heap in heaps:
        x, y = heap[0]["mean"]
        text = ", ".join(str(dot["number"]) for dot in heap)
        wide = CHARACTER * len(text)
        edge = PLOT["left"] + PLOT["width"]
        tries = [
            {
                "x": round(min(x + dx, edge + 20 - wide / 2), 1),
                "y": round(y + dy, 1),
                "text": text,
                "wide": wide,
            }
            for dy in (-12, 20, 4, -26, 34, -40, 48)
            for dx in ((0,) if dy != 4 else (12 + wide / 2, -12 - wide / 2))
        ]
        placed.append(next((at for at in tries if not _covered(at, placed, dots)), tries[0]))
    return placed


def _covered(
    at: Mapping[str, Any], labels: Sequence[Mapping[str, Any]], dots: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether a label would lie on another one, or on a dot."""
    on_label = any(
        abs(at["x"] - other["x"]) < (at["wide"] + other["wide"]) / 2 + 2
        and abs(at["y"] - other["y"]) < LINE
        for other in labels
    )
    middle = at["y"] - 4
    return on_label or any(
        abs(at["x"] - dot["mean"][0]) < at["wide"] / 2 + 6 and abs(middle - dot["mean"][1]) < LINE - 1
        for dot in dots
    )


def _place(x: float, y: float) -> tuple[float, float]:
    across = PLOT["left"] + x * PLOT["width"]
    return round(across, 1), round(PLOT["top"] + (1 - y) * PLOT["height"], 1)


def _difference(item: Mapping[str, Any], level: float) -> dict[str, Any]:
    """A difference with its verdict: coloured only where it is fair and stands after the correction."""
    p, low, high = item["p_holm"], item["low"], item["high"]
    text = _text(item, item["metric"])
    if not item["fair"]:
        return {**item, "text": {**text, "interval": "at unequal coverage"}, "tone": "unequal", "p": "–"}
    apart = low is not None and high is not None and (low > 0 or high < 0)
    tone = "even"
    if apart:
        better = (low > 0) is (COLUMNS[item["metric"]].better == "higher")
        stands = p is None or p < 1 - level  # without a p value the seeds agree to the digit
        tone = ("better" if better else "worse") if stands else "unsure"
    return {**item, "text": text, "tone": tone, "p": "–" if p is None else f"{p:.3f}"}


def _reads(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Answers by reads: the cells' names, and each system's figures."""
    names = list(dict.fromkeys(name for table in tables.values() for name in table))
    names.sort(key=lambda name: (name.partition("/")[0], int(name.partition("/")[2])))
    rows = {
        system: [
            (
                shown(table[name]["answered"]["mean"], "coverage"),
                shown(table[name]["accuracy_willing"]["mean"], "accuracy"),
            )
            if name in table
            else ("–", "–")
            for name in names
        ]
        for system, table in tables.items()
    }
    return {"names": names, "rows": rows}
