"""Whether a promise holds after the best of several signals was chosen, corrected and not.

    python benchmarks/choosing.py [--draws 1000]

The pool is 20,000 questions whose answers are right with a probability that depends on their ease, and six
signals that are the ease with noise of their own. A calibration is a draw with replacement; the signal that
answers most is taken, as `demur calibrate --signals` does. It breaks the promise where the error of its
threshold over the whole pool is above the limit.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from demur.confidence.threshold import find_threshold

SIZES = (1000,)
SIGNALS, POOL, SEED = 6, 20_000, 0
MAX_ERROR, CONFIDENCE = 0.05, 0.95


def pool() -> tuple[np.ndarray, np.ndarray]:
    """The signals, shape [signals, questions], and which answers are wrong; a fifth or so are."""
    generator = np.random.default_rng(SEED)
    ease = generator.standard_normal(POOL)
    wrong = generator.random(POOL) > 1 / (1 + np.exp(-3 - 4 * ease))
    return ease + 0.3 * generator.standard_normal((SIGNALS, POOL)), wrong


def chosen(signals: np.ndarray, wrong: np.ndarray, n: int, number: int, each: float) -> tuple[float, float]:
    """Error and coverage over the pool of the signal that answers most; 0 where none has a threshold."""
    drawn = np.random.default_rng([SEED, n, number]).integers(0, POOL, n)
    found = [
        find_threshold(signal[drawn], wrong[drawn], max_error=MAX_ERROR, confidence=each, seed=number)
        for signal in signals
    ]
    best = max(range(len(signals)), key=lambda i: found[i].coverage or 0)
    threshold = found[best].threshold
    answered = signals[best] >= (np.inf if threshold is None else threshold)
    return (float(wrong[answered].mean()), float(answered.mean())) if answered.any() else (0.0, 0.0)


def section(draws: int) -> list[str]:
    """The results as lines of a page."""
    signals, wrong = pool()
    ways = {
        "one signal, not chosen": (signals[:1], CONFIDENCE),
        "best of six, not corrected": (signals, CONFIDENCE),
        "best of six, `--signals`": (signals, 1 - (1 - CONFIDENCE) / SIGNALS),
    }
    lines = [
        f"Promise: at most {MAX_ERROR:.0%} of answers wrong, {CONFIDENCE:.0%} confidence. {draws:,} "
        f"calibrations for each line, from a simulated pool of {POOL:,} questions "
        f"({wrong.mean():.1%} wrong) with six signals of equal quality.",
        "",
        "```bash",
        f"python benchmarks/choosing.py --draws {draws}",
        "```",
        "",
        "| calibration questions | signal | broken | at most, 95% | no threshold | mean coverage |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for n in SIZES:
        for name, (given, each) in ways.items():
            found = np.array([chosen(given, wrong, n, number, each) for number in range(draws)])
            broken = int((found[:, 0] > MAX_ERROR).sum())
            most = stats.beta.ppf(0.95, broken + 1, draws - broken)
            lines.append(
                f"| {n:,} | {name} | {broken} of {draws:,} ({broken / draws:.1%}) | {most:.1%} "
                f"| {int((found[:, 1] == 0).sum())} | {found[:, 1].mean():.1%} |"
            )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    print("\n".join(section(parser.parse_args().draws)))


if __name__ == "__main__":
    main()
