"""Records that stay on disk: a sequence of them that is read a row group at a time."""

from __future__ import annotations

import bisect
import errno
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from demur.core.columns import missing_values, wrong_columns
from demur.core.errors import RunFolderError
from demur.core.records import from_table

if TYPE_CHECKING:
    import pyarrow as pa

R = TypeVar("R")

OPEN_FILES = 16
"""Files that are kept open: as many as are read in turns."""


class RowGroup(NamedTuple):
    """Where some records lie."""

    path: Path
    number: int
    """Its place among the row groups of the file."""
    rows: int


class StoredRows(Sequence[R], Generic[R]):
    """Records of one kind on disk, in order: iterating holds one row group in memory, a slice its own.

    Args:
        groups: where they lie, in order.
        kind: their type.
        mend: makes a row group anew that cannot be read, and says where it lies then.

    Reading raises:
        RunFolderError: a row group cannot be read, and there is nobody to mend it.
    """

    def __init__(
        self, groups: Sequence[RowGroup], kind: type[R], *, mend: Callable[[int], RowGroup] | None = None
    ) -> None:
        self._groups, self._kind, self._mend = list(groups), kind, mend
        self._ends = list(itertools.accumulate(group.rows for group in self._groups))
        self._file = lru_cache(OPEN_FILES)(open_parquet)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process: where the records lie, without open files, and without `mend`."""
        return StoredRows, (self._groups, self._kind)

    @classmethod
    def of(cls, path: Path, kind: type[R]) -> StoredRows[R]:
        """The records of a Parquet file.

        Raises:
            RunFolderError: it is none, damaged, or has other columns than the kind.
        """
        return cls(row_groups(path, kind), kind)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[R]:
        for number in range(len(self._groups)):
            yield from self._read(number)

    @overload
    def __getitem__(self, place: int) -> R: ...

    @overload
    def __getitem__(self, place: slice) -> list[R]: ...

    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return (
                self._between(start, stop) if step == 1 else [self[at] for at in range(start, stop, step)]
            )
        at = range(len(self))[place]
        return self._between(at, at + 1)[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none

    def _between(self, start: int, stop: int) -> list[R]:
        found: list[R] = []
        number = bisect.bisect_right(self._ends, start)
        while start < stop:
            begin = self._ends[number] - self._groups[number].rows
            part = min(stop, self._ends[number])
            found += self._read(number, start - begin, part - begin)
            start, number = part, number + 1
        return found

    def _read(self, number: int, start: int = 0, stop: int | None = None) -> list[R]:
        """Records of one row group, or of a part of it."""
        group = self._groups[number]
        try:
            table = self._table(group)
        except Exception as error:
            if not is_damage(error):
                raise
            if self._mend is None:
                raise _unreadable(group.path, error) from error
            self._groups[number] = group = self._mend(number)
            table = self._table(group)
        part = table.slice(start, None if stop is None else stop - start)
        return checked(part, self._kind, group.path)

    def _table(self, group: RowGroup) -> pa.Table:
        return self._file(group.path).read_row_group(group.number, use_threads=False)


def checked(table: pa.Table, kind: type[R], path: Path) -> list[R]:
    """The records of a table that was read from a file.

    Raises:
        RunFolderError: a value is missing, or is none that its column may have.
    """
    if missing := missing_values(table, kind):
        raise _unfit(path, f"rows without a value in {', '.join(missing)}")
    try:
        return from_table(table, kind)
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
    ) as error:  # a verdict or JSON text that is none
        raise _unfit(path, f"a row that cannot be read: {' '.join(str(error).split())[:200]}") from error


def row_groups(path: Path, kind: type[Any] | None = None) -> list[RowGroup]:
    """The row groups of a Parquet file.

    Args:
        kind: the records that it must have the columns of; None: any columns.

    Raises:
        RunFolderError: it is none, damaged, or has other columns.
    """
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(path)
    except Exception as error:
        if not is_damage(error):
            raise
        raise _unreadable(path, error) from error
    if kind is not None and (wrong := wrong_columns(_columns(path, about), kind)):
        raise _unfit(path, "; ".join(wrong))
    return [
        RowGroup(path, number, about.row_group(number).num_rows) for number in range(about.num_row_groups)
    ]


def open_parquet(path: Path) -> Any:
    """A Parquet file whose checksums are looked at, where it has any."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, page_checksum_verification=True)


def is_damage(error: Exception) -> bool:
    """Whether reading failed for what stands in the file, or because it is gone; not for lack of memory."""
    import pyarrow as pa

    if isinstance(error, OSError):  # Arrow says no number where the content is at fault
        return error.errno in (None, errno.EIO, errno.ENOENT)
    return isinstance(error, pa.ArrowException) and not isinstance(error, MemoryError)


def _columns(path: Path, about: Any) -> pa.Schema:
    try:
        return about.schema.to_arrow_schema()
    except Exception as error:
        if not is_damage(error):
            raise
        raise _unreadable(path, error) from error


def _unfit(path: Path, found: str) -> RunFolderError:
    return RunFolderError(
        expected="a Parquet file with the columns that Demur writes",
        found=found,
        where=str(path),
        fix="take the file from a copy of the run, or delete it and run the same command again",
    )


def _unreadable(path: Path, error: Exception) -> RunFolderError:
    return RunFolderError(
        expected="a Parquet file as Demur wrote it",
        found=" ".join(str(error).split())[:200],
        where=str(path),
        fix="delete this file and run the same command again: it is made anew",
    )
