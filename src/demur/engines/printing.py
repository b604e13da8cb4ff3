"""Keeping what others print out of the terminal, which is ours."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def printing_into(file: IO[bytes]) -> Iterator[None]:
    """Send what this process prints, and for good what it starts, into a file: the terminal is ours."""
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in kept:
            os.dup2(file.fileno(), number)
        yield
    finally:
        for stream in streams:
            stream.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
