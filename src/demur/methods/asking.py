"""Everything around a question that a system's answer depends on, as texts and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demur.core.records import Question
from demur.core.templates import TEMPLATES
from demur.engines import Sampling
from demur.judging.verdict import DEFAULT_RULE

ANSWER = "{answer}"
"""Where an answer would stand in a text around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Everything around a question that its answer depends on."""

    prompt: Callable[[Question], str]
    """The prompt as a user would send it; a chat template goes around it later."""
    stop: tuple[str, ...] = Sampling().stop
    max_new_tokens: int = Sampling().max_new_tokens
    rule: str = DEFAULT_RULE
    """The judging rule."""
    refusals: tuple[str, ...] = ()
    """Refusal sentences, beside those that are recognised anyway."""
    chat: bool = False
    """The prompt is a turn of a chat."""
    lead: str = " "
    """Between prompt and answer."""
    scored: tuple[str, ...] = ()
    """Continuations whose probability gives a confidence; none where nothing is scored."""
    scored_after: str = ""
    """What stands between the prompt and those continuations; holds ``{answer}`` where the answer does."""
    samples: int = 0
    """How many answers are sampled, whose majority is given; 0 for a greedy answer."""


def by_default() -> Asking:
    """As questions are asked that belong to no run."""
    template = TEMPLATES["r-tuning-code"]
    return Asking(prompt=template.ask, refusals=(template.refusal,))
