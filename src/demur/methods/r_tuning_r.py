"""R-Tuning-R: the answers of uncertain data are replaced by a phrase of uncertainty.

Certain rows keep the gold answer, uncertain rows get one of sixteen phrases, drawn by seed and question.
The model then refuses in words.

Source: R-Tuning (arXiv 2311.09677), section 4 and appendix; the phrases come from SelfAware (2305.18153).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.judging.refusal_words import R_TUNING_PHRASES
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import Refusing, answer_or_refuse

PHRASE_TOKENS = 16
"""More tokens than any of the phrases has in a usual vocabulary, beyond those of an answer."""


class RTuningR:
    """R-Tuning with replacement."""

    info = MethodInfo(
        name="r-tuning-r",
        summary="answers, or says one of sixteen phrases of uncertainty",
        paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
        needs=("labels",),
        loss="the answer or the phrase",
        cost="one greedy answer per training question; at inference one answer",
        signals=("sure", "likelihood"),
        primary_signal="sure",
        deviations=(
            "the paper gives it no confidence; here `sure` is one minus the probability of the phrases",
            "LoRA by default, the paper tunes every weight",
        ),
        estimator="greedy",
        refusals=R_TUNING_PHRASES,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per question whose knowledge could be estimated."""
        rows = [
            replaced(item, setup, known=item.knowledge.known)
            for item in data
            if item.knowledge.known is not None
        ]
        return {"sft": rows}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Ask with the plain prompt."""
        return answer_or_refuse(
            engine,
            questions,
            setup,
            Refusing(refusals=R_TUNING_PHRASES, more_tokens=PHRASE_TOKENS),
            prompts=[setup.template.ask(question) for question in questions],
            progress=progress,
        )


def replaced(item: Labelled, setup: Setup, *, known: bool) -> Example:
    """The row of a question: its gold answer, or a phrase in place of it."""
    question, template = item.question, setup.template
    completion = template.answered(question.answers[0], question)
    return Example(
        prompt=setup.render(template.ask(question)),
        completion=completion if known else template.lead(question) + phrase(question, setup),
        question_id=question.id,
        certain=known,
        ends=True,
    )


def phrase(question: Question, setup: Setup) -> str:
    """The phrase drawn for a question; the same in every run with its seed."""
    rng = random.Random(f"{setup.config.seed}/phrase/{question.id}")  # noqa: S311 - not secret
    return rng.choice(R_TUNING_PHRASES)
