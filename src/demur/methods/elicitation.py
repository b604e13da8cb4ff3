"""Reading answers and their confidence: what the methods share when they ask a model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demur.core.reasoning import without_reasoning
from demur.core.records import Finish, Question, Response
from demur.engines import Asked, Engine, Progress, Sampling
from demur.judging import declines
from demur.methods.base import Elicited, Setup
from demur.signals.likelihood import likelihood


def answer_greedily(
    engine: Engine, questions: Sequence[Question], setup: Setup, *, progress: Progress | None = None
) -> list[Elicited]:
    """Answer each question greedily, with the answer's likelihood as the only confidence."""
    prompts = [setup.template.ask(question) for question in questions]
    keys = [question.id for question in questions]
    sampling = dataclasses.replace(setup.sampling, samples=0)
    generated = engine.generate(prompts, keys=keys, sampling=sampling, progress=progress)
    return [from_response(item.greedy) for item in generated if item.greedy is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusing:
    """How a model writes that refuses in words."""

    refusals: tuple[str, ...]
    """The sentences it was taught to refuse in."""
    more_tokens: int = 0
    """How much longer than an answer a response may be."""
    stop: tuple[str, ...] | None = None
    """Other ends of a response than those of an answer."""
    read: Callable[[str], str] = str
    """Finds the answer in a response that is no refusal."""


def answer_or_refuse(
    engine: Engine,
    questions: Sequence[Question],
    setup: Setup,
    refusing: Refusing,
    *,
    prompts: Sequence[str],
    progress: Progress | None = None,
) -> list[Elicited]:
    """Ask a model that refuses in words; its confidence `sure` is the probability that it does not.

    That probability is 1 minus the summed probabilities of how its refusals open, their first two words.
    With an engine that cannot score continuations there is no `sure`.
    A refused question has no likelihood: the likelihood of a refusal says nothing about an answer.

    Args:
        refusing: how it refuses and answers.
        prompts: one for each question.
    """
    sampling = dataclasses.replace(
        setup.sampling,
        samples=0,
        max_new_tokens=setup.sampling.max_new_tokens + refusing.more_tokens,
        stop=setup.sampling.stop if refusing.stop is None else refusing.stop,
    )
    leads = [setup.template.lead(question) for question in questions]
    scores = engine.capabilities.scores_continuations
    openings = sorted({" ".join(refusal.split()[:2]) for refusal in refusing.refusals}) if scores else []
    asked = _asked(engine, prompts, leads, openings, sampling, progress)
    return [_answer_or_refusal(item, refusing.refusals, refusing.read) for item in asked]


def _asked(
    engine: Engine,
    prompts: Sequence[str],
    leads: Sequence[str],
    openings: Sequence[str],
    sampling: Sampling,
    progress: Progress | None,
) -> list[Asked]:
    """Greedy responses, and how likely each opening was in their place, from one reading of the prompt."""
    if not openings:
        generated = engine.generate(prompts, keys=prompts, sampling=sampling, progress=progress)
        responses = [item.greedy for item in generated if item.greedy is not None]
        return [Asked(response=response, option_logprobs=()) for response in responses]
    found: dict[int, Asked] = {}
    for lead in dict.fromkeys(leads):
        places = [place for place, own in enumerate(leads) if own == lead]
        answered = engine.ask(
            [prompts[place] for place in places],
            sampling=sampling,
            follow_up=lambda _, __: "",
            options=[lead + opening for opening in openings],
            progress=progress,
        )
        found |= dict(zip(places, answered, strict=True))
    return [found[place] for place in range(len(prompts))]


def _answer_or_refusal(asked: Asked, refusals: Sequence[str], read: Callable[[str], str]) -> Elicited:
    response = asked.response
    chances = [math.exp(logprob) for logprob in asked.option_logprobs]
    signals = {"sure": max(0.0, 1.0 - math.fsum(chances))} if chances else {}
    refused = declines(response.text, phrases=refusals)
    own = None if refused else likelihood(response)
    signals |= {} if own is None else {"likelihood": own}
    said, finish = _said(response)
    if not refused and (answer := read(said)) != said:
        return Elicited(answer=answer.strip(), response=answer, signals=signals, finish=finish)
    return Elicited(answer=said.strip(), response=response.text, signals=signals, finish=finish)


def from_response(response: Response) -> Elicited:
    """A greedy response as an answer with its likelihood."""
    value = likelihood(response)
    signals = {} if value is None else {"likelihood": value}
    said, finish = _said(response)
    return Elicited(answer=said.strip(), response=response.text, signals=signals, finish=finish)


def _said(response: Response) -> tuple[str, Finish]:
    """What was said outside of the model's reasoning, and how it ended."""
    said = without_reasoning(response.text)
    return ("", "thinking") if said is None else (said, response.finish)
