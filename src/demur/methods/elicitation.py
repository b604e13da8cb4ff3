"""Reading answers and their confidence: what the methods share when they ask a model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from demur.engines import Engine, Progress
from demur.judging import is_refusal
from demur.methods.base import Elicited, Setup
from demur.records import Question, Response


def likelihood(response: Response) -> float | None:
    """Geometric mean of the answer's token probabilities, in [0, 1]; None where the engine gave none.

    Source: R-Tuning (arXiv 2311.09677), evaluation code: the confidence of a prediction.
    """
    logprobs = response.token_logprobs
    return math.exp(math.fsum(logprobs) / len(logprobs)) if logprobs else None


def answer_greedily(
    engine: Engine, questions: Sequence[Question], setup: Setup, *, progress: Progress | None = None
) -> list[Elicited]:
    """Answer each question greedily, with the answer's likelihood as the only confidence."""
    prompts = [setup.template.ask(question) for question in questions]
    return [from_response(item) for item in _greedy(engine, prompts, questions, setup, progress)]


def answer_or_refuse(
    engine: Engine,
    questions: Sequence[Question],
    setup: Setup,
    *,
    prompts: Sequence[str],
    refusals: Sequence[str],
    more_tokens: int,
    stop: Sequence[str] | None = None,
    read: Callable[[str], str] = str,
    progress: Progress | None = None,
) -> list[Elicited]:
    """Ask a model that refuses in words; its confidence `sure` is the probability that it does not.

    That probability is 1 minus the summed probabilities of how its refusals open, their first two words.
    A refused question has no likelihood: the likelihood of a refusal says nothing about an answer.

    Args:
        prompts: one for each question.
        refusals: the sentences it was taught to refuse in.
        more_tokens: how much longer than an answer a response may be.
        stop: other ends of a response than those of an answer.
        read: finds the answer in a response that is no refusal.
    """
    said = _greedy(engine, prompts, questions, setup, progress, more_tokens=more_tokens, stop=stop)
    sure = _not_refusing(engine, prompts, questions, setup, refusals)
    found = []
    for response, value in zip(said, sure, strict=True):
        signals = {} if value is None else {"sure": value}
        refused = is_refusal(response.text, phrases=refusals)
        text = response.text if refused else read(response.text)
        own = None if refused else likelihood(response)
        signals |= {} if own is None else {"likelihood": own}
        found.append(Elicited(answer=text.strip(), response=text, signals=signals))
    return found


def from_response(response: Response) -> Elicited:
    """A greedy response as an answer with its likelihood."""
    value = likelihood(response)
    signals = {} if value is None else {"likelihood": value}
    return Elicited(answer=response.text.strip(), response=response.text, signals=signals)


def _greedy(
    engine: Engine,
    prompts: Sequence[str],
    questions: Sequence[Question],
    setup: Setup,
    progress: Progress | None,
    *,
    more_tokens: int = 0,
    stop: Sequence[str] | None = None,
) -> list[Response]:
    sampling = dataclasses.replace(
        setup.sampling,
        samples=0,
        max_new_tokens=setup.sampling.max_new_tokens + more_tokens,
        stop=setup.sampling.stop if stop is None else tuple(stop),
    )
    keys = [question.id for question in questions]
    generated = engine.generate(prompts, keys=keys, sampling=sampling, progress=progress)
    return [item.greedy for item in generated if item.greedy is not None]


def _not_refusing(
    engine: Engine,
    prompts: Sequence[str],
    questions: Sequence[Question],
    setup: Setup,
    refusals: Sequence[str],
) -> list[float | None]:
    """1 minus the probability that a refusal is begun, in [0, 1]; None where the engine scores no texts."""
    if not engine.capabilities.scores_continuations:
        return [None] * len(prompts)
    openings = sorted({" ".join(refusal.split()[:2]) for refusal in refusals})
    leads = [setup.template.lead(question) for question in questions]
    scores = engine.score(prompts, [[lead + opening for opening in openings] for lead in leads])
    return [max(0.0, 1.0 - math.fsum(map(math.exp, row))) for row in scores]
