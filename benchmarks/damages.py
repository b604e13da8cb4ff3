"""What may happen to a file of a run: the damages of `damage.py`, each drawn from a seed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

ODD: tuple[Any, ...] = (
    None, True, -1, 10**400, 1.5, float("nan"), float("inf"), "", "x", "../../x", "a\x1b[2J[/b]", [], [[]],
    {}, {"value": "x"}, {"x": {}}, "9" * 5000, [None] * 3, "\ud83d",
)  # fmt: skip
"""Values of another type, or of a size that nobody expects."""
LARGE = 2_000_000


def truncated(path: Path, rng: random.Random) -> str:
    """Cut short, perhaps to nothing."""
    content = path.read_bytes()
    cut = rng.choice((0, 1, rng.randrange(len(content)), len(content) - 1))
    replace(path, content[:cut])
    return f"cut to {cut} of {len(content)} bytes"


def flipped(path: Path, rng: random.Random) -> str:
    """One bit."""
    content = bytearray(path.read_bytes())
    place, bit = rng.randrange(len(content)), rng.randrange(8)
    content[place] ^= 1 << bit
    replace(path, bytes(content))
    return f"bit {bit} of byte {place}"


def overwritten(path: Path, rng: random.Random) -> str:
    """Some bytes in a row, by others."""
    content = bytearray(path.read_bytes())
    place, length = rng.randrange(len(content)), rng.randrange(1, 64)
    content[place : place + length] = rng.randbytes(length)
    replace(path, bytes(content))
    return f"{length} bytes from {place}"


def removed(path: Path, _: random.Random) -> str:
    """Not there."""
    path.unlink()
    return "deleted"


def linked(path: Path, rng: random.Random) -> str:
    """A link in its place: out of the run, to itself, to nothing, to another file of the run."""
    path.unlink()
    targets = ("/etc/passwd", path.name, "nothing", "../outside.txt", "config.yaml")
    target = rng.choice(targets)
    path.symlink_to(target)
    return f"a link to {target}"


def as_folder(path: Path, rng: random.Random) -> str:
    """A folder or a pipe in its place."""
    path.unlink()
    if rng.random() < 0.5:
        path.mkdir()
        return "a folder"
    os.mkfifo(path)
    return "a pipe"


def huge(path: Path, rng: random.Random) -> str:
    """A field or nesting of a size that fills memory where it is not limited."""
    kind = rng.choice(("deep", "long", "number", "many"))
    text = {
        "deep": "[" * 200_000 + "]" * 200_000,
        "long": json.dumps({"metrics": "x" * LARGE, "stages": "x", "systems": {}, "method": "x" * LARGE}),
        "number": '{"schema_version": ' + "9" * 6000 + "}",
        "many": json.dumps({f"k{n}": {} for n in range(50_000)}),
    }[kind]
    if path.suffix not in (".json", ".yaml", ".jsonl"):  # what is no text has lengths in its head
        content = bytearray(path.read_bytes())
        content[:8] = rng.choice((b"\xff" * 8, (2**40).to_bytes(8, "little"), b"\0" * 8))
        replace(path, bytes(content))
        return "a head that says a huge length"
    replace(path, text.encode())
    return f"a {kind} value"


def another_type(path: Path, rng: random.Random) -> str:
    """A value in a structured file is of another type."""
    return structured(path, rng, lambda: rng.choice(ODD))


def missing_key(path: Path, rng: random.Random) -> str:
    """A key of a structured file is gone."""
    return structured(path, rng, lambda: structured)


def structured(path: Path, rng: random.Random, value: Callable[[], Any]) -> str:
    """Change one value below the root of a JSON, YAML or JSON lines file, or a column of a Parquet file."""
    if path.suffix == ".parquet":
        return column(path, rng)
    if path.suffix == ".safetensors":
        return tensor_header(path, rng, value())
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    at = rng.randrange(len(lines)) if path.suffix == ".jsonl" else 0
    values = yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(lines[at] if at or
             path.suffix == ".jsonl" else text)  # fmt: skip
    where = put(values, rng, value())
    if path.suffix == ".jsonl":
        lines[at] = json.dumps(values)
        replace(path, "\n".join(lines).encode())
    elif path.suffix == ".yaml":
        replace(path, yaml.safe_dump(values, allow_unicode=True).encode("utf-8", "surrogatepass"))
    else:
        replace(path, json.dumps(values).encode())
    return where


def put(values: Any, rng: random.Random, value: Any) -> str:
    """Put a value at a random place; deeper ones are as likely as those at the top."""
    places = [*walk(values, ())]
    depth = rng.randrange(max(map(len, places))) + 1
    place = rng.choice([place for place in places if len(place) == depth])
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    if value is structured:
        inner.pop(place[-1])
        return f"without {'.'.join(map(str, place))}"
    inner[place[-1]] = value
    return f"{'.'.join(map(str, place))} = {value!r:.40}"


def walk(values: Any, path: tuple[Any, ...]) -> Any:
    """The places of all values below a value."""
    pairs = (
        values.items()
        if isinstance(values, dict)
        else enumerate(values)
        if isinstance(values, list)
        else ()
    )
    for key, inner in pairs:
        yield (*path, key)
        yield from walk(inner, (*path, key))


def column(path: Path, rng: random.Random) -> str:
    """A column dropped, of another type, with nulls, another content, or rows twice or not at all."""
    table = pq.read_table(path)
    name, how = (
        rng.choice(table.column_names),
        rng.choice(("drop", "type", "null", "text", "twice", "none")),
    )
    at = table.column_names.index(name)
    if how == "drop":
        table = table.drop_columns([name])
    elif how == "type":
        other = rng.choice(
            (pa.array(range(len(table))), pa.array([b"x"] * len(table)), pa.nulls(len(table)))
        )
        table = table.set_column(at, name, other)
    elif how == "null":
        values = table.column(name).to_pylist()
        values[rng.randrange(len(values))] = None
        table = table.set_column(at, name, pa.array(values, table.schema.field(name).type))
    elif how == "text" and pa.types.is_string(table.schema.field(name).type):
        values = table.column(name).to_pylist()
        values[rng.randrange(len(values))] = rng.choice(("", "x", "a\x1b[2J[/b]", "{", "9" * 9999))
        table = table.set_column(at, name, pa.array(values))
    else:
        table = pa.concat_tables([table, table]) if how == "twice" else table.slice(0, 0)
    path.unlink()
    pq.write_table(table, path)
    return f"column {name}: {how}"


def tensor_header(path: Path, rng: random.Random, value: Any) -> str:
    """The head of a safetensors file says something else of a tensor."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    where = put(header, rng, value)
    head = json.dumps(header).encode()
    replace(path, len(head).to_bytes(8, "little") + head + content[8 + size :])
    return where


def replace(path: Path, content: bytes) -> None:
    """Put another content in the place of a file, which may be one of several names of it."""
    path.unlink()
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path, random.Random], str]] = {
    "truncated": truncated,
    "bit flip": flipped,
    "bytes": overwritten,
    "deleted": removed,
    "link": linked,
    "folder or pipe": as_folder,
    "huge": huge,
    "wrong type": another_type,
    "missing key": missing_key,
}
