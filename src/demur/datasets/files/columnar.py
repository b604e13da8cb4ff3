"""Rows of Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from demur.core.errors import DataError
from demur.datasets.files.content import Content

_BATCH = 10_000
"""Rows that are turned into objects at a time."""


def rows_of(content: Content, kind: str) -> Iterator[tuple[int, Any]]:
    """The rows of a file, each with its number from 1.

    Args:
        kind: ``Parquet`` or ``Arrow`` (a file or a stream, as `datasets.save_to_disk` writes it).

    Raises:
        DataError: the file is cut off or damaged.
    """
    import pyarrow as pa

    number = 0
    try:
        with content.open() as handle:
            for batch in _parquet(handle) if kind == "Parquet" else _arrow(handle):
                batch.validate(full=True)  # a damaged Arrow file may point out of its buffers
                for start in range(0, batch.num_rows, _BATCH):
                    for row in batch.slice(start, _BATCH).to_pylist():
                        number += 1
                        yield number, row
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
        raise DataError(
            expected=f"a whole {kind} file",
            found=f"after {number:,} rows: {' '.join(str(error).split())[:200]}",
            where=str(content.path),
            fix="the file is cut off or damaged: copy or export it again",
        ) from error


def _parquet(handle: IO[bytes]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(handle) as file:
        yield from file.iter_batches(batch_size=_BATCH)


def _arrow(handle: IO[bytes]) -> Iterator[Any]:
    from pyarrow import ipc

    if handle.read(6) == b"ARROW1":
        with ipc.open_file(handle) as file:
            yield from (file.get_batch(number) for number in range(file.num_record_batches))
        return
    handle.seek(0)
    with ipc.open_stream(handle) as stream:
        yield from stream
