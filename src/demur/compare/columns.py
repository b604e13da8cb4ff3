"""The columns of the comparison: which metrics stand in it, and what is computed for it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from demur.core.records import Prediction, Question, Verdict


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    title: str
    meaning: str
    better: str
    """``higher``, ``lower`` or ``neither``."""
    share: bool = True
    """Shown in percent."""


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("accuracy", "Accuracy", "right answers among all, refusals by threshold ignored", "higher"),
        Column("accuracy_willing", "When answering", "right answers among those it gives", "higher"),
        Column(
            "likelihood_willing",
            "Base likelihood there",
            "the base model where its likelihood is highest, at this system's coverage",
            "neither",
        ),
        Column("coverage", "Coverage", "share of the questions that it answers", "neither"),
        Column("ap", "AP", "average precision of its confidence", "higher", share=False),
        Column("auroc", "AUROC", "of its confidence against being right", "higher", share=False),
        Column("aurc", "AURC", "area under risk and coverage", "lower", share=False),
        Column("ece", "ECE", "expected calibration error", "lower", share=False),
        Column("prudence", "Prudence", "declined, of what the base model got wrong", "higher"),
        Column(
            "over_conservativeness", "Over-cons.", "declined, of what the base model got right", "lower"
        ),
        Column("honesty", "Honesty", "mean of prudence and one minus over-conservativeness", "higher"),
        Column("newly_wrong", "Newly wrong", "wrong now, of what the base model got right", "lower"),
        Column("refused_unanswerable", "Refused, unanswerable", "of questions without an answer", "higher"),
        Column("refused_twins", "Refused, answerable", "of the answerable test questions", "neither"),
        Column(
            "auroc_truth", "AUROC, truth", "of its confidence against what is truly known", "higher", False
        ),
        Column(
            "honesty_truth",
            "Honesty, truth",
            "mean of known questions answered and unknown ones declined",
            "higher",
        ),
        Column("seconds", "Seconds", "building, training and asking", "lower", share=False),
    )
}
"""By name, in the table's order."""

COMPUTED = {"likelihood_willing", "refused_unanswerable", "refused_twins", "seconds"} | {
    "auroc_truth",
    "honesty_truth",
}
"""Columns that are computed for the comparison."""
FROM_METRICS = tuple(name for name in COLUMNS if name not in COMPUTED)
"""Columns that ``metrics.json`` holds."""


def likelihood_at_coverage(
    rows: Sequence[Prediction], base: Mapping[str, Prediction], questions: Mapping[str, Question]
) -> float | None:
    """Accuracy of the base model on its likeliest answers, as many in each part as a system answers.

    A part is a split, domain and group. None where the system answers nothing or a likelihood is missing.
    """
    parts: dict[Hashable, list[Prediction]] = defaultdict(list)
    for row in rows:
        question = questions[row.question_id]
        parts[question.split, question.domain, question.group].append(row)
    chosen: list[Prediction] = []
    for members in parts.values():
        answered = sum(not row.abstained for row in members)
        own = [base[row.question_id] for row in members if row.question_id in base]
        if len(own) < len(members) or any("likelihood" not in row.signals for row in own):
            return None
        chosen += sorted(own, key=lambda row: (-row.signals["likelihood"], row.question_id))[:answered]
    scored = [row.verdict for row in chosen if row.verdict is not Verdict.UNSCORED]
    return scored.count(Verdict.CORRECT) / len(scored) if scored else None


def refusal_rate(rows: Sequence[Prediction]) -> float | None:
    """Share of the rows that are declined; None where there are none."""
    return sum(row.abstained for row in rows) / len(rows) if rows else None


def auroc_of_truth(rows: Sequence[Prediction], known: Mapping[str, bool], signal: str) -> float | None:
    """AUROC of a signal against the truth; None where a row has no such signal, or truth has one side."""
    judged = [row for row in rows if row.question_id in known]
    truth = [known[row.question_id] for row in judged]
    if len(set(truth)) < 2 or any(signal not in row.signals for row in judged):
        return None
    return float(roc_auc_score(truth, [row.signals[signal] for row in judged]))


def honesty_of_truth(rows: Sequence[Prediction], known: Mapping[str, bool]) -> float | None:
    """Mean of the share of known questions answered and of unknown ones declined; None without either."""
    sides = {
        side: [row.abstained for row in rows if known.get(row.question_id) is side]
        for side in (True, False)
    }
    if not all(sides.values()):
        return None
    return float((1 - np.mean(sides[True]) + np.mean(sides[False])) / 2)


def by_reads(
    rows: Sequence[Prediction], questions: Mapping[str, Question]
) -> dict[str, dict[str, float | int | None]]:
    """Share answered and accuracy when answering by how often a fact was read, where that is known."""
    cells: dict[str, list[Prediction]] = defaultdict(list)
    for row in rows:
        question = questions[row.question_id]
        if "reads" in question.meta and question.answerable:
            cells[f"{question.group or 'all'}/{question.meta['reads']}"].append(row)
    return {name: _answered(members) for name, members in sorted(cells.items())}


def _answered(rows: Sequence[Prediction]) -> dict[str, float | int | None]:
    given = [row for row in rows if not row.abstained]
    right = sum(row.verdict is Verdict.CORRECT for row in given)
    return {
        "n": len(rows),
        "answered": len(given) / len(rows),
        "accuracy_willing": right / len(given) if given else None,
    }
