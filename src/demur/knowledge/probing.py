"""Asking a model what it knows: one greedy and k sampled responses per question, each judged."""

from __future__ import annotations

from collections.abc import Sequence

from demur.engines import Engine, Generated, Progress, Sampling
from demur.judging import judge
from demur.knowledge.store import UnitStore
from demur.records import Probe, Question
from demur.templates import Template


def probe(
    engine: Engine,
    questions: Sequence[Question],
    *,
    template: Template,
    sampling: Sampling,
    rule: str,
    store: UnitStore[Probe],
    unit: int = 256,
    progress: Progress | None = None,
) -> list[Probe]:
    """Probe a model with every question, in order; what the store already holds is not asked again.

    Args:
        sampling: must ask for a greedy response; ``sampling.samples`` more are drawn.
        rule: name of the judge.
    """

    def work(part: Sequence[Question]) -> list[Probe]:
        prompts = [template.ask(question.text) for question in part]
        keys = [question.id for question in part]
        generated = engine.generate(prompts, keys=keys, sampling=sampling, progress=progress)
        return [
            _judged(question, item, rule=rule, refusal=template.refusal)
            for question, item in zip(part, generated, strict=True)
        ]

    return store.run(questions, work, unit=unit, progress=progress)


def _judged(question: Question, generated: Generated, *, rule: str, refusal: str) -> Probe:
    assert generated.greedy is not None, "a probe always asks for the greedy response"
    verdicts = [
        judge(question, response.text, rule=rule, refusals=(refusal,))
        for response in (generated.greedy, *generated.samples)
    ]
    return Probe(
        question_id=question.id,
        greedy=generated.greedy,
        greedy_verdict=verdicts[0],
        samples=generated.samples,
        sample_verdicts=tuple(verdicts[1:]),
    )
