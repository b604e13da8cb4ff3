"""How a system of a run is asked: its prompts, where its answers end, and what counts as a refusal.

A method's own code decides that. So it is run once for every question, with an engine that only listens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, Self

from demur.core.records import Question
from demur.engines import ENGINES, Capabilities, Message, Opening, Sampling
from demur.engines.base import Refusal
from demur.engines.encoding import opens_chat
from demur.methods import METHODS
from demur.methods.asking import ANSWER, Asking
from demur.pipeline.job import Job


def plainly(job: Job) -> Asking:
    """As the base model of a run is asked, and everybody whose method adds no prompt of its own."""
    config, chat = job.config, is_chat(job)
    template = config.template.template(chat=chat)
    return Asking(
        prompt=template.ask,
        stop=config.probe.stop,
        max_new_tokens=config.probe.max_new_tokens,
        rule=config.judge.rule,
        refusals=(template.refusal,),
        chat=chat,
        lead=template.answer_lead,
    )


def as_system(job: Job, system: str, sample: Question) -> Asking:
    """As a tuned or prompted system of a run is asked first.

    Args:
        sample: any question, from which is learned where this system's answers end and what it scores.
    """
    plain, info = plainly(job), job.info(system)
    engine = _Listening(plain.chat)
    method, setup = METHODS.get(info.name)(), job.setup(engine, system)

    def first(question: Question) -> _Heard:
        try:
            method.elicit(engine, [question], setup)
        except _Heard as heard:
            return heard
        raise AssertionError(f"{system} asks nothing")

    heard = first(sample)
    if heard.sampling is None:  # nothing is generated
        return dataclasses.replace(plain, scored=heard.scored, scored_after=heard.scored_after)
    return Asking(
        prompt=lambda question: first(question).prompt,
        stop=tuple(heard.sampling.stop),
        max_new_tokens=heard.sampling.max_new_tokens,
        rule=plain.rule,
        refusals=(*plain.refusals, *info.refusals),
        chat=plain.chat,
        lead=plain.lead,
        scored=heard.scored,
        scored_after=heard.scored_after,
        samples=heard.sampling.samples,
    )


def is_chat(job: Job) -> bool:
    """Whether a run's model is asked through a chat template; reads its tokenizer, or asks its server."""
    if not ENGINES.get(job.config.model.engine).local:
        return job.engine.chat
    return opens_chat(job.opening)


class _Heard(Exception):  # noqa: N818 - it carries what was asked; nothing went wrong
    """The first thing that a method asked."""

    def __init__(
        self, prompt: str, sampling: Sampling | None, *, scored: Sequence[str] = (), scored_after: str = ""
    ) -> None:
        self.prompt, self.sampling = prompt, sampling
        self.scored, self.scored_after = tuple(scored), scored_after


class _Listening:
    """An engine without a model: it stops at the first request and tells what it was."""

    name = "listening"
    local: ClassVar[bool] = False
    capabilities = Capabilities(token_logprobs=True, scores_continuations=True)
    ignores: ClassVar[frozenset[str]] = frozenset()
    refuses: ClassVar[Mapping[str, Refusal]] = {}

    def __init__(self, chat: bool) -> None:
        self.chat = chat

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """There is nothing to open."""
        raise TypeError("an engine that listens is made, not opened")

    @classmethod
    def check(cls, opening: Opening) -> None:
        """There is nothing to check."""

    def generate(self, prompts: Sequence[str], *, sampling: Sampling, **_: Any) -> NoReturn:
        """Tell the prompt, and how the answer is generated."""
        raise _Heard(prompts[0], sampling)

    def ask(
        self,
        prompts: Sequence[str],
        *,
        sampling: Sampling,
        follow_up: Callable[[int, str], str],
        options: Sequence[str],
        **_: Any,
    ) -> NoReturn:
        """Tell also what is scored after the answer."""
        alone = dataclasses.replace(sampling, samples=0)
        raise _Heard(prompts[0], alone, scored=options, scored_after=follow_up(0, ANSWER))

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        **_: Any,
    ) -> NoReturn:
        """Tell what is scored, and that nothing is generated."""
        after = "" if leads is None else leads[0]
        raise _Heard(prompts[0], None, scored=continuations[0], scored_after=after)

    def render(self, prompt: str) -> str:
        """The prompt as it is."""
        return prompt

    def after(self, history: Sequence[Message]) -> Self:
        """Whatever came before, the request is the same."""
        return self
