"""Asking a system: one question or many, at once or one after another, with what it takes to decide."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import queue
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from types import TracebackType
from typing import Any, Self, overload

from demur.ask.answer import REASONED, SILENT, Answer, Expected
from demur.ask.batching import Batcher
from demur.ask.calibration import Calibration
from demur.ask.decision import Decision
from demur.ask.system import System
from demur.core.errors import ConfigError, DataError, DemurError
from demur.core.records import Question, Response, question_id
from demur.core.templates import TEMPLATES
from demur.engines import ENGINES, Engine, Message, Sampling
from demur.engines.opening import open_engine
from demur.judging import is_refusal
from demur.methods import Elicited, Setup
from demur.methods.elicitation import answer_greedily

MOST = 64
"""Requests of one batch."""
WAITING = 4096
"""Requests that may wait."""

Given = str | Question | Mapping[str, Any]
"""A question: its text, a `Question`, or a mapping with ``question`` and, where it has them, ``context``,
``choices`` and ``group``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """A question within a conversation."""

    question: Question
    history: tuple[Message, ...] = ()
    watch: Callable[[str], None] | None = None
    """Told what the answer is so far, as it grows and before it is decided on."""


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
        self.system, self._decision = system, decision
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
        # All that a promise needs is read now: a run that is made anew later changes no promise of this one
        self._calibration = self._read_calibration()
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
        decision = await self._decision_async(asked, threshold, max_error)
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
                said = item.lstrip()
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
        decision = await self._decision_async(asked, how.get("threshold"), how.get("max_error"))
        loop, told = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(said: str | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, said)

        future = self.submit(Query(question=asked, history=tuple(how.get("history", ())), watch=tell))
        future.add_done_callback(lambda _: tell(None))
        shown = 0
        try:
            while (said := await told.get()) is not None:
                said = said.lstrip()
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
        if threshold is not None and max_error is not None:
            raise ConfigError(
                expected="a threshold or an error to keep below",
                found="both",
                where="threshold, max_error",
                fix="give one of them",
            )
        if max_error is not None:
            return self._promise(max_error)
        usual = self._usual(question)
        return usual if threshold is None else usual.at(threshold)

    async def _decision_async(
        self, question: Question, threshold: float | None, max_error: float | None
    ) -> Decision:
        """`decision`; a promise is looked for in a thread, since that takes a while."""
        if max_error is None:
            return self.decision(question, threshold)
        return await asyncio.to_thread(self.decision, question, threshold, max_error)

    def _usual(self, question: Question | None) -> Decision:
        """What was asked for, else what was calibrated, else the system's own rule."""
        if self._decision is not None:
            return self._decision
        promised, group = self.system.promised, question.group if question else None
        return promised.get("all") or promised.get(group or "none") or self.system.rule

    @cached_property
    def _promises(self) -> dict[float, Decision]:
        return {}

    def _promise(self, max_error: float) -> Decision:
        known = self._promises.get(max_error)
        if known is None:
            if len(self._promises) > MOST:  # callers choose the numbers
                self._promises.clear()
            known = self._promises[max_error] = self.calibration.decision(max_error, 0.95)
        return known

    @property
    def calibration(self) -> Calibration:
        """The run's calibration answers with this system, as they were when it was loaded.

        Raises:
            ConfigError: it does not come from a run.
            DataError: the run has none.
            RunFolderError: its weights have changed since it was made.
        """
        if isinstance(self._calibration, DemurError):
            raise self._calibration
        return self._calibration

    @property
    def uncalibrated(self) -> DemurError | None:
        """Why there is no `calibration`; None where there is one."""
        return self._calibration if isinstance(self._calibration, DemurError) else None

    def _read_calibration(self) -> Calibration | DemurError:
        try:
            return self._calibration_of_run()
        except DemurError as error:
            return error

    def _calibration_of_run(self) -> Calibration:
        system = self.system
        if system.run is None:
            raise ConfigError(
                expected="a run's folder, which has the calibration questions",
                found="a model's own folder or an untuned model",
                where="max_error",
                fix="load the run, or give a threshold",
            )
        signal = self._usual(None).signal
        return Calibration.of_run(system.run, system.name, signal, seed=system.config.seed)

    def expected(self, threshold: float | None = None) -> Expected:
        """What a threshold did on the calibration questions; by default the usual one."""
        limit = self._usual(None).threshold if threshold is None else threshold
        return self.calibration.expected(limit)

    def decided(self, question: Question, said: Elicited, decision: Decision) -> Answer:
        """The answer that a user gets of what a model said; where it said nothing, a refusal."""
        silent = not said.answer.strip()
        signals = {} if silent else decision.signals(said)
        confidence = signals.get(decision.signal)
        in_words = is_refusal(said.response, question=question.text, phrases=self._refusals)
        abstained = silent or in_words or decision.declines(confidence)
        withheld = silent or (abstained and not in_words)
        system = self.system
        mapped = system.recalibration if system.recalibrated == decision.signal else None
        return Answer(
            question=question.text,
            text=self.template.refusal if withheld else said.answer,
            abstained=abstained,
            said=said.answer,
            confidence=confidence,
            signal=decision.signal,
            threshold=decision.threshold,
            probability=None if mapped is None or confidence is None else mapped(confidence),
            signals=signals,
            guarantee=decision.guarantee,
            finish="length" if said.finish == "length" and not withheld else "stop",
            reason=(REASONED if said.finish == "thinking" else SILENT) if silent else None,
        )

    @cached_property
    def _refusals(self) -> tuple[str, ...]:
        plain = TEMPLATES[self.system.config.template.family].refusal
        return (plain, self.template.refusal, *self.system.info.refusals)

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
        setup = self._setup(_follow(queries, self.template))
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


def as_question(given: Given, *, context: str | None = None, choices: Sequence[str] = ()) -> Question:
    """A question as the library has it.

    Raises:
        DataError: it is none.
    """
    if isinstance(given, Question):
        return given
    if isinstance(given, Mapping):
        return _from_mapping(given)
    if not given.strip():
        raise DataError(expected="a question", found="nothing", where="question", fix="ask something")
    options = tuple(choices)
    return Question(
        id=question_id(given, context=context, choices=options),
        text=given,
        task="choice" if options else "open" if context is None else "contextual",
        choices=options,
        context=context,
        split="test",
    )


KNOWN = ("question", "context", "choices", "group")


def _from_mapping(given: Mapping[str, Any]) -> Question:
    text, context, choices, group = (given.get(name) for name in KNOWN)
    choices = choices or ()
    fits = (
        isinstance(text, str)
        and isinstance(context, str | None)
        and isinstance(group, str | None)
        and isinstance(choices, Sequence)
        and not isinstance(choices, str)
        and all(isinstance(choice, str) for choice in choices)
    )
    if not fits or given.keys() - set(KNOWN):
        raise DataError(
            expected=f"a mapping with question and, where it has them, {', '.join(KNOWN[1:])}",
            found=", ".join(f"{name}: {type(value).__name__}" for name, value in given.items())
            or "nothing",
            where="question",
            fix="give texts, and choices as a list of texts",
        )
    question = as_question(str(text), context=context, choices=choices)
    return dataclasses.replace(question, group=group)


def pieces(text: str) -> Iterable[str]:
    """A text word by word, each with the space before it."""
    return re.findall(r"\s*\S+\s*$|\s*\S+", text) or ([text] if text else [])


def _at_once(system: System) -> int:
    """Questions under way at a server, so that their requests, one for each sample, keep to its limit."""
    return max(1, system.config.model.endpoint.concurrency // max(1, system.samples))


def _follow(queries: Sequence[Query], template: Any) -> Callable[[str, str], None] | None:
    """Tell those who watch their answer grow, and nobody else: questions of a batch may be of many users.

    A prompt belongs to the question whose own prompt it holds, the longest of them. Where it holds none, in
    methods that write prompts of their own, it belongs to the batch's only question, or nobody is told.
    """
    watching = [(query, query.watch) for query in queries if query.watch is not None]
    if not watching:
        return None
    owners: dict[str, list[Callable[[str], None]]] = {}
    prompts = {query.question.id: template.ask(query.question) for query in queries}

    def find(prompt: str) -> list[Callable[[str], None]]:
        held = [name for name, own in prompts.items() if own in prompt]
        if not held and len(prompts) == 1:
            held = list(prompts)
        owner = max(held, key=lambda name: len(prompts[name]), default=None)
        return [watch for query, watch in watching if query.question.id == owner]

    def watch(prompt: str, so_far: str) -> None:
        if prompt not in owners:
            owners[prompt] = find(prompt)
        for tell in owners[prompt]:
            tell(so_far)

    return watch
