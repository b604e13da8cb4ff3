"""Requests that come at the same time are worked on together.

One thread works, or several where their work is waiting for others. Meanwhile requests gather; what has
gathered by the time one is free is its next batch. So a single request never waits for others, and under
load batches fill by themselves.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from demur.core.errors import DemurError

Q = TypeVar("Q")
R = TypeVar("R")


class BusyError(RuntimeError):
    """More requests are waiting than are let in."""


class Batcher(Generic[Q, R]):
    """A queue of requests and the threads that work on them.

    Args:
        work: the results of a batch, in its order.
        most: requests of one batch.
        waiting: requests that may wait; further ones are turned away.
        workers: threads, each with a batch of its own.
    """

    def __init__(
        self, work: Callable[[Sequence[Q]], Sequence[R]], *, most: int, waiting: int, workers: int = 1
    ) -> None:
        self.work, self.most, self.waiting, self.workers = work, most, waiting, workers
        self._queue: queue.SimpleQueue[tuple[Q, Future[R]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, request: Q) -> Future[R]:
        """Put a request in line. A future that is cancelled before its turn costs nothing.

        Raises:
            BusyError: the line is full.
            RuntimeError: it is closed.
        """
        future: Future[R] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no further requests are taken")
            if self._queue.qsize() >= self.waiting:
                raise BusyError
            self._queue.put((request, future))
            if len(self._threads) < self.workers:
                thread = threading.Thread(target=self._run, name="demur-answers", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    @property
    def length(self) -> int:
        """Requests in line now."""
        return self._queue.qsize()

    def close(self) -> None:
        """Take nothing more, and wait until what is in line is done."""
        with self._lock:
            self._closed = True
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (batch := self._gathered()) is not None:
            begun = [item for item in batch if item[1].set_running_or_notify_cancel()]
            if begun:
                self._carry_out(begun)

    def _gathered(self) -> list[tuple[Q, Future[R]]] | None:
        """The first request in line, waited for, and those behind it; None when closed and empty."""
        item = self._queue.get()
        if item is None:
            self._queue.put(None)  # for the other threads
            return None
        batch = [item]
        while len(batch) < self.most:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._queue.put(None)  # for the next look
                break
            batch.append(item)
        return batch

    def _carry_out(self, batch: list[tuple[Q, Future[R]]]) -> None:
        """Work on a batch; where one request spoils it, the others are done without it."""
        try:
            results = self.work([request for request, _ in batch])
        except DemurError as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            middle = len(batch) // 2
            self._carry_out(batch[:middle])
            self._carry_out(batch[middle:])
        except BaseException as error:  # whoever waits must hear of it
            for _, future in batch:
                future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
