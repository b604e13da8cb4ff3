"""The claims as a page that a person reads: what came out, in numbers and in a sentence."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from demur.claims.base import Finding
from demur.claims.catalogue import CLAIMS, GROUPS
from demur.core.version import __version__

MARKS = {
    "holds": "holds",
    "does not hold": "**does not hold**",
    "undecided": "undecided",
    "not measured": "–",
}


def markdown(
    findings: Mapping[str, Finding],
    *,
    seeds: Sequence[int],
    command: str,
    minutes: float | None,
    tables: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The page.

    Args:
        tables: further lines below a group of claims.
        command: what made it.
        minutes: how long its runs took; None where they were there already.
    """
    return "\n".join(_lines(findings, seeds, command, minutes, tables or {})) + "\n"


def _lines(
    findings: Mapping[str, Finding],
    seeds: Sequence[int],
    command: str,
    minutes: float | None,
    tables: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    counts = Counter(finding.verdict for finding in findings.values())
    yield "# The papers' claims, checked"
    yield ""
    yield (
        f"{counts['holds']} hold, {counts['does not hold']} do not, {counts['undecided']} are undecided"
        + (f", {counts['not measured']} could not be measured" if counts["not measured"] else "")
        + f", of {len(findings)} claims over {len(seeds)} seeds."
    )
    yield ""
    yield from _shortfalls(findings)
    yield (
        "A seed redraws the pocket world, its base model and every tuning. Effects are means over seeds, "
        "with Student's 95 % interval; each claim's smallest effect that matters was fixed beforehand. A "
        "claim *holds* where the interval lies above zero (that something is *kept*: above minus that "
        "smallest effect) and does *not hold* where it lies below the smallest effect that matters. "
        "*Detectable* is the effect that so many seeds would have shown four times out of five. Small "
        "models of a made-up world: what fails here may hold for large ones, and the other way round."
    )
    yield ""
    hardware = f"{os.cpu_count()} cores, {platform.machine()}, no GPU"
    took = "" if minutes is None else f", {minutes:.0f} minutes for the runs that were made"
    yield f"```bash\n{command}\n```"
    yield ""
    yield f"Demur {__version__}, seeds {', '.join(map(str, seeds))}, {hardware}{took}, {_today()}."
    for group, claims in GROUPS.items():
        chosen = [claim.name for claim in claims if claim.name in findings]
        if chosen:
            yield from ("", f"## {group}", "")
            yield "| claim | effect | mean | 95 % interval | detectable | verdict |"
            yield "| --- | --- | --- | --- | --- | --- |"
            yield from (_row(name, findings[name]) for name in chosen)
            yield ""
            notes = [f"- `{name}`: {CLAIMS[name].why}" for name in chosen if CLAIMS[name].why]
            yield from notes
            if group in tables:
                yield from ("", *tables[group])


def _shortfalls(findings: Mapping[str, Finding]) -> Iterator[str]:
    """What Demur's own method was to show and does not, first of all."""
    missed = [
        CLAIMS[name].text
        for name, finding in findings.items()
        if CLAIMS[name].source.startswith("Demur") and finding.verdict != "holds"
    ]
    if missed:
        yield "Demur's own method falls short of its aims here:"
        yield ""
        yield from (f"- not shown: {text}" for text in missed)
        yield ""


def _row(name: str, finding: Finding) -> str:
    claim = CLAIMS[name]
    interval = "–" if finding.low is None else f"{_number(finding.low)} … {_number(finding.high)}"
    verdict = MARKS[finding.verdict]
    if finding.verdict == "undecided":
        verdict += f", {finding.seeds_needed} seeds would decide" if finding.seeds_needed else ""
    return (
        f"| {claim.text} ({claim.source}) `{name}` | {claim.unit} | {_number(finding.mean)} | {interval} "
        f"| {_number(finding.detectable)} | {verdict} |"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
