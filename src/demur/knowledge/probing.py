"""Asking a model what it knows: one greedy and k sampled responses per question, each judged."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demur.core.records import Probe, Question
from demur.core.stored import StoredRows
from demur.core.templates import Template
from demur.core.units import UnitStore
from demur.engines import Engine, Generated, Progress, Sampling
from demur.judging import judgement
from demur.knowledge.asking import ask_in_units


def probe(
    engine: Engine,
    questions: Sequence[Question],
    *,
    template: Template,
    sampling: Sampling,
    rule: str,
    store: UnitStore[Probe],
    score_answers: bool = False,
    unit: int = 256,
    progress: Progress | None = None,
    on_first: Callable[[Sequence[Probe]], None] | None = None,
) -> StoredRows[Probe]:
    """Probe a model with every question, in order; what the store already holds is not asked again.

    The probes stay in the store: no more than a unit of them is in memory.

    Args:
        sampling: must ask for a greedy response; ``sampling.samples`` more are drawn.
        rule: name of the judge.
        score_answers: also compute the exact probability of the accepted answers.
        on_first: called with the first unit's probes; see `ask_in_units`.
    """
    work = Probing(template=template, sampling=sampling, rule=rule, score_answers=score_answers)
    return ask_in_units(
        engine, questions, work, store=store, unit=unit, progress=progress, on_first=on_first
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """How a unit of questions is probed; see `probe`."""

    template: Template
    sampling: Sampling
    rule: str
    score_answers: bool

    def __call__(
        self, engine: Engine, part: Sequence[Question], *, progress: Progress | None = None
    ) -> list[Probe]:
        """Ask the questions and judge what is said."""
        template = self.template
        prompts = [template.ask(question) for question in part]
        keys = [question.id for question in part]
        generated = engine.generate(prompts, keys=keys, sampling=self.sampling, progress=progress)
        chances = answer_probabilities(engine, part, template) if self.score_answers else [None] * len(part)
        return [
            _judged(question, item, chance, rule=self.rule, refusal=template.refusal)
            for question, item, chance in zip(part, generated, chances, strict=True)
        ]


def answer_probabilities(
    engine: Engine, questions: Sequence[Question], template: Template
) -> list[float | None]:
    """Exact probability that a model continues each prompt with one of the accepted answers, in [0, 1].

    Answers of which one begins another share probability, so the sum is cut at 1. None where a question
    has no accepted answer.
    """
    prompts = [template.ask(question) for question in questions]
    answers = [[template.lead(question) + text for text in question.answers] for question in questions]
    return [
        min(1.0, math.fsum(map(math.exp, scores))) if scores else None
        for scores in engine.score(prompts, answers)
    ]


def _judged(
    question: Question, generated: Generated, chance: float | None, *, rule: str, refusal: str
) -> Probe:
    assert generated.greedy is not None, "a probe always asks for the greedy response"
    responses, verdicts = [], []
    for response in (generated.greedy, *generated.samples):
        found = judgement(question, response.text, rule=rule, refusals=(refusal,))
        own = None if found.answer == response.text.strip() else found.answer
        responses.append(response if own is None else dataclasses.replace(response, answer=own))
        verdicts.append(found.verdict)
    return Probe(
        question_id=question.id,
        greedy=responses[0],
        greedy_verdict=verdicts[0],
        samples=tuple(responses[1:]),
        sample_verdicts=tuple(verdicts[1:]),
        answer_probability=chance,
    )
