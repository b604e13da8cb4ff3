"""The models of a system, and what they say; one batch at a time where they are in this process."""

from __future__ import annotations

import dataclasses
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from demur.ask.batching import check_process
from demur.ask.query import Given, Query, as_question, follow
from demur.ask.system import System
from demur.engines import ENGINES, Engine, Sampling
from demur.engines.opening import open_engine
from demur.methods import Elicited, Setup
from demur.signals.fitted import Fitted


class Models:
    """The models of a system. Any number of threads may ask, in the process that opened them.

    Raises:
        ModelError: a model cannot be opened; the message says why and what to do.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        local = ENGINES.get(system.config.model.engine).local
        self._own: AbstractContextManager[Any] = threading.RLock() if local else nullcontext()
        self._process = os.getpid()
        self.engine = open_engine(system.config.model, base=system.base, tuned=system.tuned)
        _ = self.fitted  # what is damaged is said before a question is answered

    @cached_property
    def template(self) -> Any:
        """The words around a question, as the model was tuned with."""
        return self.system.template or self.system.config.template.template(chat=self.engine.chat)

    @cached_property
    def fitted(self) -> Fitted | None:
        """What was fitted, for a method that fits.

        Raises:
            ModelError: its files cannot be read.
        """
        folder = self.system.fitted
        return None if folder is None else Fitted.load(folder)

    @cached_property
    def base(self) -> Engine:
        """The base model; opened when first needed."""
        system = self.system
        if system.tuned is None or not ENGINES.get(system.config.model.engine).local:
            return self.engine
        return open_engine(system.config.model, base=system.base)

    def elicit(self, queries: Sequence[Query]) -> list[Elicited]:
        """What the system says to each question, undecided; those with equal histories go together.

        Raises:
            ResourceError: in a fork of the process that opened the models.
        """
        check_process(self._process)
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
        setup = dataclasses.replace(self._setup(follow(queries, self.template)), least=_least(queries))
        return system.method.elicit(self.engine.after(history), questions, setup)

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
            fitted=self.fitted,
        )

    def samples(self, question: Given, count: int) -> list[str]:
        """Answers drawn at the run's temperature, from the model that answers."""
        check_process(self._process)
        asked = as_question(question)
        sampling = dataclasses.replace(self._setup().sampling, greedy=False, samples=count)
        with self._own:
            (drawn,) = self.engine.generate([self.template.ask(asked)], keys=[asked.id], sampling=sampling)
        return [sample.text.strip() for sample in drawn.samples]


def _least(queries: Sequence[Query]) -> dict[str, float]:
    """The confidence from which each question is answered at all, by its id; of several the least."""
    limits: dict[str, list[float | None]] = {}
    for query in queries:
        limits.setdefault(query.question.id, []).append(query.least)
    return {
        name: min(known)
        for name, found in limits.items()
        if len(known := [limit for limit in found if limit is not None]) == len(found)
    }
