"""A store of finished work that survives `kill -9` at any instant and does not slow down as it grows.

Work is cut into units fixed by the list of questions. Each finished unit is one Parquet file, a shard,
written beside its place and renamed; so a unit is there whole or not at all. Resuming does the missing
units, loses nothing, repeats nothing, and gives the same bytes as an undisturbed run on the same machine
and thread count.

A shard's name says which of its writer's shards it is, ``SERIES-FIRST-LAST.parquet``, and its metadata
says what it depends on and which units its row groups hold. So opening a store reads the ends of its
files and no row. Whenever `MERGE` single units have come together, their writer puts them into one shard:
a row is written twice at most, and N units lie in N / `MERGE` files and a few. Several processes may
write at once, each to a series of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from demur.core.files import atomic_path, open_own
from demur.core.records import arrow_schema, to_table
from demur.core.stopping import finishing
from demur.core.stored import RowGroup, StoredRows, is_damage, open_parquet

if TYPE_CHECKING:
    import pyarrow as pa

R = TypeVar("R")
Item = TypeVar("Item")

MERGE = 64
"""Single units that are put into one shard."""
ABOUT = b"demur"
"""Where a shard's metadata says what it depends on, and its units."""

_NAME = re.compile(r"(\d{3})-(\d{9})-(\d{9})\.parquet")


class Shard(NamedTuple):
    """A file of a store: what a writer wrote from its FIRST unit to its LAST, in the order of writing."""

    path: Path
    series: int
    first: int
    last: int

    @classmethod
    def at(cls, folder: Path, series: int, first: int, last: int) -> Shard:
        """The shard that has this place among a writer's."""
        return cls(folder / f"{series:03d}-{first:09d}-{last:09d}.parquet", series, first, last)


def shards(folder: Path) -> list[Shard]:
    """The shards of a store, series by series in the order of writing, without those merged into others."""
    names = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    every = [Shard.at(folder, *map(int, name.groups())) for name in names if name]
    found: list[Shard] = []
    for shard in sorted(every, key=lambda shard: (shard.series, shard.first, -shard.last)):
        if not (found and shard.series == found[-1].series and shard.last <= found[-1].last):
            found.append(shard)
    return found


class UnitStore(Generic[R]):
    """Finished units of one job, in a folder of their own.

    Args:
        folder: where the units lie; made where it is missing.
        kind: the record type of the rows.
        key: what the rows depend on. Units made under another key are deleted, never mixed in.
        note: told of shards that cannot be read; their units are done again.
    """

    def __init__(
        self, folder: Path, kind: type[R], *, key: str, note: Callable[[str], None] | None = None
    ) -> None:
        self.folder, self.kind, self.key = folder, kind, key
        self._note = note or (lambda _: None)
        self._units: dict[int, RowGroup] = {}
        self._looked_at: set[Path] = set()
        self._series: _Series | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.refresh()

    def refresh(self) -> None:
        """Take in what other processes have stored meanwhile."""
        while not all(self._take_in(s) for s in shards(self.folder) if s.path not in self._looked_at):
            pass  # another process merged its units while they were looked at

    def run(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], Sequence[R]],
        *,
        unit: int,
        progress: Callable[[int], None] | None = None,
    ) -> StoredRows[R]:
        """All rows, in the order of ``items``, still on disk; only units not stored yet are worked on.

        A unit that turns out to be damaged when its rows are read is done again there and then.

        Args:
            work: makes one row per item of a unit, in order.
            unit: items per unit. The cut depends on nothing else.
            progress: called with the number of items found finished; ``work`` reports its own.
        """

        def mend(number: int) -> RowGroup:
            self._say_damaged(self._units[number].path)
            self.do(number, items, work, unit=unit)
            return self._units[number]

        self.fill(items, work, unit=unit, progress=progress)
        groups = [self._units[number] for number in range(-(-len(items) // unit))]
        return StoredRows(groups, self.kind, mend=mend)

    def fill(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], Sequence[R]],
        *,
        unit: int,
        progress: Callable[[int], None] | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """Do the units that are not stored yet; see `run`.

        Args:
            share: (i, n): of every n units the i-th, where n processes share the work.
        """
        numbers = range(share[0], -(-len(items) // unit), share[1])
        if progress:
            for rows in filter(None, (self.rows(n, len(items), unit=unit) for n in numbers)):
                progress(rows)
        # Merging may find a damaged unit that was passed already: hence another look.
        while missing := [n for n in numbers if not self.rows(n, len(items), unit=unit)]:
            for number in missing:
                self.do(number, items, work, unit=unit)

    def rows(self, number: int, size: int, *, unit: int) -> int:
        """How many rows of a unit are stored: all that it has, or 0.

        Args:
            size: of the whole list of items: its last unit, cut from fewer, is another unit.
        """
        found, wanted = self._units.get(number), min(unit, size - number * unit)
        return wanted if found is not None and found.rows == wanted else 0

    def clear(self) -> None:
        """Delete the units, once their rows stand elsewhere."""
        self._series = None
        self._units.clear()
        self._looked_at.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def do(
        self,
        number: int,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], Sequence[R]],
        *,
        unit: int,
    ) -> None:
        """Do one unit and store it."""
        part = items[number * unit : (number + 1) * unit]
        with finishing():
            rows = work(part)
            assert len(rows) == len(part), "a row for each item"
            series = self._own_series()
            shard = series.next()
            self._write(shard.path, [(number, to_table(rows, self.kind))])
            series.single.pop(number, None)  # a unit that is done again goes to the end
            series.single[number] = shard
            if len(series.single) >= MERGE:
                self._merge(series)

    def _merge(self, series: _Series) -> None:
        """Put a writer's single units into one shard; those that cannot be read are forgotten."""
        singles, series.single = series.single, {}
        every = list(singles.values())
        merged = Shard.at(self.folder, series.number, every[0].first, every[-1].last)
        for number in singles:
            del self._units[number]
        self._write(merged.path, self._readable(singles))
        for shard in every:
            shard.path.unlink(missing_ok=True)

    def _readable(self, singles: Mapping[int, Shard]) -> Iterator[tuple[int, pa.Table]]:
        for number, shard in singles.items():
            try:
                table = open_parquet(shard.path).read(use_threads=False)
            except Exception as error:
                if not is_damage(error):
                    raise
                self._say_damaged(shard.path)
            else:
                yield number, table

    def _write(self, path: Path, units: Iterable[tuple[int, pa.Table]]) -> None:
        """Write a shard of some units, a row group each, atomically."""
        import pyarrow.parquet as pq

        sizes: dict[int, int] = {}
        schema = arrow_schema(cast(Any, self.kind))
        with (
            atomic_path(path) as partial,
            pq.ParquetWriter(partial, schema, compression="zstd", write_page_checksum=True) as writer,
        ):
            for number, table in units:
                writer.write_table(table, row_group_size=len(table))
                sizes[number] = len(table)
            about = {"key": self.key, "units": list(sizes)}
            writer.add_key_value_metadata({ABOUT: json.dumps(about).encode()})
        for group, (number, rows) in enumerate(sizes.items()):
            self._units[number] = RowGroup(path, group, rows)
        self._looked_at.add(path)

    def _take_in(self, shard: Shard) -> bool:
        """Note which units a shard holds; one of another key, or damaged, goes. False where it is gone."""
        import pyarrow.parquet as pq

        try:
            found = pq.read_metadata(shard.path)
            about = json.loads(found.metadata[ABOUT])
        except FileNotFoundError:
            return False
        except Exception as error:
            if not (is_damage(error) or isinstance(error, (KeyError, TypeError, ValueError))):
                raise
            self._say_damaged(shard.path)
            about = {"key": None}
        if about["key"] != self.key:
            shard.path.unlink(missing_ok=True)
            return True
        for group, number in enumerate(about["units"]):  # a later shard has what was done again
            self._units[number] = RowGroup(shard.path, group, found.row_group(group).num_rows)
        self._looked_at.add(shard.path)
        return True

    def _own_series(self) -> _Series:
        """The series that this process writes to, with the single units that stand in it already."""
        if self._series is None:
            series = self._series = _Series(self.folder)
            left = [shard for shard in shards(self.folder) if shard.series == series.number]
            series.tidy(left)
            for shard in left:
                self._take_in(shard)  # what another process wrote meanwhile
            place = {shard.path: shard for shard in left if shard.first == shard.last}
            own = [(n, place[group.path]) for n, group in self._units.items() if group.path in place]
            series.single = dict(sorted(own, key=lambda item: item[1].first))
            series.last = max((shard.last for shard in left), default=-1)
        return self._series

    def _say_damaged(self, path: Path) -> None:
        self._note(f"{path.name} is damaged: its questions are asked again")


class _Series:
    """The shards of one writer; the first series that no living process writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.last = folder, -1
        self.single: dict[int, Shard] = {}
        """Units that lie in a shard of their own, in the order of writing."""
        for number in itertools.count():
            handle = open_own(folder / f"{number:03d}.lock", "a")
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.number, self._lock = number, handle  # free again when the process ends
                return
            handle.close()

    def next(self) -> Shard:
        """The next shard to write."""
        self.last += 1
        return Shard.at(self.folder, self.number, self.last, self.last)

    def tidy(self, shards: Sequence[Shard]) -> None:
        """Delete what a killed writer left: half a file, or units that were merged already."""
        kept = {shard.path for shard in shards}
        for path in self.folder.glob(f"{self.number:03d}-*"):
            if path not in kept:
                path.unlink()
