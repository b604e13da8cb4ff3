"""Reading answers and their likelihood: what all methods share when they ask a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from demur.engines import Engine, Progress
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
    prompts = [setup.template.ask(question.text) for question in questions]
    keys = [question.id for question in questions]
    generated = engine.generate(prompts, keys=keys, sampling=setup.sampling, progress=progress)
    return [from_response(item.greedy) for item in generated if item.greedy is not None]


def from_response(response: Response) -> Elicited:
    """A greedy response as an answer with its likelihood."""
    value = likelihood(response)
    signals = {} if value is None else {"likelihood": value}
    return Elicited(answer=response.text.strip(), response=response.text, signals=signals)
