"""Precision and recall of the refusal detector on labelled texts, with Wilson intervals.

    python benchmarks/refusals.py [--outputs PATH_OF_UNKNOWNBENCH/outputs] [--misses]

Two kinds of labelled texts: sentences written for this (`tests/data/refusal_sentences.csv`), and responses
of real models to UnknownBench's questions (`tests/data/refusal_labels.csv` names them by file and row; the
texts stay where they are). The labels "refused" and "corrects-premise" say that a text does not give what
was asked; so do the readings "refused", "corrects-premise" and "contradicts".
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from demur.judging.refusals import refusal_state
from demur.metrics.proportion import wilson
from refusal_detection import GIVES_NONE, labelled

SENTENCES = Path(__file__).parents[1] / "tests/data/refusal_sentences.csv"
REFUSALS = frozenset({"refused", "corrects-premise"})


class Text(NamedTuple):
    """A labelled text."""

    part: str
    state: str
    question: str
    response: str


def sentences() -> Iterator[Text]:
    """The written sentences."""
    with SENTENCES.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            yield Text(f"sentences, {row['part']}", row["state"], row["question"], row["response"])


def responses(outputs: Path) -> Iterator[Text]:
    """The responses of real models."""
    for part, verdict, question, text in labelled(outputs):
        yield Text(f"UnknownBench, {part}", verdict, question, text)


def counts(texts: Sequence[Text]) -> tuple[int, int, int]:
    """Refusals that were found, all that was called a refusal, all refusals."""
    said = [refusal_state(text.response, question=text.question) in GIVES_NONE for text in texts]
    true = [text.state in REFUSALS for text in texts]
    return sum(a and b for a, b in zip(said, true, strict=True)), sum(said), sum(true)


def cell(right: int, total: int) -> str:
    """A share with its interval."""
    interval = wilson(right, total)
    if interval is None:
        return "–"
    return f"{right / total:.3f} [{interval[0]:.3f}, {interval[1]:.3f}], {right} of {total}"


def table(texts: Sequence[Text]) -> Iterator[str]:
    """A row for each part, in Markdown."""
    yield "| texts | how many | precision | recall |"
    yield "| --- | --- | --- | --- |"
    for part in dict.fromkeys(text.part for text in texts):
        own = [text for text in texts if text.part == part]
        both, said, true = counts(own)
        yield f"| {part} | {len(own):,} | {cell(both, said)} | {cell(both, true)} |"


def misses(texts: Sequence[Text]) -> Iterator[str]:
    """Every text whose label and state disagree on whether it is a refusal."""
    for text in texts:
        found = refusal_state(text.response, question=text.question)
        if (found in GIVES_NONE) != (text.state in REFUSALS):
            yield f"- {text.part}: {text.state}, called {found}: {text.question!r} {text.response[:200]!r}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=Path, help="folder of UnknownBench's responses")
    parser.add_argument("--misses", action="store_true", help="list the texts that are misjudged")
    given = parser.parse_args()
    texts = [*sentences(), *(responses(given.outputs) if given.outputs else ())]
    print("\n".join([*table(texts), *(misses(texts) if given.misses else ())]))


if __name__ == "__main__":
    main()
