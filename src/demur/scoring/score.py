"""The score of some outputs: every metric that their fields allow, and why the others are missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from demur.errors import DataError
from demur.metrics import METRICS
from demur.metrics.base import DEFAULT_BINS, REFUSED, UNSCORED, Codes, Index, Metric, Rows
from demur.metrics.board import Board
from demur.metrics.evaluation import evaluate_boards
from demur.scoring.reading import Outputs

SYSTEM, SPLIT = "outputs", "all"
FEWEST_GROUPS = 20
"""With fewer groups than this, an interval over groups means little, and rows are drawn by themselves."""


def score(
    outputs: Outputs,
    before: Outputs | None = None,
    *,
    metrics: Sequence[str] | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    bins: int = DEFAULT_BINS,
) -> dict[str, Any]:
    """Score outputs.

    Args:
        before: the same questions answered by the untuned system; matched by id, or by the question.
        metrics: names of `METRICS`; by default all.
        resamples: bootstrap draws, of whole groups where rows have at least `FEWEST_GROUPS` of them.

    Returns:
        ``schema``, ``rows``, ``metrics`` (by name: ``value``, ``low``, ``high``, ``n``, ``unscored``),
        ``tables``, ``policies``, ``not_computed`` (name to reason), ``notes``, and what came of a model's
        judging (``judge``, ``judge_before``; null where a rule judged), all JSON values.

    Raises:
        DataError: there are no rows, or none of them has a counterpart in ``before``.
        UnknownNameError: there is no such metric.
    """
    if not len(outputs):
        raise DataError(expected="at least one row", found="none", fix="check that this is the right file")
    names = [METRICS.check(name) for name in metrics or METRICS.names()]
    clusters, notes = _clusters(outputs)
    primary = next(iter(outputs.signals), "")
    board = Board(
        np.ones(len(outputs), bool),
        Rows(
            verdict=outputs.verdict,
            refused=outputs.refused.astype(np.float64),
            answerable=outputs.answerable,
            before=_outcomes_before(outputs, before, notes),
            confidence=np.full(len(outputs), np.nan),
            bins=bins,
        ),
        outputs.signals,
    )
    if primary:  # no metric depends on the order of the rows; in this one, every draw reads memory in order
        order = np.argsort(-outputs.signals[primary], kind="stable")
        board = board.take(order)
        clusters = clusters if clusters is None else clusters[order]
    report = evaluate_boards(
        {SYSTEM: board},
        {SPLIT: np.arange(len(outputs))},
        primary={SYSTEM: primary},
        metrics=names,
        clusters=clusters,
        level=level,
        resamples=resamples,
        seed=seed,
    )
    cells = report["metrics"][SYSTEM][SPLIT]
    if len(outputs.signals) == 1:  # the names with the signal behind them say the same again
        cells = {name: cell for name, cell in cells.items() if name in names}
    return {
        "schema": 1,
        "rows": len(outputs),
        "metrics": cells,
        "tables": report["tables"][SYSTEM][SPLIT],
        "policies": report["policies"][SYSTEM][SPLIT],
        "not_computed": {
            name: _reason(METRICS.get(name), board, primary, before)
            for name in names
            if cells[name]["value"] is None
        },
        "notes": notes,
        "judge": outputs.judge,
        "judge_before": before.judge if before else None,
        "settings": {"level": level, "resamples": resamples, "seed": seed, "ece_bins": bins},
    }


def _clusters(outputs: Outputs) -> tuple[Index | None, list[str]]:
    if outputs.groups is None:
        return None, []
    found, numbers = np.unique(np.array(outputs.groups), return_inverse=True)
    if len(found) < FEWEST_GROUPS:
        return None, [f"{len(found)} groups are too few to draw whole ones: rows are drawn by themselves"]
    return numbers, [f"intervals are over {len(found):,} groups, drawn as wholes"]


def _outcomes_before(outputs: Outputs, before: Outputs | None, notes: list[str]) -> Codes:
    """The outcome of each row's question before; UNSCORED where there is none."""
    codes = np.full(len(outputs), UNSCORED, np.int8)
    if before is None:
        return codes
    outcome = np.where(before.refused, REFUSED, before.verdict).astype(np.int8)
    known = dict(zip(before.keys, outcome.tolist(), strict=True))
    missing = sum(key not in known for key in outputs.keys)
    if missing == len(outputs):
        raise DataError(
            expected="the same questions before and now, with the same ids or texts",
            found="no row of one file has a counterpart in the other",
            where="--before",
            fix="give both files the same ids, or none",
        )
    if missing:
        notes.append(f"{missing:,} of {len(outputs):,} rows have no counterpart before")
    return np.array([known.get(key, UNSCORED) for key in outputs.keys], np.int8)


def _reason(metric: Metric, board: Board, primary: str, before: Outputs | None) -> str:
    if "before" in metric.needs and before is None:
        return "needs the untuned system's outputs (--before)"
    if metric.per_signal and not primary:
        return "no row has a confidence"
    rows = board.rows
    if metric.per_signal:
        rows = dataclasses.replace(rows, confidence=board.signals[primary])
    return metric.obstacle(rows) or metric.undefined
