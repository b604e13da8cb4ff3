"""Asking an engine many questions, unit by unit: here, or by workers that the engine has elsewhere.

Workers elsewhere write what they finish to the same store, each to a series of its own, so nothing but
numbers passes through the process that gives out the work, and nobody's end loses what is stored.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from demur.engines import Engine, Progress, Spreads
from demur.errors import RunFolderError
from demur.files import open_own
from demur.knowledge.store import UnitStore
from demur.stopping import finishing
from demur.stored import StoredRows

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
) -> StoredRows[R]:
    """A row for each item, in order and still on disk; what the store already holds is not asked again.

    Args:
        items: where the engine has workers elsewhere, something that can be sent to them: best rows that
            lie in a file, since a sequence in memory is sent whole.
        unit: items per unit.
    """
    if isinstance(engine, Spreads):
        _ask_elsewhere(engine, items, work, store=store, unit=unit, progress=progress)
        return store.run(items, lambda part: work(engine, part), unit=unit)
    return store.run(
        items, lambda part: work(engine, part, progress=progress), unit=unit, progress=progress
    )


def _ask_elsewhere(
    engine: Spreads,
    items: Sequence[Any],
    work: Work[R],
    *,
    store: UnitStore[R],
    unit: int,
    progress: Progress | None,
) -> None:
    """Have an engine's workers do the missing units; asked to stop, they finish those in hand."""
    found = {n: store.rows(n, len(items), unit=unit) for n in range(-(-len(items) // unit))}
    missing = [number for number, rows in found.items() if not rows]
    if progress is not None:
        progress(sum(found.values()))
    if not missing:
        return
    task = _UnitTask(store.folder.resolve(), store.kind, store.key, items, work, unit)
    stop = store.folder / STOP
    stop.unlink(missing_ok=True)
    with open_own(store.folder / SHARED, "a") as lock, finishing(stop.touch):
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _, rows in engine.spread(task, missing):
            if progress is not None:
                progress(rows)
    store.refresh()


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
