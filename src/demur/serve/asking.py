"""The questions of a request, through either door: asked in time, helped where declined, and noted."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request

from demur.ask import Answer, Answerer, BusyError, Query
from demur.ask.batching import Batcher
from demur.ask.counting import TokenCounter
from demur.core.errors import DemurError
from demur.core.records import Question
from demur.serve.gate import Gate
from demur.serve.guard import owner_of
from demur.serve.hooks import FAILURES, Hook
from demur.serve.observe import Metrics, log
from demur.serve.problems import Problem
from demur.serve.settings import ServeSettings

T = TypeVar("T")

MOST_BESIDE = 8
"""Pieces of work without the model that may wait."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When the questions of one request are declined, and whose they are."""

    threshold: float | None = None
    max_error: float | None = None
    owner: object = None

    @classmethod
    def of(
        cls, request: Request, *, threshold: float | None = None, max_error: float | None = None
    ) -> Limits:
        """Of a request, which belongs to a key or a connection."""
        return cls(threshold=threshold, max_error=max_error, owner=owner_of(request.scope))

    def asked(self) -> dict[str, Any]:
        """As the answerer takes them."""
        return dataclasses.asdict(self)


class AnswerService:
    """The model as requests ask it: every question of both doors comes through here.

    Args:
        hooks: who is asked, one after another, when the model declines.
        gate: says when the time of a request is up because the server stops.
    """

    def __init__(
        self,
        answerer: Answerer,
        settings: ServeSettings,
        metrics: Metrics,
        hooks: Sequence[Hook],
        gate: Gate | None = None,
    ) -> None:
        self.answerer, self.settings, self.metrics, self.hooks = answerer, settings, metrics, hooks
        self.gate = gate or Gate()
        self._beside: Batcher[Callable[[], Any], Any] = Batcher(_done, most=1, waiting=MOST_BESIDE)
        self._counter = TokenCounter.of(answerer.engine)

    def check(self, query: Query) -> None:
        """Refuse what the model could never answer, before it spoils a batch.

        Raises:
            Problem: a question that is too long, or with parts that the model's prompt has no room for.
            ConversationError: turns that the model cannot take.
        """
        question, limit = query.question, self.settings.max_prompt_characters
        parts = [question.text, question.context or "", *question.choices]
        length = sum(map(len, parts)) + sum(len(turn.content) for turn in query.history)
        if length > limit:
            message = f"a question and all that comes along may have {limit:,} characters, found {length:,}"
            raise Problem(400, message, code="context_length_exceeded")
        prompt = self.answerer.template.ask(question)
        for name, given in (("context", [question.context or ""]), ("choices", question.choices)):
            if any(part not in prompt for part in given):
                message = f"what this system is asked has no room for {name} in such a question"
                raise Problem(400, message, code="unsupported_value", param=f"demur.{name}")
        self.answerer.engine.after(query.history)

    async def answers(self, queries: Sequence[Query], limits: Limits) -> list[Answer]:
        """The answers, or the refusals that stand after every hook was asked, in order.

        Raises:
            Problem, ConversationError: as `check`.
            TimeoutError: the model takes too long.
            BusyError: the line has no room for all questions.
            DemurError: a question cannot be answered.
        """
        for query in queries:
            self.check(query)
        found = await self.outcomes(queries, limits)
        for item in found:
            if isinstance(item, Exception):
                raise item
        return [item for item in found if isinstance(item, Answer)]

    async def outcomes(self, queries: Sequence[Query], limits: Limits) -> list[Answer | Exception]:
        """An answer or a refusal for each question that was checked, or why it could not be asked.

        Raises:
            TimeoutError, BusyError: as `answers`.
            DemurError: the limits that are asked for cannot be had.
        """
        first = await self._asked(queries, limits)
        pairs = zip(queries, first, strict=True)
        shown = await asyncio.gather(*(self._shown(query, item, limits) for query, item in pairs))
        for said, told in zip(first, shown, strict=True):
            if isinstance(said, Answer) and isinstance(told, Answer):
                self.metrics.answered(said, told, log_prompts=self.settings.log_prompts)
        return shown

    async def _asked(self, queries: Sequence[Query], limits: Limits) -> list[Answer | Exception]:
        async with asyncio.timeout(self.settings.timeout_seconds):
            return await self.answerer.ask_all_async(queries, **limits.asked())

    async def _shown(self, query: Query, first: Answer | Exception, limits: Limits) -> Answer | Exception:
        """What a caller is shown: the first hook's answer where the model declined and a hook has one."""
        if isinstance(first, Exception) or not first.abstained:
            return first

        async def again(question: Question) -> Answer:
            changed = dataclasses.replace(query, question=question)
            self.check(changed)
            (found,) = await self._asked([changed], limits)
            if isinstance(found, Exception):
                raise found
            return found

        for hook in self.hooks:
            helped = await self._helped(hook, hook.answer(first, query, again))
            if helped is not None:
                return helped
        return first

    async def _helped(self, hook: Hook, work: Awaitable[Answer | None]) -> Answer | None:
        """What a hook found; None where it failed, which leaves the refusal standing."""
        try:
            async with asyncio.timeout(self.settings.hook_timeout_seconds):
                return await work
        except (*FAILURES, TimeoutError, BusyError, DemurError, Problem) as error:
            self.metrics.hooks.labels(hook.name).inc()
            log.log(logging.WARNING, "hook failed", exc_info=error, extra={"hook": hook.name})
            return None

    async def follow(self, query: Query, limits: Limits) -> AsyncIterator[str | Answer]:
        """The answer in pieces as it is made, and last of all the `Answer`; hooks are not asked.

        Raises:
            Exception: as `answers`.
        """
        self.check(query)
        stream = self.answerer.stream_async(
            query.question, optimistic=True, history=query.history, **limits.asked()
        )
        end = asyncio.get_running_loop().time() + self.settings.timeout_seconds
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout_at(end):
                        item = await self.gate.first_of(anext(stream))
                except StopAsyncIteration:
                    return
                if isinstance(item, Answer):
                    self.metrics.answered(item, item, log_prompts=self.settings.log_prompts)
                yield item

    async def samples(self, question: Question, count: int, limits: Limits) -> list[str]:
        """Answers drawn from the model that answers, in line with the questions.

        Raises:
            TimeoutError, BusyError, DemurError: as `answers`.
        """
        async with asyncio.timeout(self.settings.timeout_seconds):
            return await self.answerer.samples_async(question, count, owner=limits.owner)

    async def base_answer(self, question: Question, limits: Limits) -> Answer:
        """What the base model answers, in line with the questions.

        Raises:
            TimeoutError, BusyError, DemurError: as `answers`.
        """
        async with asyncio.timeout(self.settings.timeout_seconds):
            return await self.answerer.base_answer_async(question, owner=limits.owner)

    async def beside(self, work: Callable[[], T], limits: Limits) -> T:
        """Work that needs no model, in a thread of its own, one piece after another.

        Raises:
            TimeoutError: it takes too long.
            BusyError: too much of it waits.
            Exception: as the work.
        """
        future: Future[T] = self._beside.submit(work, owner=limits.owner)
        async with asyncio.timeout(self.settings.timeout_seconds):
            return await asyncio.wrap_future(future)

    async def while_wanted(self, request: Request, work: Coroutine[Any, Any, T]) -> T:
        """The result of some work, which is dropped when the client goes away or the server's time is up.

        Raises:
            Problem: either happened.
        """

        async def gone() -> T:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            raise Problem(499, "the client went away", code="client_closed_request")

        return await self.gate.first_of(work, gone())

    def tokens(self, query: Query, text: str) -> tuple[int, int] | None:
        """Tokens of the prompt as it was read, and of a text; None where the tokenizer is elsewhere."""
        if self._counter is None:
            return None
        prompt = self.answerer.template.ask(query.question)
        return self._counter.prompt(prompt, query.history), self._counter.text(text)


def _done(works: Sequence[Callable[[], Any]]) -> list[Any]:
    return [work() for work in works]
