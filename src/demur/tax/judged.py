"""What an exported task calls: reading its documents, judging its answers, adding the verdicts up.

The ``utils.py`` beside an exported task is a few lines that end up here, so that lm-eval counts what Demur
counts: the judge is `demur.judging`, the metrics are those of `demur.metrics`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.core.records import Question, Verdict, from_row
from demur.judging import judgement
from demur.judging.verdict import NO_ANSWER
from demur.metrics import METRICS, Rows

Item = Mapping[str, Any]
"""What lm-eval keeps of one answer: ``verdict``, ``answer`` (the extracted one, empty where there is none),
``no_answer``, ``answerable`` and ``before``, the verdict of the untuned model
(None where it is not known)."""

ALWAYS = ("accuracy", "refusal_rate", "accuracy_willing", "abstention_f1")
WITH_BEFORE = ("prudence", "over_conservativeness", "honesty", "truthful_rate")
"""For documents that say what became of them before tuning."""
UNSCORED = "unscored"
"""How many answers could not be judged: in no share, and not hidden."""


def documents(path: Path) -> dict[str, Any]:
    """The documents of a task, as lm-eval wants them: a dataset whose one split is called ``test``."""
    from datasets import Dataset

    with path.open(encoding="utf-8") as handle:
        return {"test": Dataset.from_list([json.loads(line) for line in handle])}


def process_results(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Item]:
    """Judge one answer; every metric is later computed from the same item."""
    found = judgement(from_row(Question, doc), results[0], rule=doc["rule"], refusals=doc["refusals"])
    item = {
        "verdict": str(found.verdict),
        "answer": found.answer,
        "no_answer": found.reason == NO_ANSWER,
        "answerable": doc["answerable"],
        "before": doc["before"],
    }
    further = () if doc["before"] is None else WITH_BEFORE
    return dict.fromkeys((*ALWAYS, *further, UNSCORED), item)


def continuation(doc: Mapping[str, Any], results: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """The log-probability of a text with its length in bytes, for lm-eval's ``bits_per_byte``."""
    return {"bits_per_byte": (results[0][0], len(doc["target"].encode()))}


def rows(items: Sequence[Item]) -> Rows:
    """Items as the rows that Demur's metrics are computed from."""
    return Rows.of(
        [Verdict(item["verdict"]) for item in items],
        answerable=[item["answerable"] for item in items],
        before=[Verdict(item["before"] or Verdict.UNSCORED) for item in items],
        silent=[item.get("no_answer", False) for item in items],
    )


def aggregation(metric: str) -> Callable[[Sequence[Item]], float | None]:
    """A metric of `demur.metrics` as a function of items; None where it is undefined."""
    return lambda items: METRICS.get(metric).value(rows(items))


def unscored(items: Sequence[Item]) -> int:
    """How many answers could not be judged."""
    return sum(item["verdict"] == Verdict.UNSCORED for item in items)
