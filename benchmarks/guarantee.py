"""Whether the promised threshold keeps its promise: many calibrations drawn from one large pool.

    python benchmarks/guarantee.py [--seeds 15] [--draws 1000] [--page docs/results/guarantee.md]

The pool is every answerable question of several pocket worlds, each answered greedily by its own base
model, with the likelihood of the answer as confidence. A calibration is a draw with replacement; it breaks
its promise where the error among what its threshold answers, over the whole pool, is above the limit.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

from demur.confidence.threshold import find_threshold
from groups import MARK

SIZES = (200, 500, 1000, 2000, 5000, 10_000)
MAX_ERROR, CONFIDENCE = 0.05, 0.95


def answers(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Likelihood, wrong, and whether of a mixed person, of every answerable question of one world."""
    from demur.core.records import Verdict
    from demur.core.templates import TEMPLATES
    from demur.engines import Opening, Sampling
    from demur.engines.hf import HFEngine
    from demur.judging import judge
    from demur.pocket import ensure_model
    from demur.pocket.world import make_world

    engine, template = HFEngine.open(Opening(str(ensure_model(seed)))), TEMPLATES["r-tuning-code"]
    asked = [question for question in make_world(seed).questions() if question.answerable]
    found = engine.generate(
        [template.ask(question) for question in asked],
        keys=[question.id for question in asked],
        sampling=Sampling(max_new_tokens=15, stop=(".", "\n")),
    )
    said = [item.greedy for item in found]
    return (
        np.array([math.exp(sum(text.token_logprobs)) for text in said]),
        np.array([judge(q, text.text) is not Verdict.CORRECT for q, text in zip(asked, said, strict=True)]),
        np.array([question.group == "mixed" for question in asked]),
    )


def calibrations(signal: np.ndarray, wrong: np.ndarray, whole: tuple, n: int, draws: range) -> list:
    """Of each draw: the threshold's error and coverage over the whole pool (nan, 0 where there is none)."""
    rows = []
    for number in draws:
        drawn = np.random.default_rng([n, number]).integers(0, len(signal), n)
        found = find_threshold(
            signal[drawn], wrong[drawn], max_error=MAX_ERROR, confidence=CONFIDENCE, seed=number
        )
        answered = whole[0] >= (np.inf if found.threshold is None else found.threshold)
        rows.append((whole[1][answered].mean() if answered.any() else np.nan, answered.mean()))
    return rows


def best_coverage(signal: np.ndarray, wrong: np.ndarray) -> float:
    """The largest coverage of any threshold with so small an error over the pool."""
    falling = np.argsort(-signal, kind="stable")
    rate = np.cumsum(wrong[falling]) / np.arange(1, len(signal) + 1)
    last_of_ties = np.append(np.diff(signal[falling]) != 0, True)
    allowed = np.flatnonzero((rate <= MAX_ERROR) & last_of_ties)
    return (allowed.max() + 1) / len(signal) if len(allowed) else 0.0


def table(
    signal: np.ndarray, wrong: np.ndarray, whole: tuple, draws: int, sizes: tuple[int, ...]
) -> list[str]:
    """A line for each size of calibration."""
    lines = [
        "| calibration questions | broken | at most, 95 % | no threshold | mean coverage | of the best |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    best = best_coverage(*whole)
    pieces = [range(start, min(start + 25, draws)) for start in range(0, draws, 25)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for n in sizes:
            done = pool.map(partial(calibrations, signal, wrong, whole, n), pieces)
            rows = np.array([row for piece in done for row in piece])
            broken = int((rows[:, 0] > MAX_ERROR).sum())
            limit = stats.beta.ppf(0.95, broken + 1, draws - broken)
            none = int(np.isnan(rows[:, 0]).sum())
            coverage = rows[:, 1].mean()
            lines.append(
                f"| {n:,} | {broken} of {draws:,} ({broken / draws:.1%}) | {limit:.1%} | {none} "
                f"| {coverage:.1%} | {coverage / best:.1%} |"
            )
            print(lines[-1], flush=True)
    return [*lines, "", f"Largest coverage of any threshold over the pool: {best:.1%}."]


def main() -> None:
    """Print the tables, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(answers, range(given.seeds)))
    signal, wrong, mixed = (np.concatenate(column) for column in zip(*parts, strict=True))
    print(f"{len(signal):,} questions, {wrong.mean():.1%} answered wrong", flush=True)
    whole = (signal, wrong)
    lines = table(signal, wrong, whole, given.draws, tuple(given.sizes))
    shifted = table(signal[~mixed], wrong[~mixed], (signal[mixed], wrong[mixed]), given.draws, (2000,))
    minutes = (time.monotonic() - started) / 60
    if given.page:
        before = given.page.read_text(encoding="utf-8") if given.page.exists() else ""
        found = page(len(signal), wrong.mean(), lines, shifted, minutes)
        # `groups` writes a section of its own to the page.
        given.page.write_text(found + "".join(before.partition("\n" + MARK)[1:]), encoding="utf-8")


def page(n: int, error: float, lines: list[str], shifted: list[str], minutes: float) -> str:
    """The page."""
    return "\n".join(
        [
            "# A threshold with a promise, put to the test",
            "",
            f"Promised: at most {MAX_ERROR:.0%} of the answers wrong, with a confidence of "
            f"{CONFIDENCE:.0%} (`demur calibrate`). Pool: {n:,} questions of pocket worlds, each answered "
            f"greedily by its own untuned model ({error:.1%} wrong), confidence the likelihood of the "
            "answer. A calibration is a draw with replacement; it breaks the promise where the error of "
            "its threshold over the whole pool is above the limit.",
            "",
            "```bash\npython benchmarks/guarantee.py\n```",
            "",
            f"{os.cpu_count()} cores, no GPU, {minutes:.0f} minutes, {time.strftime('%Y-%m-%d')}.",
            "",
            *lines,
            "",
            "## Where it must fail",
            "",
            "Calibrated on uniform people, whose facts are known together or not at all, and used on mixed "
            "people, whose facts are known one by one: other questions than those it was calibrated on.",
            "",
            *shifted,
            "",
        ]
    )


if __name__ == "__main__":
    main()
