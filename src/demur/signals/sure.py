"""Sure: the model is asked whether it is sure of its answer; the word for certain against the other.

P(certain) / (P(certain) + P(uncertain)), each word as a whole continuation, in [0, 1]. Source: R-Tuning
(arXiv 2311.09677), section 2.2 and its evaluation code, where the model was tuned to say these words. Of a
model that was not it says little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy.special import expit

from demur.core.records import Question
from demur.core.templates import Template
from demur.engines import Engine, Progress
from demur.signals.asking import AsksAgain
from demur.signals.base import Said, SignalInfo


@dataclass(frozen=True)
class Sure(AsksAgain):
    """How sure the model says that it is of one answer, in [0, 1].

    For many answers `sure` is faster: it asks them in batches.
    """

    info: ClassVar = SignalInfo(
        name="sure",
        summary="probability of the word for certain against the word for uncertain",
        source="R-Tuning (arXiv 2311.09677), of a model tuned to say them",
        needs=("scores",),
        cost="two scored words",
        bounds=(0.0, 1.0),
    )

    def __call__(self, said: Said) -> float | None:
        """How sure it is of the greedy answer; None without a model that scores continuations."""
        model = self.model(scores=True)
        if model is None:
            return None
        [value] = sure(*model, [said.question], [said.greedy.text.strip()])
        return value


def sure(
    engine: Engine,
    template: Template,
    questions: Sequence[Question],
    answers: Sequence[str],
    *,
    progress: Progress | None = None,
) -> list[float]:
    """How sure a model says that it is of each question's answer, in [0, 1].

    Args:
        engine: must score continuations (`Capabilities.scores_continuations`).
        template: its words for certain and uncertain, and what stands before them.
    """
    leads = [
        template.certainty(answer, question) for question, answer in zip(questions, answers, strict=True)
    ]
    prompts = [template.ask(question) for question in questions]
    options = [[template.label(True), template.label(False)]] * len(prompts)
    scored = engine.score(prompts, options, leads=leads, progress=progress)
    return [float(expit(certain - uncertain)) for certain, uncertain in scored]
