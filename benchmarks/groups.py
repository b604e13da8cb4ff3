"""Promises and intervals where the questions of one document share their errors.

    python benchmarks/groups.py [--draws 1000] [--samples 1000] [--page docs/results/guarantee.md]

What decides whether an answer is right is in part known to the confidence and in part not. The questions of
a document have a part of both in common; `share` is its part of the variance. A draw is some documents with
20 questions each. The promise is calibrated on all questions, as if they were independent, and on one
question of each document. It is broken where the error among the answers to a random question of a new
document is above the limit. The true figures are those of 2,000,000 documents with one question each.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from demur.confidence.independent import one_of_each
from demur.confidence.threshold import Thresholds
from demur.metrics.bootstrap import Resampling
from demur.metrics.evaluation import evaluate_boards, wanted
from intervals import DIFFERENCES, WANTED, World, truth

MAX_ERROR, CONFIDENCE = 0.05, 0.95
QUESTIONS = 20
"""Of each document, on average where documents differ in size."""
SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)
DOCUMENTS = (100, 300, 1000)
SLOPE, HIDDEN, MIDDLE = 6.0, 3.0, 5.0
"""Of the logit of being right: by the confidence, by what it does not know, and its mean."""
POPULATION = 2_000_000
METRICS = ("accuracy", "accuracy_willing", "auroc", "brier")
SEED = 0
MARK, END = "<!-- groups -->", "<!-- end of groups -->"


@dataclasses.dataclass(frozen=True)
class Documents:
    """What documents are drawn from."""

    share: float
    """Of the variance of what decides, known and hidden, what a document has in common; in [0, 1]."""
    uneven: bool = False
    """Documents have 1 to 58 questions, and large ones are harder."""

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidence, wrong, and document of each question, each of shape [questions]."""
        sizes = np.full(count, QUESTIONS)
        if self.uneven:
            sizes = generator.choice([1, 2, 3, 18, 38, 58], count)
        return self.answers(sizes, np.repeat(np.arange(count), sizes), generator)

    def answers(
        self, sizes: np.ndarray, document: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Answers to questions of documents of some sizes."""
        n = len(document)
        known, hidden = (
            np.sqrt(self.share) * generator.standard_normal(len(sizes))[document]
            + np.sqrt(1 - self.share) * generator.standard_normal(n)
            for _ in range(2)
        )
        harder = np.where(sizes > QUESTIONS, 0.7, 0.0)[document] if self.uneven else 0.0
        logit = MIDDLE + SLOPE * known + HIDDEN * hidden - harder
        return known, generator.random(n) > 1 / (1 + np.exp(-logit)), document

    @property
    def name(self) -> str:
        """A cell of the table."""
        return f"{self.share:g}" + (", 1 to 58 questions" if self.uneven else "")


@lru_cache
def population(documents: Documents) -> tuple[np.ndarray, np.ndarray]:
    """Confidence, falling, and errors so far, of one random question of each of many documents."""
    generator = np.random.default_rng([SEED, 1])
    sizes = (
        generator.choice([1, 2, 3, 18, 38, 58], POPULATION)
        if documents.uneven
        else np.full(POPULATION, QUESTIONS)
    )
    signal, wrong, _ = documents.answers(sizes, np.arange(POPULATION), generator)
    order = np.argsort(-signal)
    return signal[order], np.concatenate([[0], np.cumsum(wrong[order])])


def truly(documents: Documents, threshold: float | None) -> tuple[float, float]:
    """Error and coverage of a threshold over the population; nan and 0 of none."""
    if threshold is None:
        return np.nan, 0.0
    signal, errors = population(documents)
    answered = int(np.searchsorted(-signal, -threshold, side="right"))
    return errors[answered] / max(answered, 1), answered / len(signal)


def calibrations(documents: Documents, count: int, draws: range) -> np.ndarray:
    """Error and coverage by both procedures; shape [draws, 2 procedures, 2]."""
    rows = []
    for number in draws:
        generator = np.random.default_rng([SEED, 2, count, number])
        signal, wrong, document = documents.draw(count, generator)
        taken = one_of_each([str(name) for name in document], seed=number)
        rows.append(
            [
                truly(documents, Thresholds.of(*pair, seed=number).find(MAX_ERROR, CONFIDENCE).threshold)
                for pair in ((signal, wrong), (signal[taken], wrong[taken]))
            ]
        )
    return np.array(rows)


def promises(given: argparse.Namespace, pool: ProcessPoolExecutor) -> Iterator[str]:
    """The table of the promises."""
    yield (
        "| share | documents | questions | all: broken | all: coverage | one of each: broken "
        "| one of each: coverage | one of each: no threshold |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    settings = [(Documents(share), count) for share in SHARES for count in DOCUMENTS]
    settings += [(Documents(0.6, uneven=True), count) for count in DOCUMENTS]
    for documents, count in settings:
        pieces = [range(start, min(start + 250, given.draws)) for start in range(0, given.draws, 250)]
        found = np.concatenate(list(pool.map(partial(calibrations, documents, count), pieces)))
        old, new = (_broken(found[:, i, 0]) for i in (0, 1))
        covered = [f"{found[:, i, 1].mean():.1%}" for i in (0, 1)]
        none = np.isnan(found[:, 1, 0]).mean()
        line = (
            f"| {documents.name} | {count} | {QUESTIONS * count:,} | {old} | {covered[0]} "
            f"| {new} | {covered[1]} | {none:.1%} |"
        )
        print(line, flush=True)
        yield line


def _broken(errors: np.ndarray) -> str:
    count, n = int((errors > MAX_ERROR).sum()), len(errors)
    low, high = stats.binomtest(count, n).proportion_ci()
    return f"{count / n:.1%} [{low:.1%}, {high:.1%}]"


def held(share: float, count: int, resamples: int, samples: range) -> np.ndarray:
    """Whether each figure's interval holds the truth: [samples, procedures, figures]; nan without one."""
    world = World(0.8, clustered=True, cluster=QUESTIONS, group_share=share)
    true, n = true_figures(share), QUESTIONS * count
    rows = []
    for number in samples:
        boards = world.boards(n, np.random.default_rng([SEED, 3, count, number]))
        row = []
        for clusters in (None, np.arange(n) // QUESTIONS):
            report = evaluate_boards(
                boards,
                {"all": np.arange(n)},
                wanted(METRICS, **WANTED),
                Resampling(resamples=resamples, seed=number, threads=1),
                clusters=clusters,
            )
            cells = _figures(report)
            row.append([_holds(cells[name], true[name]) for name in names()])
        rows.append(row)
    return np.array(rows)


def names() -> list[str]:
    """The figures whose intervals are looked at."""
    return [*METRICS, *(DIFFERENCES + name for name in METRICS)]


@lru_cache
def true_figures(share: float) -> dict[str, Any]:
    """What is true; the share moves no figure but those of a finite sample."""
    return truth(World(0.8, clustered=True, cluster=QUESTIONS, group_share=share), METRICS)


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    found = {name: report["metrics"]["tuned"]["all"][name] for name in METRICS}
    return found | {DIFFERENCES + item["metric"]: item for item in report["differences"]}


def _holds(cell: dict[str, Any], true: float) -> float:
    return np.nan if cell["low"] is None else float(cell["low"] <= true <= cell["high"])


def coverages(given: argparse.Namespace, pool: ProcessPoolExecutor) -> Iterator[str]:
    """The table of the intervals: single questions drawn, then whole documents."""
    yield (
        "| share | documents | "
        + " | ".join(f"`{name}`" for name in METRICS)
        + " | "
        + " | ".join(f"difference: `{name}`" for name in METRICS)
        + " |"
    )
    yield "| --- | --- |" + " --- |" * len(names())
    for share in SHARES:
        for count in given.tested:
            pieces = [range(start, min(start + 50, given.samples)) for start in range(0, given.samples, 50)]
            work = partial(held, share, count, given.resamples)
            single, whole = np.nanmean(np.concatenate(list(pool.map(work, pieces))), axis=0)
            cells = " | ".join(f"{a:.3f} → {b:.3f}" for a, b in zip(single, whole, strict=True))
            line = f"| {share:g} | {count} | {cells} |"
            print(line, flush=True)
            yield line


def section(promised: Sequence[str], intervals: Sequence[str], given: argparse.Namespace) -> str:
    """The part of the page."""
    error = np.sqrt(0.95 * 0.05 / given.samples)
    return "\n".join(
        [
            MARK,
            "## Where questions share their errors",
            "",
            f"Promised: at most {MAX_ERROR:.0%} of the answers wrong, with a confidence of "
            f"{CONFIDENCE:.0%}. Simulated documents with {QUESTIONS} questions each. *Share* is the part "
            "that the questions of a document have in common of what decides whether an answer is right, "
            "known to the confidence or not: at 0 they are independent, at 1 they all have one chance. "
            "*All* tests every question as if it were independent, as Demur did before; *one of each* is "
            f"what `demur calibrate` does now. {given.draws:,} draws a line; in brackets, the exact 95% "
            "interval. In the last three lines documents have 1 to 58 questions, and those with more "
            "than 20 are harder: the promise is about a random question of a random document.",
            "",
            f"```bash\npython benchmarks/groups.py --draws {given.draws} --samples {given.samples} "
            f"--resamples {given.resamples}\n```",
            "",
            f"Seed {SEED}, {os.cpu_count()} cores shared with other work, no GPU, "
            f"{(time.monotonic() - given.started) / 60:.0f} minutes, {time.strftime('%Y-%m-%d')}.",
            "",
            *promised,
            "",
            "### Intervals",
            "",
            f"How often 95% intervals hold the true figure: questions drawn one by one → whole documents "
            f"drawn, as a run does. {given.samples:,} samples a line, {given.resamples} bootstrap draws; a "
            f"coverage of .95 has a standard error of {error:.3f}. Differences are paired, between two "
            "systems on the same questions.",
            "",
            *intervals,
            END,
            "",
        ]
    )


def written(page: str, text: str) -> str:
    """A page with its section exchanged, or appended."""
    before, _, rest = page.partition(MARK)
    _, _, after = rest.partition(END)
    return before.rstrip("\n") + "\n\n" + text.rstrip("\n") + ("\n" + after.lstrip("\n") if after else "\n")


def main() -> None:
    """Print the tables, and write the section of the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--tested", type=int, nargs="*", default=(50,), help="documents of a test split")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    given.started = time.monotonic()
    with ProcessPoolExecutor(given.workers) as pool:
        promised = list(promises(given, pool))
        intervals = list(coverages(given, pool))
    if given.page:
        text = section(promised, intervals, given)
        page = given.page.read_text(encoding="utf-8") if given.page.exists() else ""
        given.page.write_text(written(page, text), encoding="utf-8")


if __name__ == "__main__":
    main()
