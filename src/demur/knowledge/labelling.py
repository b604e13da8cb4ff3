"""Questions with what a model is taken to know: labelled, balanced, and how that moves between rounds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from demur.core.records import Knowledge, Probe, Question
from demur.knowledge import estimators
from demur.methods import Labelled


def label(questions: Sequence[Question], probes: Sequence[Probe], estimator: str) -> list[Labelled]:
    """Questions with what a model is taken to know; of one that cannot be answered nothing is known."""
    asked = [
        (question, item) for question, item in zip(questions, probes, strict=True) if question.answerable
    ]
    estimates = {
        estimate.question_id: estimate
        for estimate in estimators.estimate(
            [question for question, _ in asked], [item for _, item in asked], estimator
        )
    }
    return [
        Labelled(
            question=question,
            probe=item,
            knowledge=estimates.get(question.id)
            or Knowledge(question_id=question.id, estimator=estimator, known=None),
        )
        for question, item in zip(questions, probes, strict=True)
    ]


def balanced(data: Sequence[Labelled], seed: int) -> list[Labelled]:
    """As many known as unknown questions, in their order; the larger side loses some, drawn by the seed."""
    sides = [[i for i, item in enumerate(data) if item.knowledge.known is side] for side in (True, False)]
    size = min(map(len, sides))
    rng = random.Random(f"{seed}/balance")  # noqa: S311 - reproducible, not secret
    dropped = {i for side in sides for i in side} - {i for side in sides for i in rng.sample(side, size)}
    return [item for i, item in enumerate(data) if i not in dropped]


def moved(
    questions: Sequence[Question], before: Sequence[Probe], after: Sequence[Probe], estimator: str
) -> dict[str, int]:
    """How the boundary drifted between two rounds: how many questions became known, and unknown."""
    pairs = [
        (old.knowledge.known, new.knowledge.known)
        for old, new in zip(
            label(questions, before, estimator), label(questions, after, estimator), strict=True
        )
    ]
    decided = [pair for pair in pairs if None not in pair]
    return {
        "questions": len(decided),
        "known_before": sum(bool(old) for old, _ in decided),
        "known_after": sum(bool(new) for _, new in decided),
        "gained": decided.count((False, True)),
        "lost": decided.count((True, False)),
    }
