"""One question of a request: asked in time, helped where it was declined, and taken note of."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request

from demur.ask import Answer, Answerer, BusyError, Query
from demur.ask.counting import TokenCounter
from demur.core.errors import DemurError
from demur.core.records import Question
from demur.serve.hooks import FAILURES, Hook
from demur.serve.observe import Metrics, log
from demur.serve.problems import Problem
from demur.serve.settings import ServeSettings

T = TypeVar("T")


class AnswerService:
    """The model as requests ask it.

    Args:
        hooks: who is asked, one after another, when the model declines.
    """

    def __init__(
        self, answerer: Answerer, settings: ServeSettings, metrics: Metrics, hooks: Sequence[Hook]
    ) -> None:
        self.answerer, self.settings, self.metrics, self.hooks = answerer, settings, metrics, hooks
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

    async def answer(
        self, query: Query, *, threshold: float | None = None, max_error: float | None = None
    ) -> Answer:
        """The answer, or the refusal that stands after every hook was asked.

        Raises:
            Problem, ConversationError: as `check`.
            TimeoutError: the model takes too long.
            BusyError: too many questions are waiting.
            DemurError: the question cannot be answered.
        """

        async def ask(question: Question) -> Answer:
            history = query.history
            self.check(dataclasses.replace(query, question=question))
            async with asyncio.timeout(self.settings.timeout_seconds):
                return await self.answerer.ask_async(
                    question, history=history, threshold=threshold, max_error=max_error
                )

        first = await ask(query.question)
        shown = first
        if first.abstained:
            for hook in self.hooks:
                found = await self._helped(hook, hook.answer(first, query, ask))
                if found is not None:
                    shown = found
                    break
        self.metrics.answered(first, shown, log_prompts=self.settings.log_prompts)
        return shown

    async def _helped(self, hook: Hook, work: Awaitable[Answer | None]) -> Answer | None:
        """What a hook found; None where it failed, which leaves the refusal standing."""
        try:
            async with asyncio.timeout(self.settings.hook_timeout_seconds):
                return await work
        except (*FAILURES, TimeoutError, BusyError, DemurError, Problem) as error:
            self.metrics.hooks.labels(hook.name).inc()
            log.log(logging.WARNING, "hook failed", exc_info=error, extra={"hook": hook.name})
            return None

    async def follow(
        self, query: Query, *, threshold: float | None = None, max_error: float | None = None
    ) -> AsyncIterator[str | Answer]:
        """The answer in pieces as it is made, and last of all the `Answer`; hooks are not asked.

        Raises:
            Exception: as `answer`.
        """
        self.check(query)
        stream = self.answerer.stream_async(
            query.question,
            optimistic=True,
            history=query.history,
            threshold=threshold,
            max_error=max_error,
        )
        end = asyncio.get_running_loop().time() + self.settings.timeout_seconds
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout_at(end):
                        item = await anext(stream)
                except StopAsyncIteration:
                    return
                if isinstance(item, Answer):
                    self.metrics.answered(item, item, log_prompts=self.settings.log_prompts)
                yield item

    def tokens(self, query: Query, text: str) -> tuple[int, int] | None:
        """Tokens of the prompt as it was read, and of a text; None where the tokenizer is elsewhere."""
        if self._counter is None:
            return None
        prompt = self.answerer.template.ask(query.question)
        return self._counter.prompt(prompt, query.history), self._counter.text(text)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is dropped when the client goes away.

    Raises:
        Problem: it did.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    tasks = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            return tasks[0].result()
        raise Problem(499, "the client went away", code="client_closed_request")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all works; the first that fails ends the others.

    Raises:
        Exception: as that one did.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
