"""Rows of outputs as arrays: every response judged, every confidence read.

A row is an object with ``question``, ``answers`` (a list of accepted ones, or a text) and ``response``, and
optionally ``id``, ``answerable``, ``abstained``, ``confidence`` (a number, or an object of named ones),
``choices`` and ``group``; formats, layouts, other names of these fields and cells of tables are read as in
question files (`demur.datasets.outputs`). From stored samples and log-probabilities (``samples``,
``logprobs``, ``sample_logprobs``) every free signal is computed (`demur.signals`). Large files are read by
several processes, each a share of the lines.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from demur.core.errors import ConfigError, DataError
from demur.datasets import hub
from demur.datasets.fields import KNOWN, NAMED
from demur.datasets.files import Records, list_folder, open_parts
from demur.datasets.files.containers import unframed
from demur.datasets.files.content import SUFFIXES
from demur.datasets.layouts import Conversion
from demur.datasets.options import ReadOptions
from demur.datasets.outputs import FIX, Output, OutputReader
from demur.datasets.problems import Problems, names
from demur.datasets.rows import Origin
from demur.datasets.separated import SEPARATORS, WORTH_A_WORD
from demur.metrics.base import Floats
from demur.scoring.outputs import Outputs, Part, add

EXPECTED = "rows with question, answers (a list) and response"
SHARE_BYTES = 8 << 20
"""From so many bytes on, lines are read in parallel, so many at a time."""

NO_NAMES: Mapping[str, str] = {}


def read_outputs(
    path: Path,
    *,
    keep: bool = False,
    fields: Mapping[str, str] = NO_NAMES,
    options: ReadOptions | None = None,
) -> Outputs:
    """Read every row and judge it by the default rule.

    Args:
        path: a file, or a folder or an address on the Hub with one.
        keep: keep questions, responses and what the rule said of them, for a model to judge
            (`demur.scoring.judged`) or to be written out (`demur.scoring.rows`).
        fields: names of fields by what they hold (`demur.datasets.fields.NAMED`); the others are guessed.
            An ``id`` called ``none``: there is none.
        options: these, and how else the file is to be read; instead of ``fields``.

    Raises:
        DataError: the file cannot be read, no field holds the responses or the accepted answers, or rows
            lack what they need; every problem is listed.
        ConfigError: a field name for something else.
    """
    options = options or ReadOptions(fields=fields)
    _check_roles(options.fields)
    path = _file(hub.local(path))
    problems = Problems(path, expected=EXPECTED)
    large = (
        path.is_file()
        and path.stat().st_size > SHARE_BYTES
        and options.encoding is None
        and _is_lines(path)
    )
    found = Problems(path, expected=EXPECTED) if large else problems
    records = open_parts(path, found, encoding=options.encoding, fields=KNOWN)
    readers = [_reader(part, options, problems) for part in records]
    opened = [reader.open(part.rows) for reader, part in zip(readers, records, strict=True)]
    if not all(opened):
        problems.raise_any()
    parts = (
        _in_parallel(path, readers[0], keep)
        if large
        else [_judged(reader, keep).outputs() for reader in readers]
    )
    problems.raise_any()
    return _joined(parts, readers)


def _file(path: Path) -> Path:
    """The file itself, or the only question file of a folder.

    Raises:
        DataError: the folder holds none, or several.
    """
    try:
        entries = list_folder(path) if path.is_dir() else None
    except OSError:  # a name too long, for example: reading it says so
        entries = None
    if entries is None:
        return path
    files = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    if len(files) == 1:
        return files[0]
    raise DataError(
        expected="one file of outputs",
        found=names([entry.name for entry in files]) if files else "a folder without one",
        where=str(path),
        fix="name one of the files",
    )


def _check_roles(fields: Mapping[str, str]) -> None:
    if unknown := sorted(fields.keys() - set(NAMED["outputs"])):
        raise ConfigError(
            expected=f"field names for {', '.join(NAMED['outputs'])}",
            found=", ".join(unknown),
            where="fields",
            fix='write fields={"answers": "NAME OF THE FIELD"}',
        )


def _reader(records: Records, options: ReadOptions, problems: Problems) -> OutputReader:
    origin = Origin(label=records.part or "", unit=records.unit, kind=records.kind)
    return OutputReader(origin, options, problems=problems)


def _judged(reader: OutputReader, keep: bool) -> Part:
    part = Part(keep)
    for number, output in reader.outputs():
        add(part, number, output)
    return part


def _joined(parts: list[Outputs], readers: Sequence[OutputReader]) -> Outputs:
    """Several shares of the rows, in order."""
    separated = sum((part.separated for part in parts), Counter[str]())
    named = dict.fromkeys(name for part in parts for name in part.signals)
    given = {name for part in parts for name in part.signals.keys() - {*part.computed}}
    computed = [name for name in named if name not in given]
    grouped = any(part.groups is not None for part in parts)
    return Outputs(
        keys=[key for part in parts for key in part.keys],
        asked=[key for part in parts for key in part.asked],
        numbers=[number for part in parts for number in part.numbers],
        unit=readers[0].origin.unit,
        verdict=np.concatenate([part.verdict for part in parts]),
        abstained=np.concatenate([part.abstained for part in parts]),
        answerable=np.concatenate([part.answerable for part in parts]),
        signals={
            name: np.concatenate([_signal(part, name, given) for part in parts])
            for name in (*(name for name in named if name in given), *computed)
        },
        computed=tuple(computed),
        groups=[group for part in parts for group in (part.groups or [""] * len(part))]
        if grouped
        else None,
        pairs=[pair for part in parts for pair in part.pairs],
        unread=sum((part.unread for part in parts), Counter[str]()),
        judgements=[found for part in parts for found in part.judgements],
        readings=sum((part.readings for part in parts), Counter()),
        notes=[*_guessed(readers[0]), *_on_separators(separated, readers[0].options)],
        separated=separated,
    )


def _signal(part: Outputs, name: str, given: Container[str]) -> Floats:
    """One signal of a share, shape [n]; what was computed gives way to what another share is given."""
    own = name in part.signals and not (name in given and name in part.computed)
    return part.signals[name] if own else np.full(len(part), np.nan)


def _on_separators(separated: Counter[str], options: ReadOptions) -> list[str]:
    """A sentence where single answers look like several."""
    most = max(SEPARATORS, key=separated.__getitem__)
    count, single = separated[most], separated[""]
    if options.separator is not None or not count or count < WORTH_A_WORD * single:
        return []
    return [
        f"{count:,} of {single:,} answers hold {most!r}: --answers-separator '{most}' makes several of them"
    ]


def _guessed(reader: OutputReader) -> list[str]:
    """Fields that were guessed and go by another name than that of what they hold."""
    roles = [
        role for role in ("question", "answers", "response", "id") if role not in reader.options.fields
    ]
    names = {role: reader.fields.get(role, role) for role in roles}
    told = [f"{role} from {name!r}" for role, name in names.items() if name.casefold() != role]
    return [*reader.notes, *([f"read {', '.join(told)}"] if told else [])]


# ---------------------------------------------------------------------------------------------
# Large files
# ---------------------------------------------------------------------------------------------


def _is_lines(path: Path) -> bool:
    """Whether the first lines are JSON objects, one each."""
    with path.open("rb") as handle:
        head = list(itertools.islice(handle, 2))
    return all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in head)


def _in_parallel(path: Path, reader: OutputReader, keep: bool) -> list[Outputs]:
    shares = list(_shares(path))
    settled = _Settled(reader.options, reader.fields, reader.layouts)
    # rows hold no cycles, and looking for some takes a fifth of the time
    with ProcessPoolExecutor(min(len(shares), os.cpu_count() or 1), initializer=gc.disable) as pool:
        done = list(pool.map(partial(_work, path, keep=keep, settled=settled), shares))
    for _, found in done:
        for place, fault, fix in found:
            reader.problems.add(place, fault, fix=fix)
    return [part for part, _ in done]


@dataclass(frozen=True, slots=True)
class _Settled:
    """What the first rows of a file settled for all of them."""

    options: ReadOptions
    fields: Mapping[str, str]
    layouts: list[Conversion]


@dataclass(frozen=True, slots=True)
class _Share:
    """Lines of a file."""

    start: int
    """Offset in bytes."""
    length: int
    """In bytes."""
    first: int
    """Number of the first line, from 1."""


def _shares(path: Path) -> Iterator[_Share]:
    """The lines of a file in shares of about the same size."""
    with path.open("rb") as handle:
        number = 1
        while block := handle.read(SHARE_BYTES):
            block += handle.readline()
            yield _Share(handle.tell() - len(block), len(block), number)
            number += block.count(b"\n")


def _work(
    path: Path, share: _Share, *, keep: bool, settled: _Settled
) -> tuple[Outputs, list[tuple[str, str, str]]]:
    """The rows of one share, and what is wrong with the others: where, what, and what to do."""
    with path.open("rb") as handle:
        handle.seek(share.start)
        lines = handle.read(share.length).decode("utf-8", errors="replace").split("\n")
    origin, faults = Origin(label="", unit="line", kind="JSON lines"), list[tuple[str, str, str]]()
    reader = OutputReader(origin, settled.options, problems=Problems(path, expected=EXPECTED))
    part = Part(keep)
    reader.settle(settled.fields, settled.layouts)
    for number, line in enumerate(lines, start=share.first):
        if not line.strip():
            continue
        try:
            found = reader.of_record(unframed(json.loads(line)))
        except (ValueError, RecursionError) as error:
            found = [(f"no JSON: {error}", FIX)]
        for item in found:
            if isinstance(item, Output):
                add(part, number, item)
            else:
                faults.append((f"line {number}", *item))
    return part.outputs(), faults
