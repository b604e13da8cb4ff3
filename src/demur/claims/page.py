"""The claims as a page that a person reads: what came out in each lab, in numbers and in a sentence."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from demur.claims import us_tuning
from demur.claims.base import Claim, Finding, Verdict
from demur.claims.catalogue import CLAIMS, GROUPS, places_of
from demur.claims.cells import SHOWN, Cell
from demur.claims.picture import file_of
from demur.claims.places import PLACES, LabName, Place
from demur.metrics import METRICS

MARKS = {
    "holds": "**holds**",
    "does not hold": "**does not hold**",
    "one seed": "one seed, not judged",
    "not measured": "–",
}
"""Verdicts that the tables write otherwise."""
COUNTED: dict[Verdict, str] = {
    "holds": "hold",
    "does not hold": "do not",
    "smaller than matters": "are smaller than matters",
    "undecided": "undecided",
}
REST: tuple[Verdict, ...] = ("by construction", "one seed", "not measured")
LABS: dict[LabName, str] = {"pocket": "Pocket world", "real": "Real models"}
Findings = Mapping[tuple[str, str], Finding]
Kept = Mapping[str, Sequence[Cell]]

RULES = (
    "Each claim's smallest effect that matters was fixed beforehand; a claim is put to the test at each "
    "place on its own. It is *smaller than matters* where the 95% interval lies within plus and minus "
    "that; else it *holds* where the effect is above zero, by a t test with Holm's correction over all "
    "claims and places of this page; else it does *not hold* where the interval lies below the smallest "
    "effect that matters. That something is *kept* (or a target *reached*) holds where the effect is above "
    "minus that smallest effect (above zero), and does not where it is below, both by the corrected test. "
    "Intervals are not corrected, nor is *power*: how often as much data would find an effect that lies so "
    "far above the border. What cannot come out otherwise is *by construction*: shown, not tested, not "
    "counted."
)
SEEDS = (
    "A seed of the pocket world redraws world, base model and every tuning, and intervals are Student's "
    "over seeds. Of a real model, which is given, a seed draws the questions and every tuning; intervals "
    "hold the spread over seeds and that over groups of questions (entities on Atlas, relations on "
    "ParaRel). What was made of one seed alone is explored, not judged. No setting was chosen on a seed "
    "of this page: [settings](settings.md). What changed while seeds were measured, each time against "
    "Demur or for all claims alike: after the first world, each rival was given the best of its signals; "
    "after the fourth, eight worlds were planned in place of five; after the fifth, a review had ABSOLUTE "
    "and MULTISAMPLE given a threshold too, four claims marked as settled by construction, and the "
    "settings of four methods chosen by another rule, with their runs made again. **Until all planned "
    "seeds are there, this is an interim look.**"
)


def markdown(findings: Findings, kept: Kept, *, command: str) -> str:
    """The page.

    Args:
        kept: the cells, by place.
        command: what made it.
    """
    return "\n".join(_lines(findings, kept, command)) + "\n"


def _lines(findings: Findings, kept: Kept, command: str) -> Iterator[str]:
    yield from ("# The papers' claims, in two labs", "")
    for lab, title in LABS.items():
        own = {key: f for key, f in findings.items() if PLACES[key[1]].lab == lab}
        if own:
            yield f"- {title}: {_counted(own)}."
    yield ""
    yield from _main(findings)
    yield from (RULES, "", SEEDS, "", f"```bash\n{command}\n```", "")
    yield from _places(kept)
    for group, claims in GROUPS.items():
        chosen = [
            claim for claim in claims if any((claim.name, p.name) in findings for p in places_of(claim))
        ]
        yield from ("", f"## {group}", "")
        if not chosen:
            yield "Not measured yet."
        else:
            yield from (f"![Effects and intervals]({file_of(group)})", "", "Hollow: not decided.", "")
            yield from _table(chosen, findings)
            yield ""
            yield from _reasons(chosen, findings)
            if group == us_tuning.PAPER:
                yield from _ablations(kept)
    for name, cells in kept.items():
        if not PLACES[name].contextual:
            yield from ("", f"## All systems: {PLACES[name].title}", "")
            yield from _systems(cells)


def _counted(findings: Findings) -> str:
    counts = Counter(finding.verdict for finding in findings.values())
    told = [f"{counts[verdict]} {words}" for verdict, words in COUNTED.items()]
    told += [f"{counts[verdict]} {verdict}" for verdict in REST if counts[verdict]]
    return ", ".join(told) + f", of {len(findings)}"


def _main(findings: Findings) -> Iterator[str]:
    """The comparisons that were named as the main ones before any run."""
    yield "The main comparisons, named beforehand:"
    yield ""
    yield "| claim | where | effect | verdict |"
    yield "| --- | --- | --- | --- |"
    for claim in (claim for claim in CLAIMS.values() if claim.primary):
        for number, (place, finding) in enumerate(_found(claim, findings)):
            said = claim.text if number == 0 else ""
            yield f"| {said} | {place.title} | {_effect(finding)} | {_mark(finding)} |"
    yield ""


def _places(kept: Kept) -> Iterator[str]:
    missing = [place.title for name, place in PLACES.items() if name not in kept]
    if missing:
        yield from (f"**Not measured yet: {'; '.join(missing)}.**", "")
    yield "| place | seeds (planned) | groups of test questions | minutes a seed | made |"
    yield "| --- | --- | --- | --- | --- |"
    for name, cells in kept.items():
        minutes = _range([sum(cell.minutes.values()) for cell in cells])
        made = "; ".join(
            dict.fromkeys(f"{cell.made}, Demur {cell.demur}, {cell.hardware}" for cell in cells)
        )
        seeds = f"{', '.join(str(cell.seed) for cell in cells)} ({PLACES[name].seeds})"
        groups = _range([cell.groups for cell in cells])
        yield f"| {PLACES[name].title} | {seeds} | {groups} | {minutes} | {made} |"


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return low if low == high else f"{low} to {high}"


def _table(claims: Sequence[Claim], findings: Findings) -> Iterator[str]:
    yield "| claim | where | effect | p (Holm) | power | verdict |"
    yield "| --- | --- | --- | ---: | ---: | --- |"
    for claim in claims:
        border = "matters from" if claim.kind == "more" else "border"
        at = _number(claim.margin if claim.kind == "more" else claim.border)
        for number, (place, finding) in enumerate(_found(claim, findings)):
            said = f"{claim.text} ({claim.source}) {claim.unit}; {border} {at} `{claim.name}`"
            yield (
                f"| {said if number == 0 else ''} | {place.title} | {_effect(finding)} "
                f"| {_share(finding.corrected)} | {_share(finding.power)} | {_mark(finding)} |"
            )


def _reasons(claims: Sequence[Claim], findings: Findings) -> Iterator[str]:
    for claim in claims:
        if claim.by_construction:
            yield f"- `{claim.name}`, by construction: {claim.by_construction}"
        for lab, title in LABS.items():
            judged = any(PLACES[place].lab == lab for name, place in findings if name == claim.name)
            if judged and claim.reason(lab):
                yield f"- `{claim.name}`, {title.lower()}: {claim.reason(lab)}"


def _ablations(kept: Kept) -> Iterator[str]:
    for name, cells in kept.items():
        if PLACES[name].contextual:
            yield from ("", f"{PLACES[name].title}:", "")
            yield from us_tuning.table([cell.figures["all"] for cell in cells])


def _systems(cells: Sequence[Cell]) -> Iterator[str]:
    """Means over seeds of what the runs measured."""
    titles = [METRICS.get(name).title for name in SHOWN]
    for part, words in (("id", "In domain"), ("ood", "Out of domain")):
        yield f"{words}, means over {len(cells)} seeds:"
        yield ""
        yield "| system | " + " | ".join(titles) + " |"
        yield "| --- |" + " ---: |" * len(SHOWN)
        for system in cells[0].figures:
            rows = [cell.figures.get(system, {}).get(part, {}) for cell in cells]
            told = (_mean([row.get(name) for row in rows]) for name in SHOWN)
            yield f"| `{system}` | " + " | ".join(told) + " |"
        yield ""


def _mean(values: Sequence[float | None]) -> str:
    """Of the seeds that have it; with their number where some lack it."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    few = "" if len(known) == len(values) else f" ({len(known)} seeds)"
    return f"{statistics.fmean(known):.3f}".replace("-", "−").replace("0.", ".", 1) + few


def _found(claim: Claim, findings: Findings) -> list[tuple[Place, Finding]]:
    keys = [(claim.name, place.name) for place in places_of(claim)]
    return [(PLACES[key[1]], findings[key]) for key in keys if key in findings]


def _effect(finding: Finding) -> str:
    if finding.mean is None:
        return "–"
    if finding.low is None:
        return _number(finding.mean)
    return f"{_number(finding.mean)} [{_number(finding.low)}, {_number(finding.high)}]"


def _mark(finding: Finding) -> str:
    return MARKS.get(finding.verdict, finding.verdict)


def _share(value: float | None) -> str:
    if value is None:
        return "–"
    return "<.001" if 0 < value < 0.0005 else f"{value:.3f}".removeprefix("0")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")
