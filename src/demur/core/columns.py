"""Whether a table from a file has the columns, types and values of a kind of record."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from demur.core.records import arrow_schema, field_types, is_optional

if TYPE_CHECKING:
    import pyarrow as pa


def wrong_columns(found: pa.Schema, kind: type[Any]) -> list[str]:
    """What is wrong with a file's columns: those missing and those of another type. Others do not count."""
    needed = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    wrong = [f"no column {name}" for name in sorted(needed - set(found.names))]
    for field in arrow_schema(cast("Any", kind)):
        places = found.get_all_field_indices(field.name)
        if len(places) > 1:
            wrong.append(f"several columns {field.name}")
        elif places and not _alike(found.field(places[0]).type, field.type):
            wrong.append(f"column {field.name} of type {found.field(places[0]).type}, not {field.type}")
    return wrong


def _alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of one type read as those of the other: other widths and dictionaries do."""
    from pyarrow import types

    if types.is_dictionary(found):
        return _alike(found.value_type, wanted)
    if types.is_string(wanted):
        return bool(types.is_string(found) or types.is_large_string(found))
    if types.is_floating(wanted):
        return bool(types.is_floating(found) or types.is_integer(found))
    if types.is_integer(wanted):
        return bool(types.is_integer(found))
    if types.is_map(wanted):
        return bool(types.is_map(found)) and _alike(found.item_type, wanted.item_type)
    if types.is_list(wanted):
        lists = types.is_list(found) or types.is_large_list(found)
        return bool(lists) and _alike(found.value_type, wanted.value_type)
    if types.is_struct(wanted):
        return bool(types.is_struct(found)) and all(
            _alike(found.field(part.name).type, part.type)
            for part in wanted
            if found.get_field_index(part.name) >= 0  # one that must be there is missed when a row is read
        )
    return bool(found == wanted)


def missing_values(table: pa.Table, kind: type[Any]) -> list[str]:
    """The columns with a null where a value must be, by dotted name."""
    hints = field_types(kind)
    return [
        name
        for column, hint in hints.items()
        if column in table.column_names
        for chunk in table.column(column).chunks
        for name in _missing(column, chunk, hint)
    ]


def _missing(name: str, values: pa.Array, hint: Any) -> Iterator[str]:
    from pyarrow import types

    if is_optional(hint):
        return
    if values.null_count:
        yield name
        return
    if types.is_list(values.type) or types.is_large_list(values.type):
        yield from _missing(name, values.flatten(), typing.get_args(hint)[0])
    elif types.is_map(values.type):
        if values.items.null_count and issubclass(typing.get_origin(hint) or dict, Mapping):
            yield name
    elif dataclasses.is_dataclass(hint) and types.is_struct(values.type):
        for part, own in field_types(hint).items():
            if values.type.get_field_index(part) >= 0:
                yield from _missing(f"{name}.{part}", values.field(part), own)
