"""The score of some outputs: every metric that their fields allow, and why the others are missing."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from demur.core.errors import DataError
from demur.judging.languages import unread_sentence
from demur.metrics import METRICS
from demur.metrics.base import DEFAULT_BINS, REFUSED, SILENT, UNSCORED, Codes, Index, Rows
from demur.metrics.board import Board
from demur.metrics.bootstrap import Resampling, group_numbers
from demur.metrics.evaluation import FEWEST_GROUPS, evaluate_boards, wanted
from demur.metrics.metric import Metric
from demur.scoring.outputs import Outputs

SYSTEM, SPLIT = "outputs", "all"
NO_ANSWERS = (
    "{silent:,} rows have no answer (the response is empty, or ends within the model's reasoning): "
    "they are unscored and count in no metric; where that is a refusal, set abstained to true"
)
SHOWN = 5
"""Rows that a message names."""
NO_IDS = "--id-field none"


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
        before: the same questions answered by the untuned system; matched by id, or by the question. Ids
            that occur several times are matched by occurrence where both have them in the same order.
        metrics: names of `METRICS`; by default all.
        resamples: bootstrap draws, of whole groups where rows have at least `FEWEST_GROUPS` of them.

    Returns:
        ``schema_version``, ``rows``, ``metrics`` (by name: ``value``, ``low``, ``high``, ``n``,
        ``unscored``), ``tables``, ``no_answer`` (of the unscored, how many hold no answer), ``readings``
        (how many responses answer, hedge, refuse, …; how many state a final answer), ``policies``,
        ``signals`` (the confidences by name, and whether they were computed here), ``not_computed`` (name
        to reason), ``unread_languages`` (by code, the number of responses whose refusals nobody reads),
        ``notes``, and what came of a model's judging (``judge``, ``judge_before``; null where a rule
        judged), all JSON values.

    Raises:
        DataError: there are no rows, none can be judged, none has a counterpart in ``before``, or ids that
            occur several times do not match.
        UnknownNameError: there is no such metric.
    """
    if not len(outputs):
        raise DataError(expected="at least one row", found="none", fix="check that this is the right file")
    names = [METRICS.check(name) for name in metrics or [name for name, _ in METRICS.items()]]
    require_scored(outputs, "the outputs")
    clusters, notes = _clusters(outputs)
    unread = {} if outputs.judge else dict(outputs.unread.most_common())
    notes = [
        *outputs.notes,
        *notes,
        *filter(None, [unread_sentence(unread, len(outputs))]),
        *_silence(outputs),
    ]
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
        wanted(names, {SYSTEM: primary}),
        Resampling(level=level, resamples=resamples, seed=seed),
        clusters=clusters,
    )
    cells = report["metrics"][SYSTEM][SPLIT]
    if len(outputs.signals) == 1:  # the names with the signal behind them say the same again
        cells = {name: cell for name, cell in cells.items() if name in names}
    return {
        "schema_version": 1,
        "rows": len(outputs),
        "metrics": cells,
        "tables": report["tables"][SYSTEM][SPLIT],
        "no_answer": report["no_answer"][SYSTEM][SPLIT],
        "readings": dict(outputs.readings.most_common()),
        "policies": report["policies"][SYSTEM][SPLIT],
        "signals": {name: name in outputs.computed for name in outputs.signals},
        "not_computed": {
            name: _reason(METRICS.get(name), board, primary, before)
            for name in names
            if cells[name]["value"] is None
        },
        "unread_languages": unread,
        "notes": notes,
        "judge": outputs.judge,
        "judge_before": before.judge if before else None,
        "settings": {"level": level, "resamples": resamples, "seed": seed, "ece_bins": bins},
    }


def _silence(outputs: Outputs) -> list[str]:
    """How many rows hold no answer, and what to do where that is a refusal."""
    silent = int((outputs.verdict == SILENT).sum())
    return [NO_ANSWERS.format(silent=silent)] if silent else []


def _clusters(outputs: Outputs) -> tuple[Index | None, list[str]]:
    if outputs.groups is None:
        return None, []
    numbers = group_numbers(outputs.groups)
    groups = int(numbers.max()) + 1
    if groups < FEWEST_GROUPS:
        return None, [f"{groups} groups are too few to draw whole ones: rows are drawn by themselves"]
    return numbers, [f"intervals are over {groups:,} groups, drawn as wholes"]


def _outcomes_before(outputs: Outputs, before: Outputs | None, notes: list[str]) -> Codes:
    """The outcome of each row's question before; UNSCORED where there is none."""
    codes = np.full(len(outputs), UNSCORED, np.int8)
    if before is None:
        return codes
    require_scored(before, "--before")
    scored = np.minimum(before.verdict, UNSCORED)
    outcome = np.where(before.refused, REFUSED, scored).astype(np.int8).tolist()
    repeated = {key for of in (outputs, before) for key, count in Counter(of.keys).items() if count > 1}
    if repeated:
        _require_same_order(outputs, before, repeated)
    known = dict(zip(_occurrences(before.keys), outcome, strict=True))
    found = [known.get(key) for key in _occurrences(outputs.keys)]
    missing = [place for place, code in enumerate(found) if code is None]
    if len(missing) == len(outputs):
        raise DataError(
            expected="the same questions before and now, with the same ids or texts",
            found=f"no row of one file has a counterpart in the other: {_named(outputs, 0)} now, "
            f"{_named(before, 0)} before",
            where="--before",
            fix=f"give both files the same ids, or match by the question: {NO_IDS}",
        )
    if missing:
        notes.append(
            f"{len(missing):,} of {len(outputs):,} rows have no counterpart before, the first: "
            f"{_named(outputs, missing[0])}"
        )
    return np.array([UNSCORED if code is None else code for code in found], np.int8)


def _occurrences(keys: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each id with the number of its occurrence, from 1."""
    counts = Counter[str]()
    for key in keys:
        counts[key] += 1
        yield key, counts[key]


def _require_same_order(outputs: Outputs, before: Outputs, repeated: set[str]) -> None:
    """Stop unless both have the same rows of these ids, in the same order and with the same questions."""
    now, then = (
        [place for place, key in enumerate(of.keys) if key in repeated] for of in (outputs, before)
    )
    pairs = [
        (here, there)
        for here, there in itertools.zip_longest(now, then)
        if here is None or there is None or not _alike(outputs, here, before, there)
    ]
    if pairs:
        told = [
            f"{'nothing' if here is None else _named(outputs, here)} now, "
            f"{'nothing' if there is None else _named(before, there)} before"
            for here, there in pairs[:SHOWN]
        ]
        raise DataError(
            expected="ids of their own, or the same repeated ids in the same order before and now",
            found=f"{len(repeated):,} repeated ids, {len(pairs):,} rows apart: {'; '.join(told)}",
            where="--before",
            fix=f"give every row an id of its own in both files, or match by the question: {NO_IDS}",
        )


def _alike(outputs: Outputs, here: int, before: Outputs, there: int) -> bool:
    same_id = outputs.keys[here] == before.keys[there]
    return same_id and outputs.asked[here] == before.asked[there]


def _named(outputs: Outputs, place: int) -> str:
    """A row as messages name it."""
    return f"id {outputs.keys[place]!r} ({outputs.unit} {outputs.numbers[place]})"


def require_scored(outputs: Outputs, where: str) -> None:
    """Stop where no row has an outcome: a figure of such rows would say nothing.

    Raises:
        DataError: no row was judged or declined.
    """
    if not (outputs.refused | (outputs.verdict < UNSCORED)).any():
        reasons = (outputs.judge or {}).get("unscored", {})
        silent = int((outputs.verdict == SILENT).sum())
        if silent and not reasons:
            raise DataError(
                expected="at least one row with an answer",
                found=f"{len(outputs):,} rows, {silent:,} of them without any: the response is "
                "empty, or ends within the model's reasoning",
                where=where,
                fix="name the field that holds the answers: --response-field FIELD; or let the model write "
                "more tokens",
            )
        why = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        raise DataError(
            expected="at least one row that can be judged",
            found=f"{len(outputs):,} rows, none of them: {why or 'no row has an accepted answer'}",
            where=where,
            fix="see why the judge gave no verdict" if why else "name the answers: --answers-field FIELD",
        )


def _reason(metric: Metric, board: Board, primary: str, before: Outputs | None) -> str:
    if "before" in metric.needs and before is None:
        return "needs the untuned system's outputs (--before)"
    if metric.per_signal and not primary:
        return "no row has a confidence"
    rows = board.rows
    if metric.per_signal:
        rows = dataclasses.replace(rows, confidence=board.signals[primary])
    return metric.obstacle(rows) or metric.undefined
