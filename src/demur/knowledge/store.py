"""A store of finished work that survives `kill -9` at any instant.

Work is cut into units fixed by the list of questions. Each finished unit is one Parquet file, written
beside its place and renamed; so a unit is there whole or not at all. Resuming does the missing units,
loses nothing, repeats nothing, and gives the same bytes as an undisturbed run on the same machine and
thread count.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from demur.files import write_text
from demur.records import read_parquet, write_parquet

R = TypeVar("R")
Item = TypeVar("Item")


class UnitStore(Generic[R]):
    """Finished units of one job, in a folder of their own.

    Args:
        folder: where the units lie; made where it is missing.
        kind: the record type of the rows.
        key: what the rows depend on. Units made under another key are deleted, never mixed in.
    """

    def __init__(self, folder: Path, kind: type[R], *, key: str) -> None:
        self.folder, self.kind = folder, kind
        if _read_key(folder) != key:
            shutil.rmtree(folder, ignore_errors=True)
            write_text(folder / "key", key)

    def run(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], Sequence[R]],
        *,
        unit: int,
        progress: Callable[[int], None] | None = None,
    ) -> list[R]:
        """All rows, in the order of ``items``; only units not stored yet are worked on.

        Args:
            work: makes one row per item of a unit, in order.
            unit: items per unit. The cut depends on nothing else.
            progress: called with the number of items found finished; ``work`` reports its own.
        """
        rows: list[R] = []
        for number, start in enumerate(range(0, len(items), unit)):
            path = self.folder / f"unit-{number:06d}.parquet"
            part = items[start : start + unit]
            if path.exists():
                if progress:
                    progress(len(part))
            else:
                write_parquet(path, work(part), self.kind)
            rows += read_parquet(path, self.kind)
        return rows

    def clear(self) -> None:
        """Delete the units, once their rows stand elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_key(folder: Path) -> str | None:
    try:
        return (folder / "key").read_text(encoding="utf-8")
    except OSError:
        return None
