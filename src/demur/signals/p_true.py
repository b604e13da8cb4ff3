"""P(True): the model is shown its answer and asked whether it is true.

P("True") / (P("True") + P("False")), each as a whole continuation, in [0, 1]. Source: Kadavath et al.
(arXiv 2207.05221), section 3.2, with the prompt of semantic_uncertainty and LM-Polygraph: sampled answers,
where given, are shown before it as brainstormed ideas. Deviations: no worked examples (20 there); the words
are compared, not the letters A and B; renormalised over the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy.special import expit

from demur.core.records import Question
from demur.core.templates import Template, fill, options
from demur.engines import Engine, Progress
from demur.signals.asking import AsksAgain
from demur.signals.base import Said, SignalInfo

PROMPT = (
    "Question: {question}\n{ideas}Possible answer: {answer}\n"
    "Is the possible answer:\n (A) True\n (B) False\nThe possible answer is:"
)
IDEAS = "Brainstormed answers: {ideas}\n"
WORDS = ("True", "False")


@dataclass(frozen=True)
class PTrue(AsksAgain):
    """P(True) of one answer, in [0, 1]; None without a model that scores continuations.

    For many answers `p_true` is faster: it asks them in batches.
    """

    info: ClassVar = SignalInfo(
        name="p-true",
        summary="probability that the model calls its own answer true",
        source="Kadavath et al. (arXiv 2207.05221), without worked examples",
        needs=("scores",),
        cost="two scored words; with brainstormed answers k samples too",
        bounds=(0.0, 1.0),
    )
    brainstorm: bool = False
    """Show the sampled answers first."""

    def __call__(self, said: Said) -> float | None:
        """P(True) of the greedy answer."""
        model = self.model(scores=True)
        if model is None:
            return None
        ideas = [[sample.text for sample in said.samples]] if self.brainstorm else None
        [value] = p_true(*model, [said.question], [said.greedy.text], ideas=ideas)
        return value


def p_true(
    engine: Engine,
    template: Template,
    questions: Sequence[Question],
    answers: Sequence[str],
    *,
    ideas: Sequence[Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> list[float]:
    """P(True) of each question's answer, in [0, 1]; NaN where the model's numbers overflowed.

    Args:
        engine: must score continuations (`Capabilities.scores_continuations`).
        template: what leads an answer (a space, or nothing in a chat) leads the two words as well.
        ideas: for each question sampled answers to show first, repeated ones once; None for none.
    """
    prompts = [
        prompt(question, answer, ideas[place] if ideas is not None else ())
        for place, (question, answer) in enumerate(zip(questions, answers, strict=True))
    ]
    words = [f"{template.lead()}{word}" for word in WORDS]
    scored = engine.score(prompts, [words] * len(prompts), progress=progress)
    return [float(expit(true - false)) for true, false in scored]


def prompt(question: Question, answer: str, ideas: Sequence[str] = ()) -> str:
    """What the model is asked: the question with its context and options, the ideas, and the answer."""
    parts = (question.context, question.text, options(question))
    shown = "; ".join(dict.fromkeys(idea.strip() for idea in ideas if idea.strip()))
    return fill(
        PROMPT,
        question="\n".join(part for part in parts if part),
        ideas=fill(IDEAS, ideas=shown) if shown else "",
        answer=answer.strip(),
    )
