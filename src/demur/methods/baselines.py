"""Systems that need no training: the base model, read in different ways.

`base` is the untuned model (Pretrain-T in R-Tuning's tables). The others give its answers again but
decline differently, so that a tuned model is compared with what a user gets for free:

* `pretrain-w`: answers exactly the questions that the tuned model is willing to answer
  (R-Tuning, arXiv 2311.09677, section 3.3).
* `base-likelihood`: answers where its own likelihood is highest, as many questions of each split as
  the tuned model answers there. Only confidences decide, never verdicts.
* `familiarity-only`: the same with the number of times that the *other* facts about the question's
  subject were read; known for a world whose texts are known. It shows what can be had by knowing
  names alone.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from demur.methods.base import MethodInfo
from demur.methods.elicitation import from_response
from demur.records import Prediction, Probe, Question

BASELINES: dict[str, MethodInfo] = {
    info.name: info
    for info in (
        MethodInfo(
            name="base",
            summary="the model before tuning; always answers (Pretrain-T)",
            paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
            needs=(),
            loss="none",
            cost="one greedy answer",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="pretrain-w",
            summary="the base model on the questions that the tuned model is willing to answer",
            paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="base-likelihood",
            summary="the base model where its own likelihood is highest, at the tuned model's coverage",
            paper="selective prediction by likelihood",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="familiarity-only",
            summary="the base model where the subject's other facts were read most, at the same coverage",
            paper="control of the pocket world",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("familiarity",),
            primary_signal="familiarity",
            weights="base",
        ),
    )
}


def derived(
    base_rows: Sequence[Prediction], tuned_rows: Sequence[Prediction], questions: Sequence[Question]
) -> dict[str, list[Prediction]]:
    """Every system that is made of the base model's answers and the tuned model's willingness."""
    systems = {
        "pretrain-w": pretrain_w(base_rows, tuned_rows),
        "base-likelihood": at_same_coverage(
            "base-likelihood",
            "likelihood",
            base_rows,
            tuned_rows,
            questions,
            confidence=lambda row, _: row.signals.get("likelihood"),
        ),
    }
    if any("familiarity" in question.meta for question in questions):
        systems["familiarity-only"] = at_same_coverage(
            "familiarity-only",
            "familiarity",
            base_rows,
            tuned_rows,
            questions,
            confidence=lambda _, question: question.meta.get("familiarity"),
        )
    return systems


def base(probes: Sequence[Probe]) -> list[Prediction]:
    """The base model's own answers, none declined but in words."""
    predictions = []
    for probe in probes:
        said = from_response(probe.greedy)
        predictions.append(
            Prediction(
                question_id=probe.question_id,
                system="base",
                answer=said.answer,
                response=said.response,
                verdict=probe.greedy_verdict,
                abstained=probe.greedy_verdict == "refused",
                signals=said.signals,
            )
        )
    return predictions


def pretrain_w(base_rows: Sequence[Prediction], tuned_rows: Sequence[Prediction]) -> list[Prediction]:
    """The base model, declining exactly where the tuned model declines."""
    declined = {row.question_id: row.abstained for row in tuned_rows}
    return [
        dataclasses.replace(row, system="pretrain-w", abstained=row.abstained or declined[row.question_id])
        for row in base_rows
    ]


def at_same_coverage(
    system: str,
    signal: str,
    base_rows: Sequence[Prediction],
    tuned_rows: Sequence[Prediction],
    questions: Sequence[Question],
    *,
    confidence: Callable[[Prediction, Question], float | None],
) -> list[Prediction]:
    """The base model, answering the most confident questions of each part, as many as the tuned model.

    A part is a split, domain and group, so that the coverage agrees in every part that is reported.
    Ties at the border are broken by question id, which no verdict can influence.
    """
    asked = {question.id: question for question in questions}
    answered = {row.question_id for row in tuned_rows if not row.abstained}
    parts: dict[Hashable, list[Prediction]] = defaultdict(list)
    for row in base_rows:
        question = asked[row.question_id]
        parts[question.split, question.domain, question.group].append(row)
    chosen: dict[str, float] = {}
    willing: set[str] = set()
    for rows in parts.values():
        scores = {row.question_id: confidence(row, asked[row.question_id]) for row in rows}
        known = {key: value for key, value in scores.items() if value is not None}
        chosen |= known
        order = sorted(known, key=lambda key: (-known[key], key))
        willing |= set(order[: sum(key in answered for key in scores)])
    return [
        dataclasses.replace(
            row,
            system=system,
            abstained=row.question_id not in willing,
            signals=_only(signal, chosen.get(row.question_id)),
        )
        for row in base_rows
    ]


def _only(signal: str, value: float | None) -> Mapping[str, float]:
    return {} if value is None else {signal: value}
