"""The time that declining before an answer saves, on a run of `demur fit --before-answering`.

    python benchmarks/before.py RUN --questions 256 --rounds 5

Asks test questions of the run in batches, in turns: once all are answered (threshold 0), once those
below the run's own threshold are declined before an answer is generated. Seconds are those of the
processor, which change little with other work on the machine. Medians over rounds; the ratio is taken
within a round.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from demur.ask import Answer, Answerer, load
from demur.core.records import Question
from demur.runfolder.finished import FinishedRun


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--questions", type=int, default=256, help="of each domain, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    tested = [question for question in FinishedRun.open(options.run).questions if question.split == "test"]
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores")
    print("| | questions | declined | all answered, s | declined before, s | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with load(options.run) as answerer:
        for domain in ("id", "ood"):
            chosen = [question for question in tested if question.domain == domain][: options.questions]
            print(f"| {domain} | {row(answerer, chosen, options)} |")


def row(answerer: Answerer, questions: Sequence[Question], options: argparse.Namespace) -> str:
    """The two ways beside each other; the first round warms up and is not counted."""
    whole, before, declined = [], [], 0
    for _ in range(options.rounds + 1):
        seconds, _ = asked(answerer, questions, 0.0, options.batch)
        whole.append(seconds)
        seconds, answers = asked(answerer, questions, None, options.batch)
        before.append(seconds)
        declined = sum(answer.abstained for answer in answers)
    ratios = [a / b for a, b in zip(whole[1:], before[1:], strict=True)]
    return (
        f"{len(questions)} | {declined / len(questions):.0%} | {statistics.median(whole[1:]):.1f} | "
        f"{statistics.median(before[1:]):.1f} | ×{statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def asked(
    answerer: Answerer, questions: Sequence[Question], threshold: float | None, batch: int
) -> tuple[float, list[Answer]]:
    """Seconds of the processor, and what was answered."""
    start, answers = time.process_time(), []
    for first in range(0, len(questions), batch):
        answers += answerer.ask(list(questions[first : first + batch]), threshold=threshold)
    return time.process_time() - start, answers


if __name__ == "__main__":
    main()
