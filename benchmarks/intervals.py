"""How often the intervals of every metric hold what is true, beside percentile intervals of the same draws.

    python benchmarks/intervals.py [--samples 400] [--resamples 400] [--sizes 50 100 300 1000] [--short]
        [--page docs/results/intervals.md]

A world is a distribution of questions, answers, refusals and confidences. Its true figures are those of
200,000 questions (a calibrated confidence has a calibration error of 0). Samples of n questions are drawn
from it, and their intervals either hold the true figure or do not.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import choosing
from demur.metrics import METRICS
from demur.metrics.base import CORRECT, WRONG, Rows
from demur.metrics.board import Board
from demur.metrics.bootstrap import Resampling, draw
from demur.metrics.evaluation import evaluate_boards, wanted
from demur.metrics.sample import Counted, Sample, Weights

ACCURACIES, SIZES, REFUSING = (0.5, 0.8, 0.93), (50, 100, 300, 1000), (0.1, 0.25, 0.4)
CLUSTER = 5
POPULATION, GROUP_SHARE = 200_000, 0.5
SEED = 0
CALIBRATION = ("ece", "ece_mass", "rms_calibration_error")
DIFFERENCES = "difference: "
LOW = 0.92
"""A coverage below it is named first."""


@dataclasses.dataclass(frozen=True)
class World:
    """What questions are drawn from."""

    accuracy: float
    refusing: float = 0.25
    clustered: bool = False
    unanswerable: float = 0.0
    cluster: int = CLUSTER
    """Questions of a group."""
    group_share: float = GROUP_SHARE
    """Of a question's ease, what its group has together; in [0, 1]."""

    def boards(self, n: int, generator: np.random.Generator) -> dict[str, Board]:
        """A base and a tuned system on n questions, whose confidences are `calibrated` and `bold`."""
        own, shared = generator.standard_normal(n), generator.standard_normal(-(-n // self.cluster))
        together = np.repeat(shared, self.cluster)[:n]
        mixed = np.sqrt(self.group_share) * together + np.sqrt(1 - self.group_share) * own
        ease = mixed if self.clustered else own
        chance = 1 / (1 + np.exp(-_middle(self.accuracy) - 1.5 * ease))
        answerable = generator.random(n) >= self.unanswerable
        luck = generator.random(n)
        right = luck < chance
        right_before = np.where(generator.random(n) < 0.7, luck, generator.random(n)) < chance
        doubt = ease + 0.7 * generator.standard_normal(n)
        refused = doubt < np.sqrt(1.49) * _quantile(self.refusing)
        bold = np.clip(chance + 0.3 * chance * (1 - chance) + 0.05 * generator.random(n), 0, 1)
        noisy = 1 / (1 + np.exp(-_middle(self.accuracy) - 1.5 * doubt))
        verdict = np.where(right & answerable, CORRECT, WRONG).astype(np.int8)
        before = np.where(right_before & answerable, CORRECT, WRONG).astype(np.int8)
        rows = Rows(
            verdict=verdict,
            refused=refused.astype(float),
            answerable=answerable,
            before=before,
            confidence=np.full(n, np.nan),
        )
        base = dataclasses.replace(rows, verdict=before, refused=np.zeros(n))
        present = np.ones(n, bool)
        return {
            "base": Board(present, base, {"sure": noisy}),
            "tuned": Board(present, rows, {"calibrated": chance, "bold": bold}),
        }

    def name(self, n: int) -> str:
        """A line of the table."""
        extra = f", {self.unanswerable:.0%} unanswerable" if self.unanswerable else ""
        groups = f", groups of {self.cluster}" if self.clustered else ""
        return f"accuracy {self.accuracy:g}, n = {n}, refusing {self.refusing:.0%}{groups}{extra}"


@lru_cache
def _middle(accuracy: float) -> float:
    """The mean logit with which questions of spread 1.5 are answered right that often."""
    z = np.random.default_rng(1).standard_normal(400_000)
    low, high = -10.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (1 / (1 + np.exp(-middle - 1.5 * z))).mean() < accuracy else (low, middle)
        )
    return middle


@lru_cache
def _quantile(share: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)


WANTED: dict[str, Any] = {
    "primary": {"base": "sure", "tuned": "calibrated"},
    "pairs": [("tuned", "base")],
}


def figures(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every figure of a report by its name."""
    for name, cell in report["metrics"]["tuned"]["all"].items():
        primary = name in METRICS.names() and METRICS.get(name).per_signal
        # The primary signal's figures have its name too; of distinct confidences the refinement is 0.
        if not primary and not name.startswith("brier_refinement"):
            yield name, cell
    for item in report["differences"]:
        yield DIFFERENCES + item["metric"], item


def truth(world: World, metrics: Sequence[str] | None = None) -> dict[str, float | None]:
    """What is true of a world, by default of every metric."""
    boards = world.boards(POPULATION, np.random.default_rng(SEED + 1))
    values = {
        (system, name, label): metric.value(rows)
        for system, name, label, metric, rows in _measured(boards)
        if metrics is None or name in metrics
    }
    found = {label: value for (system, _, label), value in values.items() if system == "tuned"}
    for (system, name, label), value in values.items():
        if system == "tuned" and not label.endswith("bold"):
            found.setdefault(name, value)
            theirs = values["base", name, label.replace("calibrated", "sure")]
            if METRICS.get(name).headline and value is not None and theirs is not None:
                found[DIFFERENCES + name] = value - theirs
    for name in CALIBRATION if metrics is None else ():
        found[DIFFERENCES + name] = found.get(DIFFERENCES + name, 0.0) - found[name]
        found[name] = found[f"{name}_calibrated"] = 0.0
    return found


def _measured(boards: dict[str, Board]) -> Iterator[tuple[str, str, str, Any, Rows]]:
    """System, metric, name of the figure, metric and rows, for every signal."""
    for system, board in boards.items():
        for name, metric in METRICS.items():
            for signal, values in (
                board.signals.items() if metric.per_signal else [("", board.rows.confidence)]
            ):
                rows = dataclasses.replace(board.rows, confidence=values)
                yield system, name, f"{name}_{signal}" if metric.per_signal else name, metric, rows


def percentiles(
    boards: dict[str, Board], n: int, clusters: Any, resamples: int, seed: int
) -> dict[str, Any]:
    """Percentile intervals of the same figures, as they were made before; calibration errors recentred."""
    groups = n if clusters is None else int(clusters.max()) + 1
    counts = draw(groups, range(resamples + 1), seed=seed, key="all").counts
    weights = Weights(counts if clusters is None else counts[:, clusters])
    drawn: dict[tuple[str, str], np.ndarray] = {}
    for system, _, label, metric, rows in _measured(boards):
        drawn[system, label] = metric.compute(Sample(Counted.of(rows, metric.counted_mask(rows)), weights))
    found = {name: values for (system, name), values in drawn.items() if system == "tuned"}
    for name, metric in METRICS.items():
        if metric.headline:
            ends = ("_calibrated", "_sure") if metric.per_signal else ("", "")
            found[DIFFERENCES + name] = drawn["tuned", name + ends[0]] - drawn["base", name + ends[1]]
    return {name: _percentile(name, values) for name, values in found.items()}


def _percentile(name: str, values: np.ndarray) -> tuple[float, float] | None:
    value, rest = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(value) or 2 * len(rest) < len(values) - 1:
        return None
    low, middle, high = np.quantile(rest, (0.025, 0.5, 0.975))
    move = value - middle if "ece" in name or "calibration_error" in name else 0.0
    return low + move, high + move


def sample(
    world: World, n: int, true_of: dict[str, float | None], numbers: range, resamples: int
) -> list[tuple[Any, ...]]:
    """Of each sample and figure: did the old and the new interval hold the truth (None: no interval)."""
    rows = []
    for number in numbers:
        boards = world.boards(n, np.random.default_rng([SEED, n, number]))
        clusters = np.arange(n) // CLUSTER if world.clustered else None
        report = evaluate_boards(
            boards,
            {"all": np.arange(n)},
            wanted(None, **WANTED),
            Resampling(resamples=resamples, seed=number, threads=1),
            clusters=clusters,
        )
        before = percentiles(boards, n, clusters, resamples, number)
        for name, cell in figures(report):
            true = true_of[name]
            if true is None or cell["value"] is None:
                continue
            new = None if cell["low"] is None else (cell["low"], cell["high"])
            rows.append(
                (
                    name,
                    *(_held(ends, true) for ends in (before.get(name), new)),
                    bool(cell["small"]),
                )
            )
    return rows


def _held(ends: tuple[float, float] | None, true: float) -> bool | None:
    return None if ends is None else bool(ends[0] - 1e-12 <= true <= ends[1] + 1e-12)


def cells(sizes: Sequence[int], *, short: bool) -> list[tuple[World, int]]:
    """The worlds and sample sizes of the table.

    Args:
        short: one refusal rate and no unanswerable questions.
    """
    found = [
        (World(accuracy, clustered=clustered), n)
        for clustered, accuracy, n in itertools.product((False, True), ACCURACIES, sizes)
        if not (clustered and n < 100)
    ]
    if short:
        return found
    found += [
        (World(a, refusing=r), 100) for a in ACCURACIES for r in (REFUSING[0], REFUSING[-1]) if 100 in sizes
    ]
    return found + [(World(0.8, unanswerable=0.2), n) for n in sizes]


def measure(given: argparse.Namespace) -> dict[tuple[str, int], dict]:
    """By world and figure: coverage before and after, share without an interval, share that is marked."""
    found = {}
    wanted_cells = cells(given.sizes, short=given.short)
    with ProcessPoolExecutor(given.workers) as pool:
        every = list(dict.fromkeys(world for world, _ in wanted_cells))
        truths = dict(zip(every, pool.map(truth, every), strict=True))
        tasks = [
            (
                world.name(n),
                n,
                [
                    pool.submit(sample, world, n, truths[world], some, given.resamples)
                    for some in _shares(given.samples)
                ],
            )
            for world, n in wanted_cells
        ]
        for name, n, parts in tasks:
            by_name = defaultdict(list)
            for figure, *row in (row for part in parts for row in part.result()):
                by_name[figure].append(row)
            found[name, n] = {figure: summary(rows) for figure, rows in by_name.items()}
            print(name, flush=True)
    return found


def _shares(samples: int) -> list[range]:
    return [range(start, min(start + 25, samples)) for start in range(0, samples, 25)]


def summary(rows: list) -> dict[str, Any]:
    """Shares of intervals that held; None where fewer than a fifth of the samples have one."""
    held = {
        key: [row[i] for row in rows if row[i] is not None] for i, key in enumerate(("before", "after"))
    }
    return {
        **{
            key: float(np.mean(values)) if len(values) >= max(0.2 * len(rows), 20) else None
            for key, values in held.items()
        },
        "none": 1 - len(held["after"]) / len(rows),
        "marked": float(np.mean([row[2] for row in rows])),
    }


def page(found: dict, given: argparse.Namespace, minutes: float) -> str:
    """The results as a page: first what holds too seldom, then every figure."""
    sizes = sorted({n for _, n in found})
    low = _too_low(found)
    many = sum(row["after"] is not None for figures in found.values() for row in figures.values())
    error = (0.95 * 0.05 / given.samples) ** 0.5
    chance = stats.binom.cdf(np.ceil(LOW * given.samples) - 1, given.samples, 0.95)
    lines = [
        "# Intervals",
        "",
        f"How often 95% intervals hold the true figure, in {len(found)} simulated settings with "
        f"{given.samples} samples each. {len(low)} of {many:,} coverages are below {LOW:.2f}.",
        "",
        "```bash",
        f"python benchmarks/intervals.py --samples {given.samples} --resamples {given.resamples} "
        f"--sizes {' '.join(map(str, sizes))} --workers {given.workers} --draws {given.draws}"
        f"{' --short' if given.short else ''}",
        "```",
        "",
        f"Seed {SEED}, 2 cores shared with other work ({given.workers} used), no GPU, "
        f"{minutes:.0f} minutes, {datetime.date.today()}. A coverage of .95 has a standard error of "
        f"{error:.3f}, and is below {LOW:.2f} by chance in {chance:.1%} of cases.",
        "",
        "- *Before*: percentile intervals of the same bootstrap draws, calibration errors recentred.",
        "- *After*: the intervals that Demur reports. Samples without an interval do not count.",
        "- `coverage_at_risk` has an interval where 59 or more answers are within the risk. At n = 100 "
        "these are the samples that look better than the truth.",
        "- `_calibrated` and `_bold`: by a calibrated confidence, and by one that is too high.",
        "- An asterisk: most samples of this setting are marked as small.",
        "- A dash: fewer than a fifth of the samples have an interval.",
        "",
        f"## Below {LOW:.2f}",
        "",
        "| figure | setting | before | after |",
        "| --- | --- | --- | --- |",
        *(
            f"| {name} | {world} | {_share(row, 'before')} | {_share(row, 'after')} |"
            for name, world, row in low
        ),
        "",
        "## Every figure",
        "",
        "The lowest coverage over the settings of a size, before → after. The lowest of several is low by "
        "chance too.",
        "",
        "| figure | " + " | ".join(f"n = {n}" for n in sizes) + " |",
        "| --- |" + " --- |" * len(sizes),
    ]
    for name in sorted({name for figures in found.values() for name in figures}):
        by_size = [
            [figures[name] for (_, size), figures in found.items() if size == n and name in figures]
            for n in sizes
        ]
        lines.append(f"| {_titled(name)} | " + " | ".join(_lowest(rows) for rows in by_size) + " |")
    lines += ["", "Settings:", "", *(f"- {name}" for name, _ in found)]
    lines += ["", "## Choosing among signals", "", *choosing.section(given.draws)]
    return "\n".join(lines) + "\n"


def _too_low(found: dict) -> list[tuple[str, str, dict[str, Any]]]:
    """Figure, setting and shares where the intervals hold too seldom, the lowest first."""
    low = [
        (_titled(name), world, row)
        for (world, _), figures in found.items()
        for name, row in figures.items()
        if row["after"] is not None and row["after"] < LOW
    ]
    return sorted(low, key=lambda item: item[2]["after"])


def _titled(name: str) -> str:
    kind, _, metric = name.rpartition(DIFFERENCES)
    return f"{DIFFERENCES if kind or metric != name else ''}`{metric}`"


def _lowest(rows: list[dict[str, Any]]) -> str:
    """The setting with the lowest coverage, before and after."""
    texts = []
    for key in ("before", "after"):
        known = [row for row in rows if row[key] is not None]
        texts.append(_share(min(known, key=lambda row: row[key]), key) if known else "–")
    return " → ".join(texts)


def _share(row: dict[str, Any], key: str) -> str:
    if row[key] is None:
        return "–"
    return f"{row[key]:.3f}{'*' if row['marked'] > 0.5 and key == 'after' else ''}"


def main() -> None:
    """Measure, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--short", action="store_true", help="one refusal rate, no unanswerable questions")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--draws", type=int, default=1000, help="calibrations of `choosing`")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    started = time.monotonic()
    found = measure(given)
    text = page(found, given, (time.monotonic() - started) / 60)
    if given.page:
        given.page.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
