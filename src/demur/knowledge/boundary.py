"""Checks of a knowledge boundary before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.errors import TrainingDataError
from demur.core.records import Knowledge, Probe, Question

EXAMPLES = 5


def require_both_sides(
    questions: Sequence[Question], probes: Sequence[Probe], knowledge: Sequence[Knowledge], min_share: float
) -> None:
    """Stop where the model knows (nearly) none or (nearly) all of the training questions.

    A boundary with one side teaches nothing, and usually means that the template does not suit the
    model or that the accepted answers are written otherwise than the model writes them.

    Raises:
        TrainingDataError: with five examples of question, accepted answer and response.
    """
    decided = [item for item in knowledge if item.known is not None]
    known = sum(bool(item.known) for item in decided)
    smaller = min(known, len(decided) - known)
    if smaller and smaller / len(decided) >= min_share:
        return
    rows = list(zip(questions, probes, strict=True))[:EXAMPLES]
    shown = "\n".join(
        f"            {question.text!r}: accepted {list(question.answers)!r}, said {probe.greedy.text!r}"
        for question, probe in rows
    )
    raise TrainingDataError(
        expected=f"at least {min_share:.0%} of the training questions known and as many not known",
        found=f"the model knows {known} of {len(decided)} "
        f"({len(knowledge) - len(decided)} could not be judged); for example\n{shown}",
        where="knowledge boundary of the training questions",
        fix="check the template (template.*), the accepted answers and the judge (judge.rule); to go on "
        "all the same set knowledge.min_share lower, 0 allows anything but an empty side",
    )
