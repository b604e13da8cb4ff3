"""What a fitted confidence knows beyond its controls, in words and rows for the report and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demur.methods.demur import sentence as tuning_sentence
from demur.report import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A signal or a control, as texts by domain."""

    name: str
    control: bool
    cells: tuple[str, ...]
    """By `Controlled.columns`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """One system's part of the section."""

    title: str
    sentences: tuple[str, ...]
    columns: tuple[str, ...]
    """For each domain all answers, within groups and, where questions hold answers, those to the others."""
    rows: tuple[Row, ...]


def controlled(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[Controlled]:
    """What the report shows, for each system that was fitted to labels."""
    return [
        Controlled(
            title=words.title(system),
            sentences=(*tuning(system, manifest), *sentences(domains)),
            columns=tuple(title for domain, found in domains.items() for title in _titles(domain, found)),
            rows=tuple(_rows(domains)),
        )
        for system, domains in metrics.get("controls", {}).items()
        if domains
    ]


def tuning(system: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What tuning did before the confidence was fitted, in a sentence, where a model was tuned."""
    notes = manifest.get("stages", {}).get(f"fit/{system}", {}).get("tuning")
    if notes is not None:
        yield f"{words.title(system)}: {tuning_sentence(notes)}."


def sentences(domains: Mapping[str, Any]) -> Iterator[str]:
    """What is left above the best control and the best free signal, in a sentence for each domain."""
    for domain, found in domains.items():
        leads = [
            _told(lead, kind)
            for kind, lead in (
                ("control", found["lead"]["control"]),
                ("free signal", found["lead"]["signal"]),
            )
            if lead is not None
        ]
        if leads:
            yield f"{words.split_title(domain)}, by AUROC, the fitted confidence ranks {'; '.join(leads)}."


def _told(lead: Mapping[str, Any], kind: str) -> str:
    value, low, high = (100 * lead[name] for name in ("value", "low", "high"))
    rival = f"the best {kind} ({lead['name']})"
    span = f"[{low:+.1f}, {high:+.1f}]"
    if lead["low"] <= 0 <= lead["high"]:
        text = f"no better or worse than {rival} as far as this run can tell ({value:+.1f} points {span})"
    else:
        side = "above" if value > 0 else "below"
        text = f"{abs(value):.1f} points {span} {side} {rival}"
    return text.replace("-", "−")


VIEWS = {"auroc": "", "within": "within groups", "elsewhere": "answer not in the question"}
"""Columns of a domain, by what ``metrics.json`` calls them; the first has the domain's own title."""


def _views(found: Mapping[str, Any]) -> list[str]:
    """The columns that a domain has."""
    cells = [cell for kind in ("signals", "controls") for cell in found[kind].values()]
    return [name for name in VIEWS if any(name in cell for cell in cells)]


def _titles(domain: str, found: Mapping[str, Any]) -> Iterator[str]:
    for view in _views(found):
        yield VIEWS[view] or words.split_title(domain)


def _rows(domains: Mapping[str, Any]) -> Iterator[Row]:
    """Signals, then controls; the best in the first domain first."""
    for kind in ("signals", "controls"):
        best: dict[str, float] = {}
        for found in domains.values():
            best |= {name: cell["auroc"] or 0.0 for name, cell in found[kind].items() if name not in best}
        for name in sorted(best, key=best.__getitem__, reverse=True):
            cells = [(found[kind].get(name, {}), _views(found)) for found in domains.values()]
            texts = [_text(cell.get(view)) for cell, views in cells for view in views]
            yield Row(name=name, control=kind == "controls", cells=tuple(texts))


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")
