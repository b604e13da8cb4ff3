"""Requests that wait: a queue for each owner, from which they are taken in turns."""

from __future__ import annotations

import functools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

Q = TypeVar("Q")
R = TypeVar("R")


class BusyError(RuntimeError):
    """More requests are waiting than are let in."""


@dataclass(slots=True, eq=False, kw_only=True, weakref_slot=True)
class Entry(Generic[Q, R]):
    """A request in line."""

    request: Q
    future: Future[R]
    work: Callable[[Sequence[Q]], Sequence[R | Exception]]
    """What works on it; held here, so that it lives as long as somebody waits for it."""
    owner: object = None


class Line(Generic[Q, R]):
    """What waits, in any thread.

    An owner with nothing in line gets any free place. More than one place goes to an owner only as long as
    as many are then left for others, or into an empty line: a single owner cannot fill it.

    Args:
        waiting: places.
    """

    def __init__(self, waiting: int) -> None:
        self.waiting, self.length = waiting, 0
        self._queues: OrderedDict[object, dict[Entry[Q, R], None]] = OrderedDict()
        self._changed, self._closed = threading.Condition(), False

    def add(self, entries: Sequence[Entry[Q, R]], owner: object = None) -> None:
        """Put requests of one owner in line, all or none; who is cancelled leaves it.

        Raises:
            BusyError: there is no room.
            RuntimeError: the line is closed.
        """
        if not entries:
            return
        owner = object() if owner is None else owner
        with self._changed:
            if self._closed:
                raise RuntimeError("no further requests are taken")
            if not self._has_room(len(entries), owner):
                raise BusyError
            queue = self._queues.setdefault(owner, {})
            for entry in entries:
                entry.owner = owner
                queue[entry] = None
            self.length += len(entries)
            self._changed.notify(len(entries))
        for entry in entries:
            # A strong reference would make a cycle, and keep the model until the garbage is collected
            entry.future.add_done_callback(functools.partial(self._leave, weakref.ref(entry)))

    def _has_room(self, count: int, owner: object) -> bool:
        left = self.waiting - self.length - count
        held = len(self._queues.get(owner, ())) + count
        return left >= 0 and (held == 1 or self.length == 0 or held <= left)

    def _leave(self, place: weakref.ref[Entry[Q, R]], _: Future[R]) -> None:
        """Take one out that was cancelled; nothing where it has left already."""
        entry = place()
        if entry is None:
            return
        with self._changed:
            queue = self._queues.get(entry.owner)
            if queue is not None and entry in queue:
                self._remove(entry, queue)

    def _remove(self, entry: Entry[Q, R], queue: dict[Entry[Q, R], None]) -> None:
        del queue[entry]
        self.length -= 1
        if not queue:
            del self._queues[entry.owner]

    def take(self, most: int) -> list[Entry[Q, R]] | None:
        """Up to so many requests, one of each owner in turn, waited for; None when closed and empty."""
        with self._changed:
            while not self._queues:
                if self._closed:
                    return None
                self._changed.wait()
            taken: list[Entry[Q, R]] = []
            while self._queues and len(taken) < most:
                owner, queue = next(iter(self._queues.items()))
                entry = next(iter(queue))
                self._queues.move_to_end(owner)
                self._remove(entry, queue)
                taken.append(entry)
            return taken

    def close(self) -> None:
        """Take nothing more; what is in line can still be taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
