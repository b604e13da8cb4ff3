"""Where a JSON value keeps its records: in a list, by parts, by columns, by keys, as viewers and pandas
write it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from demur.datasets.files.folders import part_named

CONTAINERS = (
    "data",
    "questions",
    "examples",
    "example",
    "rows",
    "items",
    "records",
    "instances",
    "samples",
)
"""Where a JSON object keeps its list of records; otherwise in its only list of objects."""
_VIEWER = frozenset({"row_idx", "row", "truncated_cells"})

Part = tuple[str | None, list[Any]]
"""The part that records belong to, None where nothing says it, and the records."""


def parts_of(value: Mapping[str, Any], fields: Collection[str]) -> list[Part]:
    """The records of a JSON object, by part; the object itself where it is one record.

    Args:
        fields: names that fields of records may have, in plain spelling: they tell columns from keys.
    """
    named = {
        key: held for key, held in value.items() if part_named(key, whole=True) and _holds_records(held)
    }
    rest = {
        key for key, held in value.items() if key not in named and isinstance(held, list | dict) and held
    }
    if named and not rest:
        return [(key, _records(held, fields)) for key, held in named.items()]
    if len(rest) == 1 and not named and isinstance(inner := value[(key := rest.pop())], dict):
        parts = parts_of(inner, fields) if key.lower() in CONTAINERS else []
        if parts and parts != [(None, [inner])]:
            return parts
    return [(None, _records(value, fields))]


def unwrapped(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Rows without the frame that the Hub's viewer puts around each: ``{"row_idx": 0, "row": {…}}``."""
    for number, row in rows:
        yield number, unframed(row)


def unframed(row: Any) -> Any:
    """A row without that frame; a row that has none as it is."""
    framed = isinstance(row, dict) and isinstance(row.get("row"), dict) and row.keys() <= _VIEWER
    return row["row"] if framed else row


def _records(value: Any, fields: Collection[str]) -> list[Any]:
    if not isinstance(value, Mapping):
        return list(value)
    return _split(value) or _columns(value) or _listed(value) or _keyed(value, fields) or [value]


def _holds_records(held: Any) -> bool:
    if isinstance(held, list):
        return bool(held) and isinstance(held[0], dict)
    return (
        isinstance(held, dict)
        and bool(held)
        and all(isinstance(part, dict | list) for part in held.values())
    )


def _split(value: Mapping[str, Any]) -> list[Any]:
    """Pandas' ``orient="split"``: names of columns, and rows as lists."""
    columns, rows = value.get("columns"), value.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns:
        return []
    if not all(isinstance(name, str) for name in columns):
        return []
    fits = rows and all(isinstance(row, list) and len(row) == len(columns) for row in rows)
    return [dict(zip(columns, row, strict=True)) for row in rows] if fits else []


def _columns(value: Mapping[str, Any]) -> list[Any]:
    """Two columns or more of one length, each a list."""
    lists = list(value.values())
    if len(lists) < 2 or not all(isinstance(held, list) for held in lists):
        return []
    size = len(lists[0])
    if not size or any(len(held) != size for held in lists) or not any(map(_of_scalars, lists)):
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]


def _listed(value: Mapping[str, Any]) -> list[Any]:
    """A list of objects under a usual name, or the only one; none where the object is itself one record."""
    lists = [key for key, held in value.items() if isinstance(held, list) and any(map(_is_object, held))]
    usual = [key for key in lists if key.lower() in CONTAINERS]
    key = usual[0] if usual else lists[0] if len(lists) == 1 and not _is_record(value) else None
    return [] if key is None else list(value[key])


def _is_record(value: Mapping[str, Any]) -> bool:
    """Whether an object is itself one record, whose list of objects holds turns, answers or options."""
    asks = {"messages", "conversations", "conversation"} & value.keys()
    return bool(asks) or any(key.lower() in ("question", "prompt", "qas") for key in value)


def _keyed(value: Mapping[str, Any], fields: Collection[str]) -> list[Any]:
    """Objects of the same keys: columns by name (``orient="columns"``), or records by id (``"index"``)."""
    held = list(value.values())
    if not held or not all(_is_object(part) and part for part in held):
        return []
    inner = held[0].keys()
    if any(part.keys() != inner for part in held):
        return [] if len(held) < 2 or not _asks(held, fields) else held
    if _known(inner, fields) >= _known(value, fields):
        return held if _asks(held, fields) else []
    return [{name: column[key] for name, column in value.items()} for key in inner]


def _asks(records: Iterable[Mapping[str, Any]], fields: Collection[str]) -> bool:
    """Whether objects look like records: each has a field that records have."""
    return all(_known(record, fields) for record in records)


def _known(keys: Iterable[str], fields: Collection[str]) -> int:
    return sum(str(key).strip().casefold().replace(" ", "_").replace("-", "_") in fields for key in keys)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _of_scalars(values: list[Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in values)
