"""Asking an engine many questions, unit by unit: here, or by workers that the engine has elsewhere.

Workers elsewhere write what they finish to the same store, each to a series of its own, so nothing but
numbers passes through the process that gives out the work, and nobody's end loses what is stored.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from demur.core.errors import DemurError, RunFolderError
from demur.core.files import open_own
from demur.core.stopping import finishing
from demur.core.stored import StoredRows
from demur.core.units import UnitStore
from demur.engines import Engine, Progress, Spreads

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

SHARED = "shared.lock"
"""Held by who gives out the work: workers must find it, and find it locked."""
STOP = "stop"
"""While this file is there, no worker begins another unit."""


class Work(Protocol[R_co]):
    """What is done with a unit of items. It can be sent to another process."""

    def __call__(
        self, engine: Engine, part: Sequence[Any], *, progress: Progress | None = None
    ) -> Sequence[R_co]:
        """Make one row per item, in order."""
        ...


def ask_in_units(
    engine: Engine,
    items: Sequence[Any],
    work: Work[R],
    *,
    store: UnitStore[R],
    unit: int,
    progress: Progress | None = None,
    on_first: Callable[[Sequence[R]], None] | None = None,
) -> StoredRows[R]:
    """A row for each item, in order and still on disk; what the store already holds is not asked again.

    Args:
        items: where the engine has workers elsewhere, something that can be sent to them: best rows that
            lie in a file, since a sequence in memory is sent whole.
        unit: items per unit.
        on_first: called once with the rows of the first unit, when it is stored or was found stored, and
            here before more is asked. A `DemurError` that it raises ends the work; what is stored is kept,
            and workers elsewhere finish the units in hand.
    """
    if isinstance(engine, Spreads):

        def again(part: Sequence[Any]) -> Sequence[R]:
            return work(engine, part)

        def show() -> None:
            if on_first is not None:
                on_first(store.run(items[:unit], again, unit=unit))

        task = _UnitTask(store.folder.resolve(), store.kind, store.key, items, work, unit)
        _ask_elsewhere(engine, task, store, progress=progress, show=show)
        return store.run(items, again, unit=unit)

    def here(part: Sequence[Any]) -> Sequence[R]:
        return work(engine, part, progress=progress)

    if on_first is not None and len(items):
        first = store.run(items[:unit], here, unit=unit, progress=progress)
        on_first(first)
        return store.run(items, here, unit=unit, progress=_beyond(len(first), progress))
    return store.run(items, here, unit=unit, progress=progress)


def _beyond(known: int, progress: Progress | None) -> Progress | None:
    """The same progress for who has been told of the first ``known`` items already."""
    if progress is None:
        return None

    def more(count: int) -> None:
        nonlocal known
        again = min(known, count)
        known -= again
        progress(count - again)

    return more


def _ask_elsewhere(
    engine: Spreads,
    task: _UnitTask[R],
    store: UnitStore[R],
    *,
    progress: Progress | None,
    show: Callable[[], None],
) -> None:
    """Have an engine's workers do the missing units; asked to stop, they finish those in hand.

    Args:
        show: called once the first unit is stored. Where it raises a `DemurError`, that is to stop, too.
    """
    size, unit = len(task.items), task.unit
    found = {n: store.rows(n, size, unit=unit) for n in range(-(-size // unit))}
    missing = [number for number, rows in found.items() if not rows]
    if progress is not None:
        progress(sum(found.values()))
    if size and 0 not in missing:
        show()
    if not missing:
        return
    stop = store.folder / STOP
    stop.unlink(missing_ok=True)
    refused: DemurError | None = None
    with open_own(store.folder / SHARED, "a") as lock, finishing(stop.touch):
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number, rows in engine.spread(task, missing):
            if progress is not None:
                progress(rows)
            if number == 0 and rows:
                store.refresh()
                try:
                    show()
                except DemurError as error:
                    refused = error
                    stop.touch()  # those in hand are finished, as for a signal
    store.refresh()
    if refused is not None:
        raise refused


@dataclass(frozen=True)
class _UnitTask(Generic[R]):
    """Units of a store, as a worker elsewhere does them with an engine of its own."""

    folder: Path
    kind: type[R]
    key: str
    items: Sequence[Any]
    work: Work[R]
    unit: int

    def __call__(self, engine: Engine, number: int) -> int:
        """Do a unit unless another worker has; returns how many rows of it are stored then."""
        store = self._store
        if (self.folder / STOP).exists():
            return 0
        store.refresh()
        if not store.rows(number, len(self.items), unit=self.unit):
            store.do(number, self.items, lambda part: self.work(engine, part), unit=self.unit)
        return store.rows(number, len(self.items), unit=self.unit)

    @cached_property
    def _store(self) -> UnitStore[R]:
        """The store as this worker writes to it.

        Raises:
            RunFolderError: it is not the store of who gave out the work, or locks do not reach so far.
        """
        require_shared(self.folder / SHARED)
        return UnitStore(self.folder, self.kind, key=self.key)


def require_shared(path: Path) -> None:
    """Raise unless another process's lock on a file is seen from here."""
    held = False
    with contextlib.suppress(FileNotFoundError), path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = True
    if not held:
        raise RunFolderError(
            expected="a run folder on a file system that all machines share, with locks that hold on all "
            "of them (NFS from version 4, Lustre with -o flock, …)",
            found="no lock of the run's there, as seen by a worker" if path.exists() else "no such folder",
            where=str(path.parent),
            fix="put the run folder (--out) on such a file system, under the same path on every machine",
        )
