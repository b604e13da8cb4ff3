"""A model tuned to answer, where that makes it right more often, with a confidence fitted to its answers.

Half of the training questions tune the model on their accepted answers. The other half decides whether
that is kept: only where the tuned model is right on more of them than the untuned one, by more than chance.
To the answers of the model that is kept a confidence is fitted, as for `probe`: to those to the other half,
which tuning did not read, or to all training questions where nothing is kept.

It declines below a threshold that is chosen on calibration questions, which have no other part in it.
Nothing is chosen on test.

Not part of any of the papers. Tuning: Vanilla of R-Tuning (arXiv 2311.09677), section 3.3; the test of what
is kept: McNemar 1947, exact; the confidence: `demur.methods.probe`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from demur.core.questions import shared_by
from demur.core.records import Example, Question
from demur.methods.base import Labelled, MethodInfo, Setup
from demur.methods.probe import Probe
from demur.methods.vanilla import Vanilla

FEW = 10
"""With fewer groups each is a kind of question, which both halves need, and not a subject."""
CHANCE = 0.05
"""Two-sided p-value below which the tuned model counts as right on more questions."""


class Demur(Probe):
    """Answers of the better of two models, with a fitted confidence."""

    info = MethodInfo(
        name="demur",
        summary="tuned on the accepted answers of half of the questions where that makes more of the other "
        "half right; a linear probe, weighed with token probabilities, says how sure its answers are",
        paper="Demur; parts from R-Tuning (NAACL 2024) and linear probes (EMNLP 2023 and later)",
        needs=("labels",),
        loss="the answer; then logistic regression on labelled answers",
        cost="vanilla's on half of the questions, and an answer of the tuned model to each of the others; "
        "at inference a few products beside the answer",
        signals=Probe.info.signals,
        primary_signal="learned",
        rule="learned",
        fits=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per answerable question of the half that tunes: prompt and accepted answer."""
        chosen = tuning_half((item.question for item in data), seed=setup.config.seed)
        return Vanilla().build([item for item in data if item.question.id in chosen], setup)


def tuning_half(questions: Iterable[Question], *, seed: int) -> set[str]:
    """The ids of the half of some questions that tunes; questions that share their errors stay together.

    Whole groups are taken in the order of a hash until half of the questions are; single questions where
    there are fewer than `FEW` groups.
    """
    groups: dict[str, list[str]] = {}
    for question in questions:
        groups.setdefault(shared_by(question) or question.id, []).append(question.id)
    if len(groups) < FEW:
        groups = {name: [name] for members in groups.values() for name in members}
    wanted, chosen = sum(map(len, groups.values())) / 2, set[str]()
    for name in sorted(groups, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest()):
        if len(chosen) + len(groups[name]) / 2 <= wanted:
            chosen.update(groups[name])
    return chosen


def unread(questions: Sequence[Question], read: Collection[str]) -> set[str]:
    """The ids of the questions that tuning learned nothing about.

    Args:
        read: ids of the questions that it was tuned on. `knowledge.train_on` and `knowledge.balance` leave
            others of the same groups out of tuning; those do not count as unread.
    """
    names = {question.id: shared_by(question) or question.id for question in questions}
    if len(set(names.values())) < FEW:
        return names.keys() - read
    taught = {names[name] for name in read}
    return {name for name, group in names.items() if group not in taught}


def compared(before: Sequence[bool], after: Sequence[bool]) -> dict[str, Any]:
    """Whether tuning is kept: more answers are right than before, by more than chance.

    McNemar's exact test on the questions whose answer was right with one of the two models only.

    Args:
        before: whether the untuned model's answer is right, for each question.
        after: the same of the tuned model.

    Returns:
        Questions ``n``, ``right_before``, ``right_after``, ``gained``, ``lost``, the two-sided ``p``,
        whether it is ``kept``, and the ``reason`` if not for the counts alone; JSON values.
    """
    from scipy.stats import binomtest

    gained = sum(new and not old for old, new in zip(before, after, strict=True))
    lost = sum(old and not new for old, new in zip(before, after, strict=True))
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    kept = gained > lost and p < CHANCE
    reason = "no more than chance" if gained > lost and not kept else ""
    counts = {"n": len(before), "right_before": sum(before), "right_after": sum(after)}
    return {**counts, "gained": gained, "lost": lost, "p": p, "kept": kept, "reason": reason}


def sentence(notes: Mapping[str, Any]) -> str:
    """What tuning did and whether it is kept (`compared`), in words."""
    n, before, after = notes["n"], notes["right_before"], notes["right_after"]
    found = f"on {n:,} questions that tuning did not read, {after:,} answers are right, {before:,} before"
    if notes["kept"]:
        p = f"p = {notes['p']:.3f}" if notes["p"] >= 0.001 else "p < 0.001"
        return f"{found} ({p}): the tuned model is kept"
    return f"{found}{', ' + notes['reason'] if notes['reason'] else ''}: the model stays as it was"
