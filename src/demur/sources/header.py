"""The header of a GGUF file, read with every length checked against the file's size.

GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts, typed key-value
pairs, then name, shape, type and offset of every tensor, then the tensors. A damaged length is found here;
the package ``gguf`` would loop over it.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import ModelError

MAGIC = b"GGUF"
SUFFIX = ".gguf"
VERSIONS = (2, 3)
ALIGNMENT = 32
"""Of the tensors, in bytes, where the file names no other."""
MOST_DIMENSIONS = 8
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the header describes it."""

    name: str
    shape: tuple[int, ...]
    kind: int
    """Number of its type, see ``gguf.GGMLQuantizationType``."""
    offset: int
    """Bytes from the start of the tensors."""

    @property
    def elements(self) -> int:
        """Numbers in it."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says before its tensors."""

    fields: Mapping[str, Any]
    """Key-value pairs; of an array only its length."""
    tensors: tuple[Tensor, ...]
    start: int
    """Where the tensors begin, in bytes."""
    size: int
    """Of the file, in bytes."""

    @property
    def architecture(self) -> str:
        """Such as ``llama``; empty where the file names none."""
        return str(self.fields.get("general.architecture", ""))

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    def need(self, sizes: Mapping[int, tuple[int, int]]) -> int:
        """Bytes that the file must have to hold its tensors.

        Args:
            sizes: by number of a type, the numbers and the bytes of one block; a type that is not listed
                counts nothing.
        """
        ends = [self.start]
        for tensor in self.tensors:
            numbers, size = sizes.get(tensor.kind, (1, 0))
            ends.append(self.start + tensor.offset + tensor.elements // numbers * size)
        return max(ends)


def is_gguf(path: Path) -> bool:
    """Whether a path means a GGUF file: by its ending, or by the first bytes of a file that is there."""
    if path.suffix.lower() == SUFFIX:
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as handle:
            return handle.read(len(MAGIC)) == MAGIC
    except OSError:  # not to be read: what opens it says so
        return False


def read_header(path: Path) -> Header:
    """The header of a GGUF file.

    Raises:
        ModelError: no such file, another format, a version that is not read, or a damaged header.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise _error(path, found, "check the path", expected="a GGUF file")
    try:
        handle = path.open("rb")
    except OSError as error:
        raise _error(path, os.strerror(error.errno or 0), "make it readable for you") from error
    with handle:
        start = handle.read(8)
        if start[:4] != MAGIC:
            raise _error(
                path, f"{len(start)} bytes" if len(start) < 4 else "another format", "check the file"
            )
        if len(start) < 8:
            raise _cut(path, len(start))
        version = struct.unpack("<I", start[4:])[0]
        if version not in VERSIONS:
            found = "big-endian numbers" if version > 0xFFFF else f"GGUF version {version}"
            raise _error(
                path,
                found,
                "convert the model again with a current llama.cpp (little-endian)",
            )
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Reader(data).header()
            except (struct.error, IndexError) as error:
                raise _cut(path, len(data)) from error
            except (ValueError, RecursionError) as error:
                raise _error(path, f"a damaged header: {error}", "download the file again") from error


def _cut(path: Path, size: int) -> ModelError:
    found = f"a damaged header, or one that is cut off: the file has {size:,} bytes"
    return _error(path, found, "download the file again")


def _error(path: Path, found: str, fix: str, expected: str = "a whole GGUF file") -> ModelError:
    return ModelError(expected=expected, found=found, where=str(path), fix=fix)


class _Reader:
    """Reads values one after the other; a length beyond the file's end is an error."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.place = data, 8

    def header(self) -> Header:
        tensors, pairs = self.number("Q"), self.number("Q")
        self.check(tensors + pairs)
        fields = {self.text(): self.value(self.number("I")) for _ in range(pairs)}
        described = tuple(self.tensor() for _ in range(tensors))
        alignment = fields.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise ValueError(f"tensors aligned to {alignment} bytes")
        start = -(-self.place // alignment) * alignment
        return Header(fields, described, start, len(self.data))

    def number(self, kind: str) -> Any:
        value = struct.unpack_from(f"<{kind}", self.data, self.place)[0]
        self.place += struct.calcsize(f"<{kind}")
        return value

    def check(self, count: int) -> None:
        """Each of so many items takes a byte at least."""
        if count > len(self.data) - self.place:
            raise IndexError("a length beyond the end of the file")

    def text(self) -> str:
        length = self.number("Q")
        self.check(length)
        self.place += length
        return self.data[self.place - length : self.place].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise ValueError(f"a value of the unknown type {kind}")
        inner, length = self.number("I"), self.number("Q")
        self.check(length)
        if inner in _SCALARS:
            bytes_ = length * struct.calcsize(f"<{_SCALARS[inner]}")
            self.check(bytes_)
            self.place += bytes_
        else:
            for _ in range(length):
                self.value(inner)
        return length

    def tensor(self) -> Tensor:
        name, dimensions = self.text(), self.number("I")
        if dimensions > MOST_DIMENSIONS:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        shape = tuple(self.number("Q") for _ in range(dimensions))
        return Tensor(name, shape, self.number("I"), self.number("Q"))
