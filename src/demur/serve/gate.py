"""A gate in front of the model: who is let in, who is still inside, and when those must leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from typing import Any, Literal, TypeVar

from demur.serve.problems import Problem, busy

T = TypeVar("T")

WHY = {"loading": "the model is being loaded", "draining": "the server is stopping"}


class Gate:
    """Whether requests are let in, and how many that were let in are not answered yet.

    A request is let in when all of it has come. What is refused, still coming, or only a file is never
    counted: the server does not wait for it when it stops.
    """

    def __init__(self, phase: Literal["loading", "open", "draining"] = "open") -> None:
        self.phase = phase
        self.inside = 0
        self.late = 0
        """Requests that were still inside when time was up."""
        self.over = False
        """Whether the time of those inside is up."""
        self._ends: set[asyncio.Future[None]] = set()

    def closed(self) -> Problem | None:
        """Why nobody is let in now; None where they are."""
        return None if self.phase == "open" else busy(WHY[self.phase], status=503, code=self.phase)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Somebody is inside while this lasts."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def expire(self) -> None:
        """Time is up: who is still inside hears so."""
        self.over, self.late = True, self.inside
        for end in self._ends:
            if not end.done():
                end.set_result(None)

    async def first_of(self, *works: Awaitable[T]) -> T:
        """The result of the work that is done first; the others are given up.

        Raises:
            Problem: time is up.
            Exception: as the work that was done first.
        """
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ends.add(end)
        if self.over:
            end.set_result(None)
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            waited: list[asyncio.Future[Any]] = [*tasks, end]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    return task.result()
            raise busy(WHY["draining"], status=503, code="draining")
        finally:
            self._ends.discard(end)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
