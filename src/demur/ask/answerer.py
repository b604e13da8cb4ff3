"""Asking a system: one question or many, at once or one after another, with what it takes to decide."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from types import TracebackType
from typing import Any, Self, overload

from demur.ask.answer import Answer, Expected
from demur.ask.batching import Batcher
from demur.ask.calibration import Calibration
from demur.ask.deciding import Decisions, decided
from demur.ask.decision import Decision
from demur.ask.query import Given, Query, as_question, follow, pieces
from demur.ask.system import System
from demur.core.errors import ConfigError, DemurError
from demur.core.reasoning import without_reasoning
from demur.core.records import Question, Response
from demur.engines import ENGINES, Engine, Message, Sampling
from demur.engines.opening import open_engine
from demur.methods import Elicited, Setup
from demur.methods.elicitation import answer_greedily

MOST = 64
"""Requests of one batch."""
WAITING = 4096
"""Requests that may wait."""


class Answerer:
    """A system that answers questions, or says that it does not know.

    A model in this process works on one batch at a time; a server is asked one question by each of several
    threads, so that none waits for another. Any number of threads and coroutines may ask.

    Args:
        system: what is asked.
        decision: when it declines; by default what was calibrated, else its own rule.
        most: requests of one batch.
        waiting: requests that may wait before further ones are turned away (`BusyError`).
        on_batch: told the size of each batch before it is worked on.

    Raises:
        ModelError: a model cannot be opened; the message says why and what to do.
        ConfigError: a system that needs two models, behind a server that is asked for one.
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
        self.system = system
        self.on_batch = on_batch
        local = ENGINES.get(system.config.model.engine).local
        self._own: AbstractContextManager[Any] = threading.RLock() if local else nullcontext()
        if system.info.certifies and not local:
            raise ConfigError(
                expected="an engine with the weights of both models",
                found=f"{system.name!r}, whose answers are the base model's, behind one server",
                where="--system",
                fix="choose r-tuning or another system whose answers come from one model",
            )
        self._decisions = Decisions(system, decision)
        self.engine = open_engine(system.config.model, base=system.base, tuned=system.weights)
        # A server's own batches are better than ours, and one refused question spoils no other
        together = {"most": most} if local else {"most": 1, "workers": _at_once(system)}
        self._batcher: Batcher[Query, Elicited] = Batcher(self._together, waiting=waiting, **together)
        if system.info.certifies:
            _ = self.base  # its answers are half of what is promised

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
        self.decision(questions[0] if questions else None, threshold, max_error)  # before the work
        said = self.elicit([Query(question=question, history=tuple(history)) for question in questions])
        return [
            self.decided(question, item, self.decision(question, threshold, max_error))
            for question, item in zip(questions, said, strict=True)
        ]

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
        asked = as_question(question)
        decision = await self._decisions.of_async(asked, threshold, max_error)
        said = await asyncio.wrap_future(self.submit(Query(question=asked, history=tuple(history))))
        return self.decided(asked, said, decision)

    def submit(self, query: Query) -> Future[Elicited]:
        """Put a question in line with those of others.

        Raises:
            BusyError: too many are waiting.
        """
        return self._batcher.submit(query)

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
        future = self.submit(Query(question=asked, history=tuple(how.get("history", ())), watch=told.put))
        future.add_done_callback(lambda _: told.put(None))
        yield from iter(told.get, None)
        yield self.decided(asked, future.result(), decision)

    async def stream_async(
        self, question: Given, *, optimistic: bool = False, **how: Any
    ) -> AsyncGenerator[str | Answer, None]:
        """`stream` without blocking."""
        if not optimistic:
            answer = await self.ask_async(question, **how)
            for piece in pieces(answer.text):
                yield piece
            yield answer
            return
        asked = as_question(question)
        decision = await self._decisions.of_async(asked, how.get("threshold"), how.get("max_error"))
        loop, told = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(said: str | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, said)

        future = self.submit(Query(question=asked, history=tuple(how.get("history", ())), watch=tell))
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

    # -- the models ----------------------------------------------------------------------------

    @cached_property
    def template(self) -> Any:
        """The words around a question, as the model was tuned with."""
        return self.system.template or self.system.config.template.template(chat=self.engine.chat)

    @cached_property
    def base(self) -> Engine:
        """The base model; opened when first needed."""
        system = self.system
        if system.weights is None or not ENGINES.get(system.config.model.engine).local:
            return self.engine
        return open_engine(system.config.model, base=system.base)

    def _together(self, queries: Sequence[Query]) -> list[Elicited]:
        if self.on_batch is not None:
            self.on_batch(len(queries))
        return self.elicit(queries)

    def elicit(self, queries: Sequence[Query]) -> list[Elicited]:
        """What the system says to each question, undecided; those with equal histories go together."""
        said: dict[int, Elicited] = {}
        places = sorted(range(len(queries)), key=lambda at: str(queries[at].history))
        with self._own:
            for _, members in itertools.groupby(places, key=lambda at: queries[at].history):
                group = list(members)
                found = self._elicit([queries[at] for at in group])
                said |= dict(zip(group, found, strict=True))
        return [said[at] for at in range(len(queries))]

    def _elicit(self, queries: Sequence[Query]) -> list[Elicited]:
        system, history = self.system, queries[0].history
        questions = [query.question for query in queries]
        setup = self._setup(follow(queries, self.template))
        if system.info.certifies:
            setup = dataclasses.replace(setup, base=self._base_answers(questions, history, setup))
        return system.method.elicit(self.engine.after(history), questions, setup)

    def _base_answers(
        self, questions: Sequence[Question], history: Sequence[Message], setup: Setup
    ) -> dict[str, Response]:
        generated = self.base.after(history).generate(
            [self.template.ask(question) for question in questions],
            keys=[question.id for question in questions],
            sampling=dataclasses.replace(setup.sampling, samples=0),
        )
        pairs = zip(questions, generated, strict=True)
        return {question.id: item.greedy for question, item in pairs if item.greedy is not None}

    def _setup(self, watch: Callable[[str, str], None] | None = None) -> Setup:
        probe = self.system.config.probe
        return Setup(
            config=self.system.config,
            template=self.template,
            render=self.engine.render,
            sampling=Sampling(
                max_new_tokens=probe.max_new_tokens,
                stop=probe.stop,
                samples=self.system.samples,
                temperature=probe.temperature,
                top_p=probe.top_p,
                seed=self.system.config.seed,
                watch=watch,
            ),
            engine=self.engine,
        )

    def samples(self, question: Given, count: int) -> list[str]:
        """Answers drawn at the run's temperature, from the model that answers."""
        asked = as_question(question)
        sampling = dataclasses.replace(self._setup().sampling, greedy=False, samples=count)
        with self._own:
            engine = self.base if self.system.info.certifies else self.engine
            (drawn,) = engine.generate([self.template.ask(asked)], keys=[asked.id], sampling=sampling)
        return [sample.text.strip() for sample in drawn.samples]

    def base_answer(self, question: Given) -> Answer:
        """What the base model answers, declined only in its own words."""
        asked = as_question(question)
        with self._own:
            (said,) = answer_greedily(self.base, [asked], self._setup())
        return self.decided(asked, said, Decision(signal="likelihood", threshold=None))

    def close(self) -> None:
        """Answer what is in line and take nothing more."""
        self._batcher.close()

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
