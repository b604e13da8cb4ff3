"""Requests that come at the same time are worked on together.

One thread works, or several where their work is waiting for others. Meanwhile requests gather; what has
gathered by the time one is free is its next batch. So a single request never waits for others, and under
load batches fill by themselves. Batches are filled in turns, one request of each owner (`demur.ask.line`).
"""

from __future__ import annotations

import inspect
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from demur.ask.line import BusyError, Entry, Line
from demur.core.errors import DemurError, ResourceError

__all__ = ["Batcher", "BusyError", "check_process"]

Q = TypeVar("Q")
R = TypeVar("R")
Work = Callable[[Sequence[Q]], Sequence[R | Exception]]


class Batcher(Generic[Q, R]):
    """A line of requests and the threads that work on them.

    The threads do not keep the object of a bound method alive; requests in line do.

    Args:
        work: the results of a batch, in its order; an exception among them is raised for its request alone.
        most: requests of one batch.
        waiting: requests that may wait; further ones are turned away.
        workers: threads, each with a batch of its own.
        alone: whether a request is worked on by itself, after the others of its batch.
    """

    def __init__(
        self,
        work: Work[Q, R],
        *,
        most: int,
        waiting: int,
        workers: int = 1,
        alone: Callable[[Q], bool] = lambda _: False,
    ) -> None:
        method = weakref.WeakMethod(work) if inspect.ismethod(work) else None
        self._work: Callable[[], Work[Q, R] | None] = method or (lambda: work)
        self.most, self.workers, self.alone = most, workers, alone
        self._line: Line[Q, R] = Line(waiting)
        self._threads: list[threading.Thread] = []
        self._lock, self._process = threading.Lock(), os.getpid()
        weakref.finalize(self, self._line.close)

    def submit(self, request: Q, *, owner: object = None) -> Future[R]:
        """Put a request in line, see `submit_all`."""
        return self.submit_all([request], owner=owner)[0]

    def submit_all(self, requests: Sequence[Q], *, owner: object = None) -> list[Future[R]]:
        """Put requests in line, all of them or none. A future that is cancelled leaves the line.

        Args:
            owner: who asks; owners take turns. None: somebody who asks only this.

        Raises:
            BusyError: there is no room for all of them.
            ResourceError: in a process that was forked from the one that made this.
            RuntimeError: it is closed.
        """
        check_process(self._process)
        work = self._work()
        assert work is not None, "who submits holds the object that works"
        entries = [Entry(request=request, future=Future[R](), work=work) for request in requests]
        self._line.add(entries, owner)
        with self._lock:
            for _ in range(min(len(entries), self.workers - len(self._threads))):
                run = (self._line, self.most, self.alone)
                thread = threading.Thread(target=_run, args=run, name="demur-answers", daemon=True)
                self._threads.append(thread)
                thread.start()
        return [entry.future for entry in entries]

    @property
    def length(self) -> int:
        """Requests in line now, without those that were cancelled."""
        return self._line.length

    def close(self, wait_seconds: float | None = None) -> bool:
        """Take nothing more, and wait until what is in line is done.

        Args:
            wait_seconds: wait no longer than that; None for no limit.

        Returns:
            Whether all of it was done.
        """
        self._line.close()
        end = None if wait_seconds is None else time.monotonic() + wait_seconds
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)


def check_process(opened_in: int) -> None:
    """Refuse to work in another process than the one that opened a model: a fork has none of its threads.

    Raises:
        ResourceError: it is another one.
    """
    if os.getpid() != opened_in:
        raise ResourceError(
            expected="an answerer that was opened in this process",
            found=f"one of process {opened_in}, whose threads and locks are not in a fork of it",
            fix="call demur.load in the process that asks, or start processes with the method 'spawn'",
        )


def _run(line: Line[Q, R], most: int, alone: Callable[[Q], bool]) -> None:
    """Work on batches until the line is closed and empty."""
    while (batch := line.take(most)) is not None:
        begun = [entry for entry in batch if entry.future.set_running_or_notify_cancel()]
        together = [entry for entry in begun if not alone(entry.request)]
        single = [[entry] for entry in begun if alone(entry.request)]
        for part in [together, *single] if together else single:
            _carry_out(part)
        del batch, begun, together, single
        part = []  # nothing of a batch is kept while the next one is waited for


def _carry_out(batch: list[Entry[Q, R]]) -> None:
    """Work on a batch; where one request spoils it, the others are done without it."""
    try:
        results = batch[0].work([entry.request for entry in batch])
    except DemurError as error:
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        middle = len(batch) // 2
        _carry_out(batch[:middle])
        _carry_out(batch[middle:])
    except BaseException as error:  # everybody who waits must hear of it
        for entry in batch:
            entry.future.set_exception(error)
    else:
        for entry, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                entry.future.set_exception(result)
            else:
                entry.future.set_result(result)
