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
    """AUROC of all answers and within groups, for each domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """One system's part of the section."""

    title: str
    sentences: tuple[str, ...]
    domains: tuple[str, ...]
    rows: tuple[Row, ...]


def controlled(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[Controlled]:
    """What the report shows, for each system that was fitted to labels."""
    return [
        Controlled(
            title=words.title(system),
            sentences=(*tuning(system, manifest), *sentences(domains)),
            domains=tuple(words.split_title(domain) for domain in domains),
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


def _rows(domains: Mapping[str, Any]) -> Iterator[Row]:
    """Signals, then controls; the best in the first domain first."""
    for kind in ("signals", "controls"):
        best: dict[str, float] = {}
        for found in domains.values():
            best |= {name: cell["auroc"] or 0.0 for name, cell in found[kind].items() if name not in best}
        for name in sorted(best, key=best.__getitem__, reverse=True):
            cells = [found[kind].get(name, {}) for found in domains.values()]
            texts = [_text(cell.get(key)) for cell in cells for key in ("auroc", "within")]
            yield Row(name=name, control=kind == "controls", cells=tuple(texts))


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")
