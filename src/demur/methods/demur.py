"""The base model's own answers, certified by an R-Tuning adapter, both signals weighed on calibration data.

R-Tuning asks one tuned model for answer and certainty; tuning then costs knowledge, and a fixed mean of
the two signals gives away what each is worth. Here the untuned model answers, so nothing it knows is lost;
the tuned one only says whether it is sure of that answer; and a logistic regression on the calibration
questions weighs `sure` against the untuned model's likelihood. It declines below the threshold at which
honesty on the calibration questions is highest. Nothing is chosen on test.

Not part of any of the papers. Parts: R-Tuning (arXiv 2311.09677); logistic combination of scores (Platt
1999); honesty as in Alignment for Honesty (arXiv 2312.07000).
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import from_response
from demur.signals.sure import sure


class Demur:
    """Base answers, certified."""

    info = MethodInfo(
        name="demur",
        summary="the untuned model's answers; an R-Tuning adapter says whether they are sure; weighed on "
        "calibration questions",
        paper="Demur; parts from R-Tuning (NAACL 2024) and Platt scaling",
        needs=("labels",),
        loss="R-Tuning's",
        cost="R-Tuning's; at inference one answer of the base model and one scored word of the tuned one",
        signals=("learned", "sure", "likelihood"),
        primary_signal="learned",
        weights="r-tuning",
        combines=("sure", "likelihood"),
        rule="learned",
        certifies=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """Nothing beyond what `r-tuning` is trained on."""
        return {}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Score both label words after the base model's answers."""
        answers = [from_response(setup.base[question.id]) for question in questions]
        values = sure(
            engine, setup.template, questions, [said.answer for said in answers], progress=progress
        )
        return [
            Elicited(
                answer=said.answer,
                response=said.response,
                finish=said.finish,
                signals={**said.signals, "sure": value},
            )
            for said, value in zip(answers, values, strict=True)
        ]
