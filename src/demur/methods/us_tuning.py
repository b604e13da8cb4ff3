"""US-Tuning: first learn to recognise that a context does not suffice, then to obey instructions again.

Stage 1 asks of each question and context whether the context is sufficient. Stage 2 answers questions under
instructions that change the answer, and reviews them. Plain question answering after stage 1 destroys what
it taught; the instructions of stage 2 keep it.

Source: "Know the Unknown: An Uncertainty-Sensitive Method for LLM Instruction Tuning", ACL Findings 2025
(arXiv 2406.10099), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.core.templates import NOT_PROVIDED
from demur.engines import Engine, Progress
from demur.methods import contexts
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup

STAGES = {
    "stage1": contexts.recognition,
    "qa": contexts.plain_answers,
    "stage2": contexts.reviewed_answers,
}


class USTuning:
    """Both stages; the ablations train others."""

    info = MethodInfo(
        name="us-tuning",
        summary="recognises insufficient contexts, then learns to obey instructions again",
        paper=contexts.PAPER,
        needs=("context", "labels"),
        loss="the judgement; then the answer and its review",
        cost="no probe; at inference an answer with its review",
        signals=("sure", "likelihood"),
        primary_signal="sure",
        deviations=contexts.DEVIATIONS,
        refusals=(NOT_PROVIDED,),
        stages=("stage1", "stage2"),
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """The rows of each stage, from the training questions with a context."""
        questions = contexts.with_context(data)
        return {stage: STAGES[stage](questions, setup) for stage in self.info.stages}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Ask with the prompt that every system gets."""
        reviews = "stage2" in self.info.stages
        return contexts.ask(engine, questions, setup, reviews=reviews, progress=progress)
