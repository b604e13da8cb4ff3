"""What a fitted confidence has above its controls: every signal of a system that fits, beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from demur.core.questions import shared_by
from demur.core.records import Prediction, Probe, Question, Response, Verdict
from demur.judging.normalise import normalise
from demur.signals import SIGNALS, Answered, Said
from demur.signals.base import Bools, Floats
from demur.signals.controls import Labelled, controls
from demur.signals.linear import rightness
from demur.signals.ranking import area, gap, strata_of

JUDGED = (Verdict.CORRECT, Verdict.WRONG)
FREE = ("sum", "min", "likelihood")
"""Signals that no label was needed for; those of them that all answers have are compared."""
DOMAINS = ("id", "ood")


def beside(
    training: Sequence[tuple[Question, Probe]],
    asked: Mapping[str, Question],
    rows: Sequence[Prediction],
    *,
    primary: str,
    seed: int,
) -> dict[str, Any]:
    """The ranking of a system's answers to test questions by its signals and by controls, JSON values.

    Args:
        training: the labelled questions it was fitted to.
        asked: all questions by id.
        rows: the system's predictions.
        primary: the signal whose lead over the others is reported.

    Returns:
        By domain: ``n`` answers, ``signals`` and ``controls`` by name with ``auroc``, ``within`` (only
        pairs of one group) and, where questions hold an accepted answer, ``elsewhere`` (only the others);
        and ``lead`` of the primary signal over the best free ``signal`` and the best ``control``, each with
        ``name``, ``value``, ``low`` and ``high``. Best is what ranks these answers best, which favours it.
        Nothing where there is nothing to learn from.
    """
    answers = [_answered(question, probe) for question, probe in training if probe.greedy_verdict in JUDGED]
    right = rightness(answers)
    if not 0 < right.sum() < len(right):
        return {}
    free = {name: _free(name, [item.said for item in answers]) for name in FREE}
    known = Labelled(
        answers=answers, free={name: found for name, found in free.items() if found is not None}
    )
    found = {}
    for domain in DOMAINS:
        chosen = [
            (question, row)
            for row in rows
            if row.verdict in JUDGED
            and (question := asked[row.question_id]).split == "test"
            and question.domain == domain
        ]
        if chosen:
            found[domain] = _domain(known, chosen, primary=primary, seed=seed)
    return {domain: cells for domain, cells in found.items() if cells}


def _domain(
    labelled: Labelled, chosen: Sequence[tuple[Question, Prediction]], *, primary: str, seed: int
) -> dict[str, Any]:
    right = np.array([row.verdict is Verdict.CORRECT for _, row in chosen])
    signals = _signals([row for _, row in chosen])
    if primary not in signals or not 0 < right.sum() < len(right):
        return {}
    shared = {name: scores for name, scores in signals.items() if name in labelled.free}
    known = dataclasses.replace(labelled, free={name: labelled.free[name] for name in shared})
    saids = [Said(question=question, greedy=Response(text=row.response)) for question, row in chosen]
    others = controls(known, saids, shared, seed=seed)
    strata = strata_of([question.group for question, _ in chosen])
    clusters = [shared_by(question) or question.id for question, _ in chosen]
    elsewhere = np.array([not holds_answer(question) for question, _ in chosen])

    def cells(scores: Mapping[str, Floats]) -> dict[str, Any]:
        return {name: cell(one) for name, one in scores.items()}

    def cell(scores: Floats) -> dict[str, Any]:
        found = {"auroc": area(scores, right), "within": area(scores, right, strata)}
        more = {} if elsewhere.all() else {"elsewhere": area(scores[elsewhere], right[elsewhere])}
        return found | more

    def lead(rivals: Mapping[str, Floats]) -> dict[str, Any] | None:
        return _lead(signals[primary], rivals, right, clusters, seed=seed)

    return {
        "n": len(chosen),
        "signals": cells(signals),
        "controls": cells(others),
        "lead": {"signal": lead(shared), "control": lead(others)},
    }


def holds_answer(question: Question) -> bool:
    """Whether a question's own words hold an accepted answer, so that repeating them is enough."""
    asked = f" {normalise(question.text)} "
    return any(f" {words} " in asked for answer in question.answers if (words := normalise(answer)))


def _lead(
    scores: Floats, rivals: Mapping[str, Floats], right: Bools, clusters: Sequence[str], *, seed: int
) -> dict[str, Any] | None:
    """How far the best of the rivals is behind."""
    areas = {name: area(other, right) for name, other in rivals.items()}
    best = max(areas, key=lambda name: areas[name] or 0.0, default=None)
    found = None if best is None else gap([scores], [rivals[best]], right, clusters, seed=seed)
    if found is None:
        return None
    return {"name": best, "value": found.value, "low": found.low, "high": found.high}


def _answered(question: Question, probe: Probe) -> Answered:
    said = Said(question=question, greedy=probe.greedy)
    return Answered.of(said, right=probe.greedy_verdict is Verdict.CORRECT)


def _free(name: str, saids: Sequence[Said]) -> Floats | None:
    """A free signal of all answers; None where one has none."""
    signal = SIGNALS.get(name)()
    values = [value for said in saids if (value := signal(said)) is not None and np.isfinite(value)]
    return np.array(values) if len(values) == len(saids) else None


def _signals(rows: Sequence[Prediction]) -> dict[str, Floats]:
    """The signals that every answer has."""
    names = set.intersection(*(set(row.signals) for row in rows))
    found = {name: np.array([row.signals[name] for row in rows], float) for name in sorted(names)}
    return {name: scores for name, scores in found.items() if np.isfinite(scores).all()}
