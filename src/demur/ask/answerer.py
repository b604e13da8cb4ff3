"""Asking a system: one question or many, at once or one after another, with what it takes to decide."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from demur.ask.answer import Answer, Expected
from demur.ask.batching import Batcher
from demur.ask.calibration import Calibration
from demur.ask.deciding import Decisions, decided
from demur.ask.decision import Decision
from demur.ask.models import Models
from demur.ask.query import Aside, Given, Query, Watcher, as_question, pieces
from demur.ask.system import System
from demur.core.errors import DemurError
from demur.core.reasoning import without_reasoning
from demur.core.records import Question
from demur.engines import ENGINES, Message
from demur.methods import Elicited
from demur.methods.elicitation import answer_greedily

T = TypeVar("T")

MOST = 64
"""Requests of one batch."""
WAITING = 4096
"""Requests that may wait."""


class Answerer(Models):
    """A system that answers questions, or says that it does not know.

    A model in this process works on one batch at a time; a server is asked one question by each of several
    threads, so that none waits for another. Any number of threads and coroutines may ask, in the process
    that opened it.

    Args:
        system: what is asked.
        decision: when it declines; by default what was calibrated, else its own rule.
        most: requests of one batch.
        waiting: requests that may wait before further ones are turned away (`BusyError`).
        on_batch: told the size of each batch before it is worked on.

    Raises:
        ModelError: a model cannot be opened; the message says why and what to do.
    """

    def __init__(
        self,
        system: System,
        *,
        decision: Decision | None = None,
        most: int = MOST,
        waiting: int = WAITING,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self._decisions = Decisions(system, decision)
        super().__init__(system)
        self.on_batch = on_batch
        # A server's own batches are better than ours, and one refused question spoils no other
        local = ENGINES.get(system.config.model.engine).local
        together = {"most": most} if local else {"most": 1, "workers": _at_once(system)}
        self._batcher: Batcher[Query | Aside, Any] = Batcher(
            self._together, waiting=waiting, alone=lambda item: isinstance(item, Aside), **together
        )

    # -- asking --------------------------------------------------------------------------------

    @overload
    def ask(
        self,
        question: Given,
        *,
        context: str | None = ...,
        choices: Sequence[str] = ...,
        history: Sequence[Message] = ...,
        threshold: float | None = ...,
        max_error: float | None = ...,
    ) -> Answer: ...

    @overload
    def ask(
        self,
        question: list[Given],
        *,
        history: Sequence[Message] = ...,
        threshold: float | None = ...,
        max_error: float | None = ...,
    ) -> list[Answer]: ...

    def ask(
        self,
        question: Given | list[Given],
        *,
        context: str | None = None,
        choices: Sequence[str] = (),
        history: Sequence[Message] = (),
        threshold: float | None = None,
        max_error: float | None = None,
    ) -> Answer | list[Answer]:
        """Ask one question, or many at once.

        Args:
            question: its text, a `Question`, a mapping, or a list of these.
            context: a passage that the answer is to be found in, for one question given as text.
            choices: the options of a choice question, for one question given as text.
            history: earlier turns of the conversation; only models with a chat template take any.
            threshold: answer from this confidence up, instead of what was decided for everybody.
            max_error: the threshold that promises to keep errors among the answers below this share.

        Raises:
            DataError: a question that is too long for the model, or a promise that cannot be made.
            ConversationError: a history that the model cannot take.
        """
        if isinstance(question, str | Question | Mapping):
            asked = as_question(question, context=context, choices=choices)
            return self._answers([asked], history, threshold, max_error)[0]
        return self._answers([as_question(item) for item in question], history, threshold, max_error)

    def _answers(
        self,
        questions: Sequence[Question],
        history: Sequence[Message],
        threshold: float | None,
        max_error: float | None,
    ) -> list[Answer]:
        decisions = [self.decision(question, threshold, max_error) for question in questions]
        queries = [
            self._under(Query(question=question, history=tuple(history)), decision)
            for question, decision in zip(questions, decisions, strict=True)
        ]
        said = self.elicit(queries)
        return [self.decided(*item) for item in zip(questions, said, decisions, strict=True)]

    def _under(self, query: Query, decision: Decision) -> Query:
        """A question whose decision is known, for a system that decides before it answers."""
        return query.under(decision, before=self.system.before)

    async def ask_async(
        self,
        question: Given,
        *,
        history: Sequence[Message] = (),
        threshold: float | None = None,
        max_error: float | None = None,
    ) -> Answer:
        """Ask without blocking; questions that come at the same time are answered together.

        Raises:
            BusyError: too many are waiting.
            DemurError: as `ask`.
        """
        query = Query(question=as_question(question), history=tuple(history))
        (found,) = await self.ask_all_async([query], threshold=threshold, max_error=max_error)
        if isinstance(found, Exception):
            raise found
        return found

    async def ask_all_async(
        self,
        queries: Sequence[Query],
        *,
        threshold: float | None = None,
        max_error: float | None = None,
        owner: object = None,
    ) -> list[Answer | Exception]:
        """Ask several questions without blocking; they are put in line together, or none of them is.

        Args:
            owner: who asks; owners take turns, and none of them can fill the line.

        Returns:
            An answer for each question, or why it could not be asked.

        Raises:
            BusyError: the line has no room for all of them.
            DemurError: the limits that are asked for cannot be had.
        """
        decisions = [self.decision(query.question, threshold, max_error) for query in queries]
        known = [self._under(*pair) for pair in zip(queries, decisions, strict=True)]
        futures = self._batcher.submit_all(known, owner=owner)
        try:
            waited = map(asyncio.wrap_future, futures)
            said: list[Any] = await asyncio.gather(*waited, return_exceptions=True)
        finally:
            for future in futures:
                future.cancel()  # what is still in line is wanted by nobody
        return [
            item if isinstance(item, Exception) else self.decided(query.question, item, decision)
            for query, item, decision in zip(queries, said, decisions, strict=True)
        ]

    def submit(self, query: Query, *, owner: object = None) -> Future[Elicited]:
        """Put a question in line with those of others.

        Raises:
            BusyError: too many are waiting.
        """
        return self._batcher.submit(query, owner=owner)

    async def samples_async(self, question: Given, count: int, *, owner: object = None) -> list[str]:
        """`samples` without blocking, in line with the questions."""
        return await self._aside(lambda: self.samples(question, count), owner)

    async def base_answer_async(self, question: Given, *, owner: object = None) -> Answer:
        """`base_answer` without blocking, in line with the questions."""
        return await self._aside(lambda: self.base_answer(question), owner)

    async def _aside(self, work: Callable[[], T], owner: object) -> T:
        future: Future[T] = self._batcher.submit(Aside(work), owner=owner)
        return await asyncio.wrap_future(future)

    @property
    def waiting(self) -> int:
        """Questions in line."""
        return self._batcher.length

    def stream(self, question: Given, *, optimistic: bool = False, **how: Any) -> Iterator[str | Answer]:
        """The answer in pieces, and last of all the `Answer` itself.

        Args:
            optimistic: pieces come as the model writes them, before it is decided whether the answer is
                given: the `Answer` may then decline what was shown. Otherwise nothing comes before that.
            how: as for `ask`.
        """
        if not optimistic:
            answer = self.ask(question, **how)
            yield from pieces(answer.text)
            yield answer
            return
        shown = 0
        for item in self._following(question, how):
            if isinstance(item, Answer):
                yield item
            else:
                said = (without_reasoning(item) or "").lstrip()
                if len(said) > shown:
                    yield said[shown:]
                    shown = len(said)

    def _following(self, question: Given, how: Mapping[str, Any]) -> Iterator[str | Answer]:
        """What the answer is so far, again and again, and then the answer."""
        asked = as_question(question, context=how.get("context"), choices=how.get("choices", ()))
        decision = self.decision(asked, how.get("threshold"), how.get("max_error"))
        told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        query = Query(question=asked, history=tuple(how.get("history", ())), watch=told.put)
        future = self.submit(self._under(query, decision))
        future.add_done_callback(lambda _: told.put(None))
        try:
            yield from iter(told.get, None)
        finally:
            future.cancel()  # who stops listening waits for nothing
        yield self.decided(asked, future.result(), decision)

    async def stream_async(
        self, question: Given, *, optimistic: bool = False, owner: object = None, **how: Any
    ) -> AsyncGenerator[str | Answer, None]:
        """`stream` without blocking.

        Args:
            owner: as for `ask_all_async`.
        """
        if not optimistic:
            answer = await self.ask_async(question, **how)
            for piece in pieces(answer.text):
                yield piece
            yield answer
            return
        asked = as_question(question)
        decision = self.decision(asked, how.get("threshold"), how.get("max_error"))
        loop, told = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(said: str | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, said)

        query = Query(question=asked, history=tuple(how.get("history", ())), watch=tell)
        future = self.submit(self._under(query, decision), owner=owner)
        future.add_done_callback(lambda _: tell(None))
        shown = 0
        try:
            while (said := await told.get()) is not None:
                said = (without_reasoning(said) or "").lstrip()
                if len(said) > shown:
                    yield said[shown:]
                    shown = len(said)
        finally:
            future.cancel()
        yield self.decided(asked, future.result(), decision)

    # -- deciding ------------------------------------------------------------------------------

    def decision(
        self,
        question: Question | None = None,
        threshold: float | None = None,
        max_error: float | None = None,
    ) -> Decision:
        """When a question is declined.

        Args:
            threshold: instead of what was decided for everybody; nothing is promised of it.
            max_error: promise this instead, from the run's calibration questions.

        Raises:
            ConfigError: both are given, or a promise without a run.
            DataError: a promise that cannot be made.
        """
        return self._decisions.of(question, threshold, max_error)

    @property
    def calibration(self) -> Calibration:
        """The run's calibration answers with this system, as they were when it was loaded.

        Raises:
            ConfigError: it does not come from a run.
            DataError: the run has none.
            RunFolderError: its weights have changed since it was made.
        """
        return self._decisions.calibration

    @property
    def uncalibrated(self) -> DemurError | None:
        """Why there is no `calibration`; None where there is one."""
        return self._decisions.uncalibrated

    def expected(self, threshold: float | None = None) -> Expected:
        """What a threshold did on the calibration questions; by default the usual one."""
        limit = self._decisions.usual().threshold if threshold is None else threshold
        return self.calibration.expected(limit)

    def decided(self, question: Question, said: Elicited, decision: Decision) -> Answer:
        """The answer that a user gets of what a model said; where it said nothing, a refusal."""
        return decided(self.system, self.template, question, said, decision)

    def base_answer(self, question: Given) -> Answer:
        """What the base model answers, declined only in its own words."""
        asked = as_question(question)
        with self._own:
            (said,) = answer_greedily(self.base, [asked], self._setup())
        return self.decided(asked, said, Decision(signal="likelihood", threshold=None))

    # -- the work ------------------------------------------------------------------------------

    def _together(self, asked: Sequence[Query | Aside]) -> list[Any]:
        """What is said to each question of a batch, or why its caller hears nothing; or other work."""
        if isinstance(asked[0], Aside):
            return [asked[0].work()]
        queries = [query for query in asked if isinstance(query, Query)]
        if self.on_batch is not None:
            self.on_batch(len(queries))
        watched = [Watcher.around(query) for query in queries]
        said = self.elicit([query for query, _ in watched])
        return [
            item if watcher is None or watcher.error is None else watcher.error
            for item, (_, watcher) in zip(said, watched, strict=True)
        ]

    def close(self, wait_seconds: float | None = None) -> bool:
        """Answer what is in line and take nothing more.

        Args:
            wait_seconds: wait no longer than that; None for no limit.

        Returns:
            Whether all of it was answered.
        """
        return self._batcher.close(wait_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _at_once(system: System) -> int:
    """Questions under way at a server, so that their requests, one for each sample, keep to its limit."""
    return max(1, system.config.model.endpoint.concurrency // max(1, system.samples))
