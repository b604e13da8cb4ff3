"""Many questions, held in Arrow columns: a Python object stands for one only while it is looked at.

Two million short questions take about 250 MB so; as objects they would take ten times that.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from demur.core.files import atomic_path
from demur.core.records import TOGETHER, Question, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 8192
"""Questions that are turned into columns, or out of them, at a time."""
REPEATING = {
    **dict.fromkeys(("task", "form", "preface", "dataset", "domain"), "int16"),
    "split": "int32",  # it may come from a field of the user's
}
"""Columns with few different values, held as small numbers that point to them."""

Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


def shared_by(question: Question) -> str | None:
    """What a question shares its errors with: its entity or document (`TOGETHER`), else its group.

    Returns:
        A text that is equal for questions of one dataset that share it; None for a question by itself.
    """
    shared = question.meta.get(TOGETHER) or question.group
    return f"{question.dataset}/{shared}" if shared else None


class QuestionTable(Sequence[Question]):
    """Questions in columns, in order. It never changes: what changes a column gives another table.

    Iterating gives `Question` objects, as does a place; a slice gives a list of them.
    """

    def __init__(self, table: pa.Table) -> None:
        """Take a table whose columns are the fields of a `Question`."""
        self.arrow = table

    @classmethod
    def of(cls, questions: Iterable[Question]) -> QuestionTable:
        """A table of any questions, read once; a table is returned as it is."""
        if isinstance(questions, QuestionTable):
            return questions
        rows = iter(questions)
        chunks = iter(lambda: list(itertools.islice(rows, CHUNK)), [])
        return cls.of_columns(
            {name: [getattr(question, name) for question in chunk] for name in _fields()}
            for chunk in chunks
        )

    @classmethod
    def of_columns(cls, chunks: Iterable[Mapping[str, Any]]) -> QuestionTable:
        """A table of chunks of rows: each a mapping from fields to a list or an Arrow array of values.

        A field that is left out, or None, has the default of a `Question` in every row of the chunk.
        """
        import pyarrow as pa

        schema = _schema()
        batches = (_batch(chunk, schema) for chunk in chunks)
        return cls(pa.Table.from_batches(batches, schema=schema).unify_dictionaries())

    @classmethod
    def join(cls, tables: Sequence[QuestionTable]) -> QuestionTable:
        """The questions of several tables, one after the other."""
        import pyarrow as pa

        joined = [table.arrow for table in tables] or [_schema().empty_table()]
        return cls(pa.concat_tables(joined).unify_dictionaries())

    @classmethod
    def read(cls, path: Path) -> QuestionTable:
        """The questions of a Parquet file with the columns of a `Question`."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return cls.of_columns(
                dict(zip(batch.schema.names, batch.columns, strict=True))
                for batch in file.iter_batches(batch_size=CHUNK)
            )

    def write(self, path: Path) -> None:
        """Write the questions as a Parquet file, atomically, as `demur.core.records.write_parquet` does."""
        import pyarrow.parquet as pq

        schema = arrow_schema(Question)
        with (
            atomic_path(path) as partial,
            pq.ParquetWriter(partial, schema, compression="zstd", write_page_checksum=True) as writer,
        ):
            for batch in self._batches():
                writer.write_table(batch.cast(schema))

    def digest(self) -> str:
        """A short hash of the content, 16 hex digits; how it is cut into chunks does not count."""
        found = hashlib.sha256()
        for chunk in self._chunks():
            found.update(json.dumps(chunk, ensure_ascii=False).encode())
        return found.hexdigest()[:16]

    # -- as a sequence of questions -------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __iter__(self) -> Iterator[Question]:
        for chunk in self._chunks():
            yield from _questions(chunk)

    @overload
    def __getitem__(self, place: int) -> Question: ...

    @overload
    def __getitem__(self, place: slice) -> list[Question]: ...

    def __getitem__(self, place: int | slice) -> Question | list[Question]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                return list(self.take(np.arange(start, stop, step)))
            return list(QuestionTable(self.arrow.slice(start, max(0, stop - start))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return next(iter(QuestionTable(self.arrow.slice(place % len(self), 1))))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none

    # -- by column ------------------------------------------------------------------------------

    def values(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, a tuple for each question, without making questions of them."""
        for chunk in self.chunks(*names):
            yield from zip(*chunk, strict=True)

    def chunks(self, *names: str) -> Iterator[tuple[list[Any], ...]]:
        """The values of some columns, as a list for each column, at most `CHUNK` questions at a time."""
        columns = self.arrow.select(names)
        for start in range(0, len(self), CHUNK):
            yield tuple(map(_listed, columns.slice(start, CHUNK).columns))

    def codes(self, name: str) -> tuple[Codes, list[str]]:
        """A column of few values, as places in the list of those that occur, by their first question."""
        column = self.arrow.column(name)
        if not len(self):
            return np.empty(0, np.int32), []
        values = column.chunk(0).dictionary.to_pylist()
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
        return _in_order(codes, values)

    def parts(self) -> tuple[Codes, list[str]]:
        """The part of each question, as `codes`: its split, and for tests its domain too (``test/ood``)."""
        splits, split_names = self.codes("split")
        domains, domain_names = self.codes("domain")
        width = len(domain_names)
        names = [
            f"test/{domain}" if split == "test" else split
            for split in split_names
            for domain in (domain_names if split == "test" else split_names[:1] * width)
        ]
        tests = np.array([name == "test" for name in split_names], dtype=bool)
        pairs = splits * np.int32(width)
        if tests.any():
            pairs += np.where(tests[splits], domains, np.int32(0))
        return _in_order(pairs, names)

    def counts(self) -> dict[str, int]:
        """How many questions each part has, in the order of their first question."""
        codes, names = self.parts()
        return dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))

    @property
    def bare(self) -> bool:
        """Whether no question has a passage or options beside it."""
        import pyarrow.compute as pc

        choices = self.arrow.column("choices")
        return (
            self.arrow.column("context").null_count == len(self)
            and not pc.any(pc.greater(pc.list_value_length(choices), 0)).as_py()
        )

    @property
    def answerable(self) -> npt.NDArray[np.bool_]:
        """For each question whether any answer can be right."""
        column = self.arrow.column("answerable")
        return np.asarray(column.to_numpy(), dtype=bool)

    @property
    def unanswerable(self) -> int:
        """How many questions have no right answer."""
        return len(self) - int(self.answerable.sum())

    # -- other tables ---------------------------------------------------------------------------

    def where(self, mask: npt.NDArray[np.bool_]) -> QuestionTable:
        """The questions for which the mask is true."""
        import pyarrow as pa

        return self if mask.all() else QuestionTable(self.arrow.filter(pa.array(mask)))

    def take(self, places: Sequence[int] | npt.NDArray[np.int64]) -> QuestionTable:
        """The questions at these places, in this order."""
        import pyarrow as pa

        return QuestionTable(self.arrow.take(pa.array(places, pa.int64())))

    def replace(self, name: str, values: Any) -> QuestionTable:
        """The questions with another column: a list or Arrow array with a value for each of them."""
        import pyarrow as pa

        field = self.arrow.schema.field(name)
        column = _column(values, field.type)
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        place = self.arrow.schema.get_field_index(name)
        table = self.arrow.set_column(place, field, pa.chunked_array(chunks, field.type))
        return QuestionTable(table.unify_dictionaries())

    def recode(self, name: str, codes: Codes, values: Sequence[str]) -> QuestionTable:
        """The questions with another column of few values, given as places in ``values``."""
        import pyarrow as pa

        return self.replace(name, pa.DictionaryArray.from_arrays(codes, pa.array(values, pa.string())))

    def replace_some(self, name: str, changed: Mapping[int, Any]) -> QuestionTable:
        """The questions with other values in one column at some places."""
        import pyarrow as pa

        if not changed:
            return self
        chunks, start = [], 0
        for chunk in self.arrow.column(name).chunks:
            places = [place - start for place in changed if start <= place < start + len(chunk)]
            if places:
                values = chunk.to_pylist()
                for place in places:
                    values[place] = changed[start + place]
                chunks.append(pa.array(values, chunk.type))
            else:
                chunks.append(chunk)
            start += len(chunk)
        return self.replace(name, pa.chunked_array(chunks))

    def _batches(self) -> Iterator[pa.Table]:
        for start in range(0, len(self), CHUNK):
            yield self.arrow.slice(start, CHUNK)

    def _chunks(self) -> Iterator[dict[str, list[Any]]]:
        for batch in self._batches():
            yield {name: _listed(batch.column(name)) for name in _fields()}


def repeated(keys: npt.NDArray[Any]) -> tuple[Places, Places]:
    """The places of keys that stood before, in order, after the place where each of them first stood."""
    ordered = np.sort(keys)
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(several):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    concerned = np.flatnonzero(np.isin(keys, several))
    _, first, groups = np.unique(keys[concerned], return_index=True, return_inverse=True)
    first = concerned[first[groups]]
    again = first != concerned
    return first[again], concerned[again]


def _in_order(codes: Codes, values: Sequence[str]) -> tuple[Codes, list[str]]:
    """Codes and values without those that do not occur, the others in the order of their first place."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(values))).tolist()
    used.sort(key=lambda code: int((codes == code).argmax()))
    number = np.zeros(len(values), dtype=np.int32)
    number[used] = np.arange(len(used))
    return number[codes], [values[code] for code in used]


def _questions(chunk: Mapping[str, list[Any]]) -> Iterator[Question]:
    columns = {
        **chunk,
        "answers": map(tuple, chunk["answers"]),
        "choices": map(tuple, chunk["choices"]),
        "meta": ({} if text == "{}" else json.loads(text) for text in chunk["meta"]),
    }
    names = list(columns)
    for row in zip(*columns.values(), strict=True):
        yield Question(**dict(zip(names, row, strict=True)))


def _fields() -> list[str]:
    return list(arrow_schema(Question).names)


def _schema() -> pa.Schema:
    """The columns of a `Question`, those of few values as dictionaries."""
    import pyarrow as pa

    few = {name: pa.dictionary(width, pa.string()) for name, width in REPEATING.items()}
    return pa.schema([field.with_type(few.get(field.name, field.type)) for field in arrow_schema(Question)])


def _batch(chunk: Mapping[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    """Columns of one chunk, what is left out filled with the defaults."""
    import pyarrow as pa

    size, default = len(chunk["text"]), _default()
    columns = []
    for field in schema:
        values = chunk.get(field.name)
        if values is None:
            same = default[field.name]
            values = constant(same, size) if field.name in REPEATING else [same] * size
        elif field.name == "meta" and isinstance(values, list):
            values = [_json(meta) for meta in values]
        columns.append(_column(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def constant(value: str, size: int) -> pa.DictionaryArray:
    """A column of few values that is one value throughout."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(np.zeros(size, np.int16), pa.array([value]))


@cache
def _default() -> dict[str, Any]:
    blank = Question(id="", text="")
    return {**{name: getattr(blank, name) for name in _fields()}, "meta": "{}"}


def _listed(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """A column's values; lists of texts by way of their texts, which is much faster."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return [value for chunk in column.chunks for value in _listed(chunk)]
    if not pa.types.is_list(column.type) or column.null_count:
        return list(column.to_pylist())
    texts = column.flatten().to_pylist()
    ends = (column.offsets.to_numpy() - column.offsets[0].as_py()).tolist()
    return [texts[start:end] for start, end in itertools.pairwise(ends)]


def _json(meta: Mapping[str, Any]) -> str:
    return json.dumps(meta, ensure_ascii=False, sort_keys=True) if meta else "{}"


def _column(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """Values as a column of a type; from the system's memory, since Arrow's own pool gives none back."""
    import pyarrow as pa

    few = pa.types.is_dictionary(kind)
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        values = pa.array(values, pa.string() if few else kind, memory_pool=pa.system_memory_pool())
    if few and not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    return values.cast(kind)
