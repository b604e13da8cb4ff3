"""The claims of a paper as one picture: effects and intervals beside the smallest effect that matters.

Every effect is divided by its claim's smallest effect that matters, so that claims of different units share
an axis: from 1 on an effect matters, between -1 and 1 it does not. The axis is linear to 2 and grows with
the logarithm beyond.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from demur.claims.base import Claim, Finding
from demur.claims.catalogue import GROUPS, places_of
from demur.claims.places import Place
from demur.core.files import write_text

COLOURS = {
    "pocket": "#8a6d00",
    "pocket-reader": "#8a6d00",
    "smollm2-pararel": "#0b62a8",
    "smollm2-atlas": "#3f9fdc",
    "gemma-atlas": "#b3365b",
}
"""By place; told apart by their order in each claim, too."""
LINEAR = 2.0
MOST = 40.0
"""Effects, in smallest effects that matter, at which the linear part and the axis end."""
WIDTH, LEFT, RIGHT = 860, 310, 20
ROW, GAP, TOP, BOTTOM = 15, 9, 58, 26

Findings = Mapping[tuple[str, str], Finding]


def file_of(group: str) -> str:
    """The picture's file beside the page."""
    return f"claims-{re.sub(r'[^a-z]+', '-', group.lower()).strip('-')}.svg"


def write_pictures(findings: Findings, folder: Path) -> None:
    """Every paper's picture, into a folder."""
    for group, claims in GROUPS.items():
        if any(claim.name == name for claim in claims for name, _ in findings):
            write_text(folder / file_of(group), picture(group, claims, findings))


def picture(group: str, claims: Sequence[Claim], findings: Findings) -> str:
    """The picture as SVG."""
    rows = [(claim, [p for p in places_of(claim) if (claim.name, p.name) in findings]) for claim in claims]
    rows = [(claim, places) for claim, places in rows if places]
    height = TOP + BOTTOM + sum(len(places) * ROW + GAP for _, places in rows)
    return "\n".join(_svg(group, rows, findings, height)) + "\n"


def _svg(
    group: str, rows: Sequence[tuple[Claim, list[Place]]], findings: Findings, height: int
) -> Iterator[str]:
    title = f"{group}: effects, in smallest effects that matter"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="11" role="img">'
    )
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    yield f'<text x="12" y="20" font-size="13" font-weight="bold">{escape(title)}</text>'
    yield from _legend({place.name: place.title for _, places in rows for place in places})
    bottom = height - BOTTOM
    wide, high = _x(1) - _x(-1), bottom - TOP + 8
    yield f'<rect x="{_x(-1):.1f}" y="{TOP - 8}" width="{wide:.1f}" height="{high}" fill="#eee"/>'
    for tick in (-30, -10, -3, -1, 0, 1, 3, 10, 30):
        dark = "#777" if tick == 0 else "#ddd"
        yield f'<path d="M{_x(tick):.1f} {TOP - 8}V{bottom}" stroke="{dark}"/>'
        label = str(tick).replace("-", "−")
        yield f'<text x="{_x(tick):.1f}" y="{bottom + 15}" text-anchor="middle" fill="#333">{label}</text>'
    y = TOP
    for claim, places in rows:
        middle = y + len(places) * ROW / 2
        yield f'<text x="{LEFT - 14}" y="{middle + 3:.1f}" text-anchor="end">{escape(claim.name)}</text>'
        for place in places:
            yield from _interval(
                findings[claim.name, place.name], claim.margin, COLOURS[place.name], y + ROW / 2
            )
            y += ROW
        y += GAP
    yield "</svg>"


def _legend(places: Mapping[str, str]) -> Iterator[str]:
    x = 12
    for name, title in places.items():
        yield f'<circle cx="{x + 4}" cy="36" r="4" fill="{COLOURS[name]}"/>'
        yield f'<text x="{x + 13}" y="40">{escape(title)}</text>'
        x += 24 + 7 * len(title)


def _interval(finding: Finding, margin: float, colour: str, y: float) -> Iterator[str]:
    """A dot, and its interval; hollow where nothing was decided."""
    if finding.mean is None:
        return
    if finding.low is not None and finding.high is not None:
        ends = f"M{_x(finding.low / margin):.1f} {y:.1f}H{_x(finding.high / margin):.1f}"
        yield f'<path d="{ends}" stroke="{colour}" stroke-width="2"/>'
    decided = finding.verdict in ("holds", "does not hold", "smaller than matters")
    fill = colour if decided else "#fff"
    x = _x(finding.mean / margin)
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}"/>'


def _x(value: float) -> float:
    """Where an effect stands, in pixels."""
    middle, half = (LEFT + WIDTH - RIGHT) / 2, (WIDTH - RIGHT - LEFT) / 2
    size = min(abs(value), MOST)
    grown = size if size <= LINEAR else LINEAR * (1 + math.log(size / LINEAR))
    end = LINEAR * (1 + math.log(MOST / LINEAR))
    return middle + math.copysign(grown / end * half, value)
