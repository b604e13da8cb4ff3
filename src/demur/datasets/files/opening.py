"""From a file, whatever its format, to its records."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from itertools import chain
from pathlib import Path

from demur.datasets.files import columnar, inspect_log
from demur.datasets.files.containers import unwrapped
from demur.datasets.files.content import Content, columnar_kind, encoding_of, refuse_binary
from demur.datasets.files.records import Records
from demur.datasets.files.text import Text
from demur.datasets.problems import Problems


def open_parts(
    content: Content | Path,
    problems: Problems,
    *,
    label: str = "",
    encoding: str | None = None,
    fields: Collection[str] = (),
) -> list[Records]:
    """Find out what a file is and read its records, by part where it has parts (``{"train": […], …}``).

    Args:
        problems: gets every record that cannot be read; the others are still given.
        label: what the file is called in the problems' places; empty where it is the only one.
        encoding: of its text; None for UTF-8 or what its byte order mark says.
        fields: names that fields may have, in plain spelling (see `demur.datasets.files.containers`).

    Raises:
        DataError: the file is missing, unreadable, or of no kind that is read here.
        ConfigError: there is no such encoding.
    """
    content = Content(content) if isinstance(content, Path) else content
    head = content.head()
    if kind := columnar_kind(head):
        return [Records("row", unwrapped(columnar.rows_of(content, kind)), kind)]
    if inspect_log.is_log(content, head):
        return [Records("record", inspect_log.samples(content), "an inspect_ai log")]
    refuse_binary(content, head, encoding)
    text = Text(content, problems, f"{label} " if label else "", encoding_of(head, encoding))
    with text.faults():
        found = text.parts(fields)
    return [dataclasses.replace(part, rows=text.guard(unwrapped(part.rows))) for part in found]


def open_records(
    content: Content | Path, problems: Problems, *, label: str = "", encoding: str | None = None
) -> Records:
    """The records of all parts of a file together; see `open_parts`."""
    parts = open_parts(content, problems, label=label, encoding=encoding)
    if len(parts) == 1:
        return parts[0]
    every = chain.from_iterable(part.rows for part in parts)
    return dataclasses.replace(parts[0], rows=((n, row) for n, (_, row) in enumerate(every, 1)), part=None)
