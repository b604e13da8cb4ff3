"""Two models on the same documents: each metric of both, and its difference, with intervals.

Documents are drawn with replacement, the same for both models, and the metric is computed anew on every
draw: the paired bootstrap (Efron and Tibshirani 1993) with the draws of `demur.metrics.bootstrap`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from demur.core.errors import DataError
from demur.core.records import Verdict
from demur.metrics import METRICS
from demur.metrics.base import Floats
from demur.metrics.bootstrap import chunks, draw, intervals
from demur.metrics.sample import Counted, Weights
from demur.metrics.sample import Sample as Weighted
from demur.tax.judged import rows
from demur.tax.running import Sample

JUDGED = ("accuracy", "refusal_rate")
"""Metrics of answers judged by Demur; the others need to know more than answers."""
Measure = Callable[[Weights], Floats]
"""A metric of fixed documents under R sets of weights, shape [R]; NaN where undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How intervals are drawn."""

    level: float
    """Such as 0.95."""
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of both models, document by document."""

    base: list[Any]
    tuned: list[Any]
    """Beside ``base``: the same documents."""
    aggregation: Callable[[Sequence[Any]], float | None]
    """lm-eval's: how the documents' values become the metric."""
    better: str
    """``higher``, ``lower`` or ``neither``."""

    @property
    def judged(self) -> bool:
        """Whether the values are verdicts of Demur's judge."""
        return bool(self.base) and isinstance(self.base[0], Mapping)


def compare(
    tasks: Mapping[str, Any],
    base: Mapping[str, Sequence[Sample]],
    tuned: Mapping[str, Sequence[Sample]],
    draws: Draws,
) -> dict[str, Any]:
    """Both models on the documents of one or more tasks, pooled.

    Args:
        tasks: lm-eval's tasks by name.
        base: what lm-eval logged of the untuned model, by task.
        tuned: and of the tuned one.

    Returns:
        ``n`` documents, and ``metrics`` by name: ``unit`` (``share`` or ``number``), ``better``, ``base``,
        ``tuned`` and ``difference`` (tuned - base; each ``value``, ``low``, ``high``), ``n``,
        ``unscored`` and, for shares of which more is better, ``lost`` (right before, wrong now) and
        ``gained``.

    Raises:
        DataError: the two models were not asked the same.
    """
    columns: dict[str, Column] = {}
    for name, task in tasks.items():
        _collect(columns, task, _paired(name, base[name], tuned[name]))
    documents = {(name, sample["doc_id"]) for name in tasks for sample in base[name]}
    return {
        "n": len(documents),
        "metrics": {name: _compared(name, column, draws) for name, column in columns.items()},
    }


def _paired(name: str, base: Sequence[Sample], tuned: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """The samples of both models, document by document and filter by filter."""
    found = {(sample["doc_id"], sample["filter"]): sample for sample in tuned}
    pairs = [(sample, found.get((sample["doc_id"], sample["filter"]))) for sample in base]
    same = [
        (old, new) for old, new in pairs if new is not None and old["prompt_hash"] == new["prompt_hash"]
    ]
    if len(same) < max(len(base), len(tuned)):
        raise DataError(
            expected="the same prompts for both models",
            found=f"{len(base)} and {len(tuned)} answers, {len(same)} of them to the same prompts",
            where=name,
            fix="leave this task out: it asks every model something else",
        )
    return same


def _collect(columns: dict[str, Column], task: Any, pairs: Sequence[tuple[Sample, Sample]]) -> None:
    """Add the documents of a task to the metrics that it has."""
    aggregations, higher = task.aggregation(), task.higher_is_better()
    for old, new in pairs:
        # A document that one of the two models has no value for counts for neither.
        for metric in old["metrics"]:
            if metric in new["metrics"] and metric in aggregations and _counts(metric, old[metric]):
                name = metric if old["filter"] == "none" else f"{metric}, {old['filter']}"
                better = METRICS.get(metric).better if metric in JUDGED else _direction(higher.get(metric))
                column = columns.setdefault(name, Column([], [], aggregations[metric], better))
                column.base.append(old[metric])
                column.tuned.append(new[metric])


def _counts(metric: str, value: Any) -> bool:
    """Whether a value belongs to a metric that is compared; accuracy is about answerable questions."""
    if not isinstance(value, Mapping):
        return True
    return metric in JUDGED and (metric != "accuracy" or value["answerable"])


def _direction(higher_is_better: bool | None) -> str:
    return {True: "higher", False: "lower", None: "neither"}[higher_is_better]


def _compared(name: str, column: Column, draws: Draws) -> dict[str, Any]:
    metric = name.partition(",")[0]
    measures = [_measure(metric, items, column) for items in (column.base, column.tuned)]
    n = len(column.base)
    values = np.full((3, 1 + draws.resamples), np.nan)
    for numbers in chunks(n, draws.resamples):
        weights = draw(n, numbers, seed=draws.seed, key=f"tax/{name}")
        part = slice(numbers.start, numbers.stop)
        values[0, part], values[1, part] = (measure(weights) for measure in measures)
    values[2] = values[1] - values[0]
    cells = intervals(values, draws.level)
    estimates = [dict(zip(("value", "low", "high"), cell, strict=True)) for cell in cells]
    pairs = _pairs(metric, column)
    if pairs and all(old == new for old, new in pairs):
        estimates[2] |= _unmoved(len(pairs), draws.level)
    directed = column.better == "higher"
    return {
        "unit": "number" if pairs is None else "share",
        "better": column.better,
        **dict(zip(("base", "tuned", "difference"), estimates, strict=True)),
        "n": n,
        "unscored": 0 if pairs is None else n - len(pairs),
        "lost": pairs.count((True, False)) if pairs and directed else None,
        "gained": pairs.count((False, True)) if pairs and directed else None,
    }


def _unmoved(n: int, level: float) -> dict[str, float]:
    """The interval of a difference where none of n documents moved, which no draw of them can show.

    A share of moved documents p leaves all n unmoved with probability (1 - p)^n; the largest p for which
    that is (1 - level) / 2 bounds the difference on both sides (Clopper and Pearson 1934).
    """
    bound = 1 - ((1 - level) / 2) ** (1 / n)
    return {"low": -bound, "high": bound}


def _measure(metric: str, items: Sequence[Any], column: Column) -> Measure:
    """How a metric is computed from some documents under weights."""
    if column.judged:
        own, table = METRICS.get(metric), rows(items)
        counted = Counted.of(table, own.counted_mask(table))
        return lambda weights: own.compute(Weighted(counted, weights))
    if _is_mean(column):
        values = np.array(items, np.float64)
        return lambda weights: (weights.real @ values) / weights.real.sum(axis=1)

    def drawn(weights: Weights) -> Floats:
        chosen = (
            [item for item, count in zip(items, counts, strict=True) for _ in range(count)]
            for counts in weights.counts.tolist()
        )
        return np.array([_number(column.aggregation(part)) for part in chosen])

    return drawn


def _is_mean(column: Column) -> bool:
    from lm_eval.api.metrics import mean

    numbers = all(isinstance(item, (bool, int, float)) for item in (*column.base, *column.tuned))
    return column.aggregation is mean and numbers


def _pairs(metric: str, column: Column) -> list[tuple[bool, bool]] | None:
    """Base and tuned, for each document that both were judged on: right or wrong, refused or not.

    None where a document's value is something else than yes or no.
    """
    if column.judged:
        wanted = Verdict.CORRECT if metric == "accuracy" else Verdict.REFUSED
        verdicts = [
            (old["verdict"], new["verdict"]) for old, new in zip(column.base, column.tuned, strict=True)
        ]
        return [
            (old == wanted, new == wanted) for old, new in verdicts if Verdict.UNSCORED not in (old, new)
        ]
    items = (*column.base, *column.tuned)
    if not all(isinstance(item, (bool, int, float)) and item in (0, 1) for item in items):
        return None
    return [(bool(old), bool(new)) for old, new in zip(column.base, column.tuned, strict=True)]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
