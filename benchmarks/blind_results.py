"""Scores the blind test: how often refusals and right answers are recognised, with Wilson intervals.

    python benchmarks/judging_blind.py texts --data DATA --clones CLONES --out rows.jsonl
    python benchmarks/blind_results.py rows.jsonl [--set blind2] [--misses]

The labels (`tests/data/blind2/labels.jsonl`) were stored before the rules ran on these texts. The readers'
"refused" and "corrects-premise" mean that a text does not give what was asked; the rules' readings for
that are "refused", "corrects-premise" and "contradicts". A verdict counts the first two as refusals.
Correctness is counted on the rows with a label "right" or "wrong". The sentences in other languages
(`languages.jsonl` beside them) are scored in the same way.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from demur.core.records import Question, Verdict
from demur.judging.verdict import NO_ANSWER, judgement
from demur.metrics.proportion import wilson

DATA = Path(__file__).parents[1] / "tests/data"
REFUSALS = frozenset({"refused", "corrects-premise"})
DENIALS = REFUSALS | {"contradicts"}


class Row(NamedTuple):
    """A response with its label and what the rules say of it."""

    id: str
    group: dict[str, str]
    state: str
    right: str | None
    reading: str | None
    verdict: Verdict
    question: str
    response: str

    @property
    def refuses(self) -> bool:
        """Whether the readers saw no answer to what was asked."""
        return self.state in REFUSALS

    @property
    def found(self) -> bool:
        """Whether the rules see none."""
        return self.reading in DENIALS


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(text: dict[str, Any], label: dict[str, Any], group: dict[str, str]) -> Row:
    """One row as the rules judge it."""
    question = Question(
        id=text.get("id", ""),
        text=text["question"],
        answers=tuple(text.get("answers", ())),
        answerable=text.get("answerable") is not False,
    )
    found = judgement(question, text["response"])
    reading = "no-answer" if found.reason == NO_ANSWER else found.reading
    said = label["state"], label.get("right"), reading, found.verdict
    return Row(question.id, group, *said, text["question"], text["response"])


def share(part: int, whole: int) -> str:
    """A share with its 95% Wilson interval."""
    if not whole:
        return "–"
    low, high = wilson(part, whole)
    return f"{part / whole:.3f} [{low:.3f}, {high:.3f}], {part} of {whole}"


def refusals(title: str, rows: Sequence[Row]) -> str:
    """A line of the table of refusals."""
    both = sum(row.found and row.refuses for row in rows)
    flagged, real = sum(row.found for row in rows), sum(row.refuses for row in rows)
    return f"| {title} | {len(rows)} | {share(both, flagged)} | {share(both, real)} |"


def by(name: str, rows: Iterable[Row], line: Callable[[str, Sequence[Row]], str]) -> list[str]:
    """A line for each group."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group[name], []).append(row)
    return [line(title, groups[title]) for title in sorted(groups)]


def correctness(title: str, rows: Sequence[Row]) -> str:
    """A line of the table of correctness."""
    right = [row for row in rows if row.right == "right"]
    wrong = [row for row in rows if row.right == "wrong"]
    missed = sum(row.verdict != Verdict.CORRECT for row in right)
    taken = sum(row.verdict == Verdict.CORRECT for row in wrong)
    return f"| {title} | {share(missed, len(right))} | {share(taken, len(wrong))} |"


def blind(path: Path, folder: Path) -> list[Row]:
    """The rows of a blind test."""
    texts = {text["id"]: text for text in lines(path)}
    keys = {key["id"]: key for key in lines(folder / "key.jsonl")}
    return [read(texts[label["id"]], label, keys[label["id"]]) for label in lines(folder / "labels.jsonl")]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="File of the texts, from judging_blind.py")
    parser.add_argument(
        "--set", choices=("blind", "blind2", "blind3"), default="blind2", help="Which blind test"
    )
    parser.add_argument("--misses", action="store_true", help="Print the rows that are read otherwise")
    options = parser.parse_args()
    folder = DATA / options.set
    rows = blind(options.rows, folder)
    head = "| texts | rows | precision | recall |\n| --- | --- | --- | --- |"
    plain = [row for row in rows if row.group["draw"] == "plain"]
    print(head, refusals("**all**", rows), refusals("**plain draw**", plain), sep="\n")
    print(*by("source", rows, refusals), sep="\n")
    print("\n| texts | missed | false-correct |\n| --- | --- | --- |")
    print(correctness("**all**", rows), correctness("**plain draw**", plain), sep="\n")
    print(*by("source", rows, correctness), sep="\n")
    for state in ("refused", "corrects-premise"):
        labelled = [row for row in rows if row.state == state]
        print(f"\nlabelled {state}, found: {share(sum(row.found for row in labelled), len(labelled))}")
        counted = sum(row.reading in REFUSALS for row in labelled)
        print(f"labelled {state}, counted as a refusal: {share(counted, len(labelled))}")
    hedged = [row for row in rows if row.state == "hedged"]
    silent = [row for row in rows if row.state == "no-answer"]
    print(f"\nhedged read as an answer: {sum(not row.found for row in hedged)} of {len(hedged)}")
    print(f"no answer read as none: {sum(row.reading == 'no-answer' for row in silent)} of {len(silent)}")
    other = folder / "languages.jsonl"  # the third set has none
    foreign = [read(text, text, text) for text in lines(other)] if other.exists() else []
    if foreign:
        print(f"\n{head}", refusals("**all languages**", foreign), sep="\n")
        print(*by("language", foreign, refusals), sep="\n")
    if options.misses:
        for row in [*rows, *foreign]:
            misjudged = row.right and (row.right == "right") != (row.verdict == Verdict.CORRECT)
            if misjudged or row.found != row.refuses:
                print(json.dumps(row._asdict(), ensure_ascii=False))


if __name__ == "__main__":
    main()
