"""Replies kept in one SQLite file: what was asked once is not asked again, by this process or another.

The key is a hash of the server's address and the whole request body, so nothing of the request stands in
the file; the server's key is in neither.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from demur.core.errors import ConfigError, ResourceError

WAIT_SECONDS = 60.0
"""How long a process waits for another one that is writing."""


def request_key(address: str, body: Mapping[str, Any]) -> str:
    """A hash of the address asked and everything it is asked; 64 hex digits."""
    text = json.dumps([address, body], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class NoCache:
    """Keeps nothing, where what people ask is to leave no trace."""

    def get(self, key: str) -> str | None:
        """Nothing is there."""
        return None

    def put(self, key: str, content: str) -> str:
        """The reply itself."""
        return content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


class ReplyCache:
    """The file; for one thread at a time, any number of processes.

    Raises:
        ConfigError: the file cannot be opened, or is something else.
        ResourceError: the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # what a model said may be nobody else's business
            # No transaction spans two statements: processes wait for each other, but never in a ring.
            self._connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, content TEXT NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            self._explain(error)

    def get(self, key: str) -> str | None:
        """The reply kept under a key."""
        try:
            row = self._connection.execute("SELECT content FROM replies WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._explain(error)
        return None if row is None else str(row[0])

    def put(self, key: str, content: str) -> str:
        """Keep a reply, and return the one that is kept: another process may have been first."""
        try:
            self._connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, content))
        except sqlite3.Error as error:
            self._explain(error)
        return self.get(key) or content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _explain(self, error: Exception) -> NoReturn:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise ResourceError(
                expected="room on the disk to keep replies",
                found="no space left on the device",
                where=str(self.path),
                fix="free some space and run the same command again: the replies kept so far are not lost",
            ) from error
        raise ConfigError(
            expected="a file of replies that can be read and written",
            found=str(error),
            where=str(self.path),
            fix="name another file as the cache, or delete this one: replies can be asked for again",
        ) from error
