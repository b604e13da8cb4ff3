"""A model tuned to answer, where that makes it right more often, with a confidence fitted to its answers.

Half of the training questions tune the model on their accepted answers. The other half decides whether
that is kept: only where the tuned model is right on more of them than the untuned one, by more than chance.
Questions that share their errors stay together, in the halves and in the test.
To the answers of the model that is kept a confidence is fitted, as for `probe`: to those to the other half,
which tuning did not read, or to all training questions where nothing is kept.

It declines below a threshold that is chosen on calibration questions, which have no other part in it.
Nothing is chosen on test.

Not part of any of the papers. Tuning: Vanilla of R-Tuning (arXiv 2311.09677), section 3.3; the test of what
is kept: McNemar 1947, exact; over groups Fisher's sign-flip test (1935), which is the same for single
questions; the confidence: `demur.methods.probe`.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from demur.core.questions import shared_by
from demur.core.records import Example, Question
from demur.methods.base import Labelled, MethodInfo, Setup
from demur.methods.probe import Probe
from demur.methods.vanilla import Vanilla

FEW = 10
"""With fewer groups each is a kind of question, and not a subject."""
CHANCE = 0.05
"""Two-sided p-value below which the tuned model counts as right on more questions."""


class Demur(Probe):
    """Answers of the better of two models, with a fitted confidence."""

    info = MethodInfo(
        name="demur",
        summary="tuned on the accepted answers of half of the questions, where that makes clearly more of "
        "the other half right; a linear probe, weighed with token probabilities, says how sure it is",
        paper="Demur; parts from R-Tuning (NAACL 2024) and linear probes (EMNLP 2023 and later)",
        needs=("labels",),
        loss="the answer; then logistic regression on labelled answers",
        cost="vanilla's on half of the questions, and an answer of the tuned model to each of the others; "
        "at inference a few products beside the answer",
        signals=Probe.info.signals,
        primary_signal="learned",
        rule="learned",
        fits=True,
        halves=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per answerable question: prompt and accepted answer."""
        return Vanilla().build(data, setup)


def units(questions: Iterable[Question]) -> dict[str, str]:
    """What each question stays together with, by its id; questions that share their errors do.

    A question by itself where there are fewer than `FEW` groups, or where one of them holds more than a
    third of the questions: groups are then kinds of question, and both halves need each.
    """
    names = {question.id: shared_by(question) or question.id for question in questions}
    sizes = Counter(names.values())
    if len(sizes) < FEW or 3 * max(sizes.values()) > len(names):
        return {name: name for name in names}
    return names


def tuning_half(questions: Iterable[Question], *, seed: int) -> set[str]:
    """The ids of the half of some questions that tunes: whole `units`, in the order of a hash."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, unit in units(questions).items():
        groups[unit].append(name)
    wanted, chosen = sum(map(len, groups.values())) / 2, set[str]()
    for unit in sorted(groups, key=lambda unit: hashlib.sha256(f"{seed}/{unit}".encode()).digest()):
        if len(chosen) + len(groups[unit]) / 2 <= wanted:
            chosen.update(groups[unit])
    return chosen


def compared(
    before: Sequence[bool], after: Sequence[bool], groups: Sequence[str] | None = None
) -> dict[str, Any]:
    """Whether tuning is kept: more answers are right than before, by more than chance.

    Args:
        before: whether the untuned model's answer is right, for each question.
        after: the same of the tuned model.
        groups: the `units` of the questions; without, each stands for itself.

    Returns:
        Questions ``n``, ``right_before``, ``right_after``, ``gained``, ``lost``, the two-sided ``p``,
        whether it is ``kept``, and the ``reason`` if not for the counts alone; JSON values.
    """
    gained = sum(new and not old for old, new in zip(before, after, strict=True))
    lost = sum(old and not new for old, new in zip(before, after, strict=True))
    changes: Counter[str] = Counter()
    for group, old, new in zip(groups or map(str, range(len(before))), before, after, strict=True):
        changes[group] += int(new) - int(old)
    p = sign_flip(changes.values())
    kept = gained > lost and p < CHANCE
    reason = "no more than chance" if gained > lost and not kept else ""
    counts = {"n": len(before), "right_before": sum(before), "right_after": sum(after)}
    return {**counts, "gained": gained, "lost": lost, "p": p, "kept": kept, "reason": reason}


def sign_flip(changes: Iterable[int]) -> float:
    """The two-sided p-value of a sum of whole numbers, if each could as well have had the other sign.

    Exact: the distribution over all signs. Of changes by one it is McNemar's exact test.
    """
    changes = [change for change in changes if change]
    spread = np.ones(1)  # chance of each sum from -reach to reach
    for size in map(abs, changes):
        spread = (np.pad(spread, (0, 2 * size)) + np.pad(spread, (2 * size, 0))) / 2
    reach = len(spread) // 2
    sums = np.arange(-reach, reach + 1)
    return float(min(1.0, spread[abs(sums) >= abs(sum(changes))].sum()))


def sentence(notes: Mapping[str, Any]) -> str:
    """What tuning did and whether it is kept (`compared`), in words."""
    n, before, after = notes["n"], notes["right_before"], notes["right_after"]
    found = f"on {n:,} questions that tuning did not read, {after:,} answers are right, {before:,} before"
    if notes["kept"]:
        p = f"p = {notes['p']:.3f}" if notes["p"] >= 0.001 else "p < 0.001"
        return f"{found} ({p}): the tuned model is kept"
    return f"{found}{', ' + notes['reason'] if notes['reason'] else ''}: the model stays as it was"
