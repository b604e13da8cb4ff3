"""The Ray engine beside one process: how much faster are 1, 2, 3 workers, and what does starting them cost?

    python benchmarks/workers.py

The pocket model answers the pocket world's questions in units of 256, each greedily and with ten samples. A
cluster of our own is started anew for every line. Rates are of the time between the first unit's beginning
and the last one's end; processor time is that of the workers while they answer. Lines take turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import psutil

from demur.core.templates import TEMPLATES
from demur.engines import Engine, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.ray import RayEngine
from demur.pocket import bundled_model
from demur.pocket.world import make_world

UNIT = 256


class Unit(NamedTuple):
    """When a unit was answered, in seconds since 1970, and how much processor time it took."""

    begin: float
    end: float
    cpu: float


class Line(NamedTuple):
    """One measurement, in seconds."""

    until_first: float
    answering: float
    cpu: float
    whole: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--units", type=int, default=90, help="units of 256 questions")
    options = parser.parse_args()
    lines: dict[str, list[Line]] = {}
    for _ in range(options.rounds):
        lines.setdefault("one process, hf", []).append(here(options.units))
        for count in options.workers:
            lines.setdefault(f"{count} worker{'s' * (count > 1)}", []).append(pool(count, options.units))
    size = options.units * UNIT
    print(f"{size:,} questions, {options.rounds} rounds, medians; load {psutil.getloadavg()[1]:.1f}\n")
    print(
        "| | questions/s | against one process | CPU s / 1,000 questions | s to the first unit | s in all |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    alone = lines["one process, hf"]
    for name, found in lines.items():
        ratios = [a.answering / b.answering for a, b in zip(alone, found, strict=True)]
        print(
            f"| {name} | {size / median(f.answering for f in found):,.0f} "
            f"| ×{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {1000 * median(f.cpu for f in found) / size:.2f} "
            f"| {median(f.until_first for f in found):.1f} | {median(f.whole for f in found):.1f} |"
        )


def here(units: int) -> Line:
    start = time.time()
    engine = HFEngine.open(Opening(bundled_model(), device="cpu"))
    return line(start, [answer(questions(), engine, number) for number in range(units)])


def pool(workers: int, units: int) -> Line:
    start = time.time()
    engine = RayEngine.open(Opening(bundled_model(), device="cpu", options={"workers": workers}))
    found = [unit for _, unit in engine.spread(partial(answer, questions()), range(units))]
    import ray  # not before: Demur settles first that nobody else can reach the cluster

    ray.shutdown()
    return line(start, found)


def answer(asked: list[tuple[str, str]], engine: Engine, number: int) -> Unit:
    """Answer a unit; the list is gone through again and again."""
    part = [asked[(number * UNIT + place) % len(asked)] for place in range(UNIT)]
    begin, cpu = time.time(), time.process_time()
    engine.generate(
        [prompt for prompt, _ in part], keys=[key for _, key in part], sampling=Sampling(samples=10)
    )
    return Unit(begin, time.time(), time.process_time() - cpu)


def questions() -> list[tuple[str, str]]:
    """Prompts and keys."""
    return [(TEMPLATES["r-tuning-code"].ask(item), item.id) for item in make_world(0).questions()]


def line(start: float, units: list[Unit]) -> Line:
    begin, end = min(unit.begin for unit in units), max(unit.end for unit in units)
    return Line(begin - start, end - begin, sum(unit.cpu for unit in units), time.time() - start)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
