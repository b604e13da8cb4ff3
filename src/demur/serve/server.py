"""The server: it ends when told to, once all that was let in is answered, and in time in any case."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import uvicorn

from demur.serve.connections import Connection, Door, most_connections
from demur.serve.gate import Gate
from demur.serve.settings import ServeSettings

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""
TICKS = 10
"""Of the server in a second."""
LAST_SHARE, LAST_SECONDS = 0.4, 5.0
"""For responses to leave after the last request was answered: a share of the time to stop, and at most."""


class Server(uvicorn.Server):
    """Stops when asked to and all that was let in is answered; asked a second time, at once."""

    def __init__(self, app: Any, gate: Gate, settings: ServeSettings) -> None:
        self.gate, self.signal = gate, 0
        self.door = Door(most_connections(settings.max_connections))
        self._drain_seconds = settings.drain_seconds
        self._last_seconds = min(LAST_SHARE * settings.drain_seconds, LAST_SECONDS)
        self._stopping_since: float | None = None
        super().__init__(_config(app, self.door, self._last_seconds / 2))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Also hear when the terminal is closed, unless somebody asked not to (nohup)."""
        with super().capture_signals():
            hearing = (
                threading.current_thread() is threading.main_thread()
                and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
            )
            before = signal.signal(signal.SIGHUP, self.handle_exit) if hearing else None
            try:
                yield
            finally:
                if hearing:
                    signal.signal(signal.SIGHUP, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let nobody in any more; the second time, leave. A hang-up may come with another signal."""
        if sig != signal.SIGHUP:
            if self.signal:
                self.should_exit = self.force_exit = True
            self.signal = sig
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        self.gate.phase = "draining"

    def seconds_left(self) -> float | None:
        """Until the process must have ended; None where nobody asked it to."""
        since = self._stopping_since
        return None if since is None else max(0.0, since + self._drain_seconds - time.monotonic())

    async def on_tick(self, counter: int) -> bool:
        """Whether to end the server; once a second, connections that ask nothing are closed."""
        if counter % TICKS == 0:
            self.door.close_slow()
        return await super().on_tick(counter) or self._is_done()

    def _is_done(self) -> bool:
        left = self.seconds_left()
        if left is None:
            return False
        if self.gate.inside and left <= self._last_seconds and not self.gate.over:
            self.gate.expire()
            return False  # time for those inside to be told
        return self.gate.inside == 0 or left <= 0.75 * self._last_seconds


def _config(app: Any, door: Door, last_seconds: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=functools.partial(Connection, door),  # type: ignore[arg-type] # only called
        backlog=BACKLOG,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=last_seconds,  # type: ignore[arg-type] # seconds of `asyncio.wait_for`
    )
