"""Tables and bars of the page, from ``metrics.json``: what a reader sees even without a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.report import words
from demur.report.legend import Legend, legend, main_metrics
from demur.report.paired import PairedDifference, paired_differences

OUTCOMES = ("correct", "wrong", "refused", "unscored")
FIRST = ("auroc", "accuracy_willing", "accuracy", "ap")
KINDS = {"answerable": "Questions with an answer", "unanswerable": "Questions without an answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One piece of a stacked bar; ``start`` and ``width`` in percent of the bar."""

    outcome: str
    start: float
    width: float

    @property
    def words(self) -> str:
        """The share in words."""
        return f"{self.outcome} {words.percent(self.width / 100)}"


Segments = tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What became of the questions of one kind, for one system or one policy."""

    system: str
    title: str
    segments: tuple[Segment, ...]
    counts: tuple[int, ...] | None
    """How many of each of `OUTCOMES`; None for a policy, whose shares are expectations."""

    @property
    def shares(self) -> list[str]:
        """The share of each of `OUTCOMES`, as text."""
        widths = {segment.outcome: segment.width for segment in self.segments}
        return [words.percent(widths.get(outcome, 0.0) / 100) for outcome in OUTCOMES]

    @property
    def words(self) -> str:
        """The whole bar in words, for who cannot see it."""
        return ", ".join(segment.words for segment in self.segments) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The bars of one kind of questions in one split."""

    title: str
    bars: tuple[Bar, ...]
    policies: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One estimate, as text."""

    value: str
    interval: str
    n: int | None
    unscored: int | None
    small: str | None
    """Why the sample is small; None where it is not."""
    calibrated: str
    """What a calibrated model would have in place of a calibration error; empty for other metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Everything said about one split."""

    split: str
    title: str
    of: str
    """The split itself, or the larger one that it is a group of."""
    blocks: tuple[Block, ...]
    main: tuple[Legend, ...]
    rest: tuple[Legend, ...]
    systems: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    """By system and metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One paired difference, drawn from ``left`` to ``right`` with its point at ``at``, in percent."""

    whole: str
    """The split, or the one that it is a group of."""
    title: str
    group: bool
    words: str
    tone: str
    drawn: bool
    """False where the difference is undefined or unfair."""
    left: float
    right: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All paired differences of two systems in one metric."""

    system: str
    against: str
    rows: tuple[Compared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedBy:
    """The comparisons by one metric, on one scale: ``reach`` points to either side of zero."""

    legend: Legend
    reach: float
    comparisons: tuple[Comparison, ...]


def panels(metrics: Mapping[str, Any], systems: Sequence[str], method: str = "") -> list[Panel]:
    """One panel per split that any system was measured on.

    Args:
        method: the run's own; policies then stand in its place only.
    """
    splits = words.ordered({split for system in systems for split in metrics["metrics"].get(system, {})})
    return [_panel(metrics, split, systems, method) for split in splits]


def comparisons(metrics: Mapping[str, Any]) -> list[ComparedBy]:
    """The paired differences by metric, those first that compare at any coverage."""
    items = paired_differences(metrics)
    found = dict.fromkeys(item.row["metric"] for item in items)
    names = dict.fromkeys([*(name for name in FIRST if name in found), *found])
    return [_compared_by(name, [item for item in items if item.row["metric"] == name]) for name in names]


def _panel(metrics: Mapping[str, Any], split: str, systems: Sequence[str], method: str) -> Panel:
    measured = tuple(s for s in systems if split in metrics["metrics"].get(s, {}))
    methods = words.methods(measured, method)
    names = list(dict.fromkeys(m for s in measured for m in metrics["metrics"][s][split]))
    main = [name for name in main_metrics() if name in names]
    return Panel(
        split=split,
        title=words.split_title(split),
        of=words.whole(split),
        blocks=tuple(_blocks(metrics, split, measured, methods)),
        main=tuple(legend(name) for name in main),
        rest=tuple(legend(name) for name in names if name not in main),
        systems=measured,
        cells={(s, m): _cell(metrics["metrics"][s][split], m) for s in measured for m in names},
    )


def _cell(cells: Mapping[str, Any], metric: str) -> Cell:
    estimate = cells.get(metric, {})
    entry = legend(metric)
    return Cell(
        value=entry.cell(estimate.get("value")),
        interval=entry.interval(estimate.get("low"), estimate.get("high")),
        n=estimate.get("n"),
        unscored=estimate.get("unscored"),
        small=estimate.get("small"),
        calibrated=_calibrated(entry, estimate.get("calibrated")),
    )


def _calibrated(entry: Legend, found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    ends = entry.interval(found["low"], found["high"])
    above = "above" if found["exceeds"] else "not above"
    return f"{above} that of a calibrated model, {entry.cell(found['mean'])} [{ends}]"


def _blocks(
    metrics: Mapping[str, Any], split: str, systems: Sequence[str], methods: Sequence[str]
) -> Iterable[Block]:
    tables = metrics.get("tables", {})
    bars_of = {}
    for kind in KINDS:
        found = {s: tables.get(s, {}).get(split, {}).get(kind, {}) for s in systems}
        bars_of[kind] = tuple(_bar(s, counts) for s, counts in found.items() if sum(counts.values()))
    present = [kind for kind in KINDS if bars_of[kind]]
    for kind in present:
        # Policies are measured on the split as a whole, so they stand once, below its last block.
        policies = tuple(_policy_bars(metrics, split, methods)) if kind == present[-1] else ()
        yield Block(title=KINDS[kind], bars=bars_of[kind], policies=policies)


def _bar(system: str, counts: Mapping[str, int]) -> Bar:
    total = sum(counts.values())
    shares = {outcome: counts.get(outcome, 0) / total for outcome in OUTCOMES}
    return Bar(
        system=system,
        title=words.title(system),
        segments=_segments(shares),
        counts=tuple(counts.get(outcome, 0) for outcome in OUTCOMES),
    )


def _policy_bars(metrics: Mapping[str, Any], split: str, methods: Sequence[str]) -> Iterable[Bar]:
    """What policies without any knowledge would do in place of each method; what is the same, once."""
    shown: set[tuple[str, Segments]] = set()
    for method in methods:
        for policy, cells in metrics.get("policies", {}).get(method, {}).get(split, {}).items():
            coverage = cells.get("coverage", {}).get("value")
            right = cells.get("accuracy_willing", {}).get("value")
            if coverage is None or (coverage and right is None):
                continue
            answered_right = coverage * (right or 0.0)
            shares = {
                "correct": answered_right,
                "wrong": coverage - answered_right,
                "refused": 1 - coverage,
            }
            segments = _segments(shares)
            if (policy, segments) not in shown:
                shown.add((policy, segments))
                title = words.POLICIES.get(policy, policy).format(system=words.title(method))
                yield Bar(system=method, title=title, segments=segments, counts=None)


def _segments(shares: Mapping[str, float]) -> Segments:
    found, start = [], 0.0
    for outcome in OUTCOMES:
        width = 100 * shares.get(outcome, 0.0)
        if width > 0:
            found.append(Segment(outcome=outcome, start=round(start, 3), width=round(width, 3)))
        start += width
    return tuple(found)


def _compared_by(metric: str, items: Sequence[PairedDifference]) -> ComparedBy:
    reach = _reach([item.row for item in items if item.fair])
    pairs = dict.fromkeys((item.row["system"], item.row["against"]) for item in items)
    entry = legend(metric)
    return ComparedBy(
        legend=entry,
        reach=reach,
        comparisons=tuple(
            Comparison(
                system=system,
                against=against,
                rows=_compared(
                    [i for i in items if (i.row["system"], i.row["against"]) == (system, against)],
                    entry,
                    reach,
                ),
            )
            for system, against in pairs
        ),
    )


def _compared(items: Sequence[PairedDifference], entry: Legend, reach: float) -> tuple[Compared, ...]:
    by_split = {item.row["split"]: item for item in items}
    lower = entry.direction == "lower"
    return tuple(_one_compared(by_split[split], reach, lower) for split in words.ordered(by_split))


def _one_compared(item: PairedDifference, reach: float, lower_is_better: bool) -> Compared:
    row = item.row
    value = row["value"] or 0.0  # an undefined one is not drawn
    ends = (row[key] if row[key] is not None else value for key in ("low", "high"))
    left, right = sorted(_place(end, reach, lower_is_better) for end in ends)
    return Compared(
        whole=words.whole(row["split"]),
        title=words.group_title(row["split"]),
        group=words.is_group(row["split"]),
        words=item.said,
        tone=item.tone,
        drawn=row["value"] is not None and item.fair,
        left=left,
        right=right,
        at=_place(value, reach, lower_is_better),
    )


def _place(value: float, reach: float, lower_is_better: bool) -> float:
    """Where a difference stands on the scale, in percent from the left; better is always to the right."""
    signed = -value if lower_is_better else value
    return round(50 + 50 * max(-1.0, min(1.0, signed / reach)), 2)


def _reach(rows: Sequence[Mapping[str, Any]]) -> float:
    """The scale's half width: the farthest interval end, rounded up to whole steps of five points."""
    ends = [abs(row[key]) for row in rows for key in ("value", "low", "high") if row[key] is not None]
    return max(0.05, 0.05 * -(-max(ends, default=0.0) // 0.05))
