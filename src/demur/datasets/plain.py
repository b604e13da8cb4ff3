"""The fast way through a large file of plain JSON lines: Arrow reads it, block by block.

It takes a file only where nothing in it needs a second look; then it gives what `RowReader` would give,
several times sooner. At the first thing out of the ordinary it gives up, and the file is read row by row,
which finds every problem and names its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from demur.core.questions import QuestionTable, constant
from demur.core.records import question_id
from demur.datasets.rows import DATASET, Origin, RowReader

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 4 << 20
"""Bytes that are read at a time; a line that is longer is not plain."""
SMALL = 1 << 20
"""Smaller files are read row by row: there is nothing to be won."""

_PLAIN = {"question", "answers", "id", "context", "group"}
_BOM = b"\xef\xbb\xbf"


class _Unusual(Exception):  # noqa: N818  # never leaves this module
    """Something that must be looked at row by row."""


def read_plain(path: Path, reader: RowReader) -> QuestionTable | None:
    """The questions that the reader would give of a file in UTF-8; None where they are not plain.

    Args:
        path: the file.
        reader: opened, so that it says which field holds what.
    """
    import pyarrow as pa

    plain = reader.origin.kind == "JSON lines" and not reader.layouts and reader.fields.keys() <= _PLAIN
    if not plain or path.stat().st_size < SMALL:
        return None
    try:
        table = QuestionTable.of_columns(_chunks(path, reader))
        _check_ids(table, reader.fields)
    except (_Unusual, pa.ArrowException, UnicodeError):
        return None
    return table


def _chunks(path: Path, reader: RowReader) -> Iterator[dict[str, Any]]:
    """The columns of each block."""
    fields = reader.fields
    types: pa.Schema | None = None
    for block in _blocks(path):
        table = _parsed(block, types)
        if table.num_rows != block.count(b"\n") or not reader.names.issuperset(table.column_names):
            raise _Unusual
        table = table.select(list(fields.values()))
        types = types or table.schema
        yield _columns(table, fields, reader.origin)


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, a block of them at a time."""
    with path.open("rb") as file:
        rest = file.read(len(_BOM)).removeprefix(_BOM)
        while content := file.read(BLOCK):
            lines, end, rest = (rest + content).rpartition(b"\n")
            if not end:
                raise _Unusual
            yield lines + end
        if rest.strip():
            yield rest + b"\n"


def _parsed(block: bytes, types: pa.Schema | None) -> pa.Table:
    """The records of a block; what is a text in the first block must be one in all."""
    import pyarrow as pa
    import pyarrow.json as pj

    reading = pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
    parsing, pool = pj.ParseOptions(explicit_schema=types), pa.system_memory_pool()
    return pj.read_json(pa.BufferReader(block), reading, parsing, memory_pool=pool)


def _columns(table: pa.Table, fields: Mapping[str, str], origin: Origin) -> dict[str, Any]:
    """The columns of a `Question`, checked and cleaned as `RowReader` does it."""
    texts = _texts(table, fields["question"])
    contexts = _passages(table, fields["context"]) if "context" in fields else [None] * len(texts)
    asked = zip(texts, contexts, strict=True)
    return {
        "id": _labels(table, fields["id"])
        if "id" in fields
        else [question_id(text, context=context) for text, context in asked],
        "text": texts,
        "answers": _answers(table, fields["answers"]),
        "task": ["open" if context is None else "contextual" for context in contexts]
        if "context" in fields
        else None,
        "context": contexts,
        "dataset": constant(DATASET, len(texts)),
        "split": constant(origin.split or "train", len(texts)),
        "domain": constant(origin.domain, len(texts)),
        "group": _labels(table, fields["group"]) if "group" in fields else None,
    }


def _column(table: pa.Table, name: str, *, whole_numbers: bool = False) -> list[Any]:
    """The values of a field that every row must have, and have as text."""
    import pyarrow as pa

    column = table.column(name)
    kind = column.type
    if column.null_count or not (pa.types.is_string(kind) or (whole_numbers and pa.types.is_int64(kind))):
        raise _Unusual
    column.validate(full=True)  # bytes that are no text are found here
    return list(column.to_pylist())


def _texts(table: pa.Table, name: str) -> list[str]:
    texts = [value.strip() for value in _column(table, name)]
    if not all(texts):
        raise _Unusual
    return texts


def _labels(table: pa.Table, name: str) -> list[str]:
    labels = [str(value).strip() for value in _column(table, name, whole_numbers=True)]
    if not all(labels):
        raise _Unusual
    return labels


def _passages(table: pa.Table, name: str) -> list[str | None]:
    return [value if value.strip() else None for value in _column(table, name)]


def _answers(table: pa.Table, name: str) -> list[list[str]]:
    import pyarrow as pa

    column = table.column(name)
    if not pa.types.is_list(column.type):
        return [[text] for text in _texts(table, name)]
    if column.null_count or not pa.types.is_string(column.type.value_type):
        raise _Unusual
    column.validate(full=True)
    return [_listed(values) for values in column.to_pylist()]


def _listed(values: list[str | None]) -> list[str]:
    """The answers of one row, without empty ones and repeats."""
    if None in values:
        raise _Unusual
    answers = list(dict.fromkeys(text for value in values if value and (text := value.strip())))
    if not answers:
        raise _Unusual
    return answers


def _check_ids(table: QuestionTable, fields: Mapping[str, str]) -> None:
    if "id" in fields:
        ids = np.fromiter((hash(name) for (name,) in table.values("id")), np.int64, len(table))
        if len(np.unique(ids)) < len(ids):
            raise _Unusual
