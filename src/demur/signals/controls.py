"""Controls: what ranks answers without knowing anything of the model's own confidence.

A fitted confidence can look good because some answers are often right, some kinds of question are easy, or
some words give an answer away. Each control learns one of these from the same labels; a token signal that
is free is added to two of them. What a fitted confidence has above the best of them is what it read off
the model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from demur.judging.normalise import normalise
from demur.signals.answer_rate import EDGE, PRIOR, AnswerRate
from demur.signals.base import Answered, Bools, Floats, Folds, Places, Said
from demur.signals.linear import STRENGTHS, grouped_folds, held_out, logistic, rightness, rising
from demur.signals.ranking import area

Score = Callable[[Sequence[Answered], Sequence[Said]], Floats]
"""Learns from labelled answers and scores others."""
SHUFFLES = 20
WORDS_STRENGTH = 0.3
"""Inverse strength of regularisation of the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The labels that controls learn from."""

    answers: Sequence[Answered]
    free: Mapping[str, Floats]
    """Free signals of those answers, shape ``[n]`` each."""


def controls(
    labelled: Labelled, asked: Sequence[Said], free: Mapping[str, Floats], *, seed: int
) -> dict[str, Floats]:
    """The scores of answers by each control, shape ``[n]``; higher is surer.

    Args:
        asked: the answers.
        free: free signals of them, by name: those of ``labelled``.
        seed: of the folds within the labels.

    Returns:
        ``answer rate``: the smoothed share right per answer. ``words``: a logistic regression on the
        words of question and answer. ``… + NAME``: each of these weighed with the free signal that ranks
        the labelled answers best. ``group rate``: the smoothed share right per group of questions.
        ``length``: fewer characters are surer. ``popularity``, where every question has one.
    """
    answers = labelled.answers
    right = rightness(answers)
    folds = grouped_folds(right, [item.group for item in answers], seed=seed)
    found: dict[str, Floats] = {}
    best = max(labelled.free, key=lambda name: area(labelled.free[name], right) or 0.0, default=None)
    for name, score in (("answer rate", _answer_rate), ("words", _words)):
        found[name] = score(answers, asked)
        if best is not None and folds:
            inside = _inside(score, answers, folds)
            pair = np.column_stack([inside, labelled.free[best]])
            weights, bias = rising(pair, right)  # as the confidence itself is weighed: no weight below 0
            found[f"{name} + {best}"] = np.column_stack([found[name], free[best]]) @ weights + bias
    found["group rate"] = _group_rate(answers, asked)
    found["length"] = -np.array([float(len(said.greedy.text.strip())) for said in asked])
    popularity = [said.question.meta.get("popularity") for said in asked]
    if asked and all(isinstance(value, int | float) for value in popularity):
        found["popularity"] = np.array(popularity, float)
    return found


def shuffled(answers: Sequence[Answered], *, seed: int) -> float | None:
    """The AUROC of a probe on shuffled labels, by cross-validation: the mean of `SHUFFLES`, near .5.

    It reads one layer, the middle one of those given, with the strongest regularisation. Another value says
    that answers know each other's labels. None without hidden states, or without folds.
    """
    states = [item.said.states.answer for item in answers if item.said.states is not None]
    if not states or len(states) < len(answers):
        return None
    middle = np.stack(states)[:, len(states[0]) // 2].astype(np.float64)
    groups = [item.group for item in answers]
    found = []
    for number in range(SHUFFLES):
        right = np.random.default_rng([seed, number]).permutation(rightness(answers))
        folds = grouped_folds(right, groups, seed=seed)
        if folds:
            scores = held_out(partial(_scorer, middle, right), len(right), folds)
            found.append(area(scores, right) or 0.0)
    return float(np.mean(found)) if found else None


def _scorer(states: Floats, right: Bools, train: Places) -> Callable[[Places], Floats]:
    weights, bias = logistic(states[train], right[train], strength=STRENGTHS[0])
    return lambda held: states[held] @ weights + bias


def _inside(score: Score, answers: Sequence[Answered], folds: Folds) -> Floats:
    saids = [item.said for item in answers]
    return held_out(
        lambda train: lambda held: score([answers[at] for at in train], [saids[at] for at in held]),
        len(answers),
        folds,
    )


def _answer_rate(answers: Sequence[Answered], asked: Sequence[Said]) -> Floats:
    rate, _ = AnswerRate.fit(answers, ())
    return np.array([rate(said) for said in asked], float)


def _words(answers: Sequence[Answered], asked: Sequence[Said]) -> Floats:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = CountVectorizer(binary=True, analyzer=str.split)
    model = make_pipeline(words, LogisticRegression(C=WORDS_STRENGTH, max_iter=500))
    model.fit([_text(item.said) for item in answers], rightness(answers))
    return np.asarray(model.decision_function([_text(said) for said in asked]))


def _text(said: Said) -> str:
    question = " ".join(f"q:{word}" for word in normalise(said.question.text).split())
    answer = " ".join(f"a:{word}" for word in normalise(said.greedy.text).split())
    return f"{question} {answer} ."


def _group_rate(answers: Sequence[Answered], asked: Sequence[Said]) -> Floats:
    counts: dict[str | None, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for item in answers:
        n, right = counts[item.said.question.group]
        counts[item.said.question.group] = (n + 1, right + item.right)
    mean = float(rightness(answers).mean())

    def rate(said: Said) -> float:
        n, right = counts.get(said.question.group, (0, 0))
        return float(np.clip((right + PRIOR * mean) / (n + PRIOR), EDGE, 1 - EDGE))

    return np.array([rate(said) for said in asked])
