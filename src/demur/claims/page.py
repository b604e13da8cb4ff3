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
    "smaller than matters": "smaller than matters",
    "undecided": "undecided",
    "by construction": "by construction",
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
    rest = [
        (counts["by construction"], "cannot fail by construction"),
        (counts["not measured"], "could not be measured"),
    ]
    yield "# The papers' claims, checked"
    yield ""
    yield (
        f"{counts['holds']} hold, {counts['does not hold']} do not, {counts['smaller than matters']} are "
        f"smaller than matters, {counts['undecided']} are undecided"
        + "".join(f", {count} {words}" for count, words in rest if count)
        + f", of {len(findings)} claims over {len(seeds)} seeds."
    )
    yield ""
    yield from _shortfalls(findings)
    yield (
        "A seed redraws the pocket world, its base model and every tuning. Effects are means over "
        "seeds, with Student's 95 % interval; each claim's smallest effect that matters was fixed "
        "beforehand. A claim is *smaller than matters* where the interval lies within plus and minus "
        "that; else it *holds* where the effect is above zero, by a t test with Holm's correction over "
        "all claims of this page; else it does *not hold* where the interval lies below the smallest "
        "effect that matters. That something is *kept* (or a target *reached*) holds where the effect "
        "is above minus that smallest effect (above zero), and does not where it is below, both by the "
        "corrected test. Intervals are not corrected, nor is *power*: how often so many seeds would "
        "find an effect that lies so far above the border. Small models of a made-up world: what fails "
        "here may hold for large ones, and the other way round."
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
            yield "| claim | effect | mean | 95 % interval | matters from | p (Holm) | power | verdict |"
            yield "| --- | --- | ---: | --- | ---: | ---: | ---: | --- |"
            yield from (_row(name, findings[name]) for name in chosen)
            yield ""
            for name in chosen:
                reasons = [CLAIMS[name].why]
                if CLAIMS[name].by_construction:
                    reasons.insert(0, f"By construction: {CLAIMS[name].by_construction}")
                if any(reasons):
                    yield f"- `{name}`: {' '.join(filter(None, reasons))}"
            if group in tables:
                yield from ("", *tables[group])


def _shortfalls(findings: Mapping[str, Finding]) -> Iterator[str]:
    """What Demur's own method was to show and does not, first of all."""
    missed = [
        f"{finding.verdict}: {CLAIMS[name].text}"
        for name, finding in findings.items()
        if CLAIMS[name].source.startswith("Demur") and finding.verdict not in ("holds", "not measured")
    ]
    if missed:
        yield "Aims of Demur's own method that are not shown to be reached here:"
        yield ""
        yield from (f"- {text}" for text in missed)
        yield ""


def _row(name: str, finding: Finding) -> str:
    claim = CLAIMS[name]
    interval = "–" if finding.low is None else f"{_number(finding.low)} … {_number(finding.high)}"
    matters = _number(claim.margin if claim.kind == "more" else claim.border)
    return (
        f"| {claim.text} ({claim.source}) `{name}` | {claim.unit} | {_number(finding.mean)} | {interval} "
        f"| {matters} | {_share(finding.corrected)} | {_share(finding.power)} | {MARKS[finding.verdict]} |"
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
