"""The log of a server: written by a thread of its own, so that nobody who does not read it holds it up.

What cannot be written in time is dropped and counted, and repeated warnings are counted, too, after some.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from typing import Any

MOST_BYTES = 4 * 2**20
"""That wait to be written."""
REPEATS, WINDOW_SECONDS = 20, 10.0
"""Records of one kind that are written within a time; requests are not among these kinds."""


class LineWriter(logging.Handler):
    """Writes records as lines to a file descriptor. Whoever logs never waits.

    Args:
        most_bytes: that wait to be written; further records are dropped and counted.
    """

    def __init__(self, descriptor: int, *, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._descriptor, self._most_bytes = descriptor, most_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._changed, self._ended = threading.Condition(), False
        self.dropped = 0
        """Records that were not written, since the start."""
        self._told = 0
        self._thread = threading.Thread(target=self._write_all, name="demur-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record in line, or count it where there is no room."""
        try:
            line = self.format(record).encode(errors="replace") + b"\n"
        except Exception:
            self.handleError(record)
            return
        with self._changed:
            if self._bytes + len(line) > self._most_bytes:
                self.dropped += 1
                return
            self._lines.append(line)
            self._bytes += len(line)
            self._changed.notify()

    def end(self, seconds: float) -> bool:
        """Write what is in line, for at most so long; whether all of it was written."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while (line := self._next()) is not None:
            with contextlib.suppress(OSError):  # nobody is there to read it
                while line:
                    line = line[os.write(self._descriptor, line) :]

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._lines and not self._ended and self._told == self.dropped:
                self._changed.wait()
            if self._lines:
                line = self._lines.popleft()
                self._bytes -= len(line)
                return line
            missing, self._told = self.dropped - self._told, self.dropped
        if not missing:
            return None
        record = logging.LogRecord("demur.serve", logging.WARNING, "", 0, "lines dropped", None, None)
        record.dropped = missing
        return self.format(record).encode() + b"\n"


class Repeats(logging.Filter):
    """Lets the first warnings of a kind through; the first of the next window says how many were not."""

    def __init__(self, *, most: int = REPEATS, seconds: float = WINDOW_SECONDS) -> None:
        super().__init__()
        self.most, self.seconds = most, seconds
        self._kinds: dict[Any, tuple[float, int]] = {}
        """By kind: when its window began, and the records in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, record.levelno, str(record.msg)[:60]), time.monotonic()
        began, count = self._kinds.get(kind, (now, 0))
        if now - began > self.seconds:
            if count > self.most:
                record.suppressed = count - self.most
            began, count = now, 0
        if len(self._kinds) > 1000:
            self._kinds.clear()
        self._kinds[kind] = began, count + 1
        return count < self.most


def log_to_stderr(formatter: logging.Formatter) -> LineWriter:
    """Write this process's log to the error stream, and warnings of libraries with it."""
    writer = LineWriter(_error_stream())
    writer.setFormatter(formatter)
    writer.addFilter(Repeats())
    logging.basicConfig(handlers=[writer], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    return writer


def _error_stream() -> int:
    """The descriptor of the error stream, also where a program put an object without one in its place."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return 2
