"""Certain against uncertain data: is what the model does not know also harder to read and to answer?

D1 are the training questions that the base model answers right, D0 those that it answers wrong. Of each:
the log-perplexity of the question, the log-perplexity of the model's own greedy answer, and the entropy of
its sampled answers. The questions are different ones, so the two sides are resampled each by itself.

Source: R-Tuning (arXiv 2311.09677), tables 6 and 7. Deviations: means of log-perplexities, where the paper
gives means of perplexities, which a few rare names decide; entropy over the run's own samples, where the
paper samples another model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from demur.core.records import Knowledge, Probe, Question
from demur.knowledge import estimators
from demur.metrics.base import Floats

QUANTITIES = ("question_log_perplexity", "answer_log_perplexity", "answer_entropy")
BATCH = 50
"""Resamples that are in memory at a time."""


def certain_against_uncertain(
    questions: Sequence[Question],
    probes: Mapping[str, Probe],
    question_perplexities: Mapping[str, float] | None,
    *,
    level: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """By quantity: certain, uncertain, and uncertain minus certain; each mean, low, high and n.

    Args:
        questions: training questions that have an answer.
        question_perplexities: by question id; None where they were not computed.

    Returns:
        None in place of a quantity that the run does not have, or of which a side is empty.
    """
    asked = [question for question in questions if question.id in probes]
    knowledge = estimators.estimate(asked, [probes[question.id] for question in asked], "greedy")
    found: dict[str, Any] = {
        "certain": sum(item.known is True for item in knowledge),
        "uncertain": sum(item.known is False for item in knowledge),
    }
    for name in QUANTITIES:
        sides = [
            _values(name, [item for item in knowledge if item.known is side], probes, question_perplexities)
            for side in (True, False)
        ]
        found[name] = _compared(*sides, level=level, resamples=resamples, seed=seed)
    return found


def _values(
    name: str,
    knowledge: Sequence[Knowledge],
    probes: Mapping[str, Probe],
    question_perplexities: Mapping[str, float] | None,
) -> Floats:
    if name == "question_log_perplexity":
        given = question_perplexities or {}
        values = [given.get(item.question_id) for item in knowledge]
    elif name == "answer_log_perplexity":
        values = [_answer_log_perplexity(probes[item.question_id]) for item in knowledge]
    else:
        values = [item.entropy for item in knowledge]
    return np.array([value for value in values if value is not None])


def _answer_log_perplexity(probe: Probe) -> float | None:
    """Mean of -log p over the greedy answer's tokens, in nats; None where the engine gave none."""
    logprobs = probe.greedy.token_logprobs
    return -sum(logprobs) / len(logprobs) if logprobs else None


def _compared(
    certain: Floats, uncertain: Floats, *, level: float, resamples: int, seed: int
) -> dict[str, Any] | None:
    if not len(certain) or not len(uncertain):
        return None
    settings: dict[str, Any] = {"level": level, "resamples": resamples, "seed": seed}
    return {
        "certain": _mean((certain,), **settings),
        "uncertain": _mean((uncertain,), **settings),
        "difference": _mean((uncertain, certain), **settings),
    }


def _mean(sides: tuple[Floats, ...], *, level: float, resamples: int, seed: int) -> dict[str, Any]:
    """The mean, or the first side's minus the second's, with its percentile interval."""

    def statistic(*drawn: Floats, axis: int = -1) -> Floats:
        means = [np.mean(side, axis=axis) for side in drawn]
        return np.asarray(means[0] - means[1] if len(means) == 2 else means[0])

    low = high = None
    if resamples and min(map(len, sides)) > 1:
        interval = stats.bootstrap(
            sides,
            statistic,
            n_resamples=resamples,
            batch=BATCH,
            confidence_level=level,
            method="percentile",
            random_state=np.random.default_rng(seed),
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return {"value": float(statistic(*sides)), "low": low, "high": high, "n": sum(map(len, sides))}
