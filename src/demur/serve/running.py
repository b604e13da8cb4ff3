"""The process: it listens, loads the model, answers, and stops without losing a request."""

from __future__ import annotations

import errno
import gc
import os
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from demur.ask import Answerer
from demur.core.errors import ConfigError
from demur.serve.app import create_app, loading_app
from demur.serve.guard import Gate
from demur.serve.observe import log, log_to_stderr
from demur.serve.settings import ServeSettings

BACKLOG = 2048
REQUEST_SECONDS = 15
"""Within which a connection must have sent the head of a request; its body has the time of an answer."""
TICKS = 10
"""Of the server in a second."""
LAST_SECONDS = 5
"""For responses to leave after the last request was answered."""


class SwappableApp:
    """An ASGI app that can be exchanged while the server runs."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on."""
        await self.app(scope, receive, send)


class Server(uvicorn.Server):
    """Stops when asked to and all that was let in is answered; asked a second time, at once."""

    def __init__(self, config: uvicorn.Config, gate: Gate) -> None:
        super().__init__(config)
        self.gate, self.signal = gate, 0
        self._idle: dict[Any, tuple[Any, float]] = {}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let nobody in any more; the second time, leave."""
        if self.gate.phase == "draining":
            self.signal, self.should_exit, self.force_exit = sig, True, True
        self.gate.phase = "draining"

    async def on_tick(self, counter: int) -> bool:
        """Whether to end the server; once a second, idle connections are closed."""
        if counter % TICKS == 0:
            self._close_slow_connections(time.monotonic())
        done = self.gate.phase == "draining" and self.gate.inside == 0
        return await super().on_tick(counter) or done

    def _close_slow_connections(self, now: float) -> None:
        """Close connections that long ask nothing; uvicorn waits for every next byte for ever."""
        idle: dict[Any, tuple[Any, float]] = {}
        connections: set[Any] = {*self.server_state.connections}
        for connection in connections:
            cycle = connection.cycle
            if cycle is None or cycle.response_complete:
                before, since = self._idle.get(connection, (cycle, now))
                idle[connection] = cycle, since if before is cycle else now
                if now - idle[connection][1] > REQUEST_SECONDS:
                    connection.transport.abort()
        self._idle = idle


def serve(
    open_answerer: Callable[[], Answerer],
    settings: ServeSettings,
    *,
    announce: Callable[[str], None] = print,
) -> int:
    """Serve a model until somebody says stop; the exit code.

    Probes are answered from the start, questions when the model is loaded.

    Args:
        open_answerer: loads the model.
        announce: told the address when questions are answered.

    Raises:
        ConfigError: the address is taken, or must not be used without a key.
        DemurError: the model cannot be loaded.
    """
    gate = Gate(phase="loading")
    swappable = SwappableApp(loading_app(settings, gate))
    listener = _listen(settings)
    log_to_stderr(log_prompts=settings.log_prompts)
    server = Server(_config(swappable), gate)
    opened: list[Answerer] = []
    failed: list[BaseException] = []

    def load() -> None:
        try:
            answerer = open_answerer()
            swappable.app = create_app(answerer, settings, gate=gate)
            _leave_to_stay()
            opened.append(answerer)
            if answerer.system.refused is not None:
                log.warning("notice", extra={"notice": answerer.system.refused.sentence()})
        except BaseException as error:
            failed.append(error)
            server.should_exit = True
            return
        if gate.phase == "loading":
            gate.phase = "open"
            url = _url(listener)
            log.info("ready", extra={"url": url, "model": settings.name})
            announce(f"{settings.name} answers at {url}/v1")

    threading.Thread(target=load, name="demur-loading", daemon=True).start()
    server.run(sockets=[listener])
    if failed:
        raise failed[0]
    if server.force_exit:
        return 128 + server.signal
    for answerer in opened:
        answerer.close()
    log.info("stopped")
    return 0


def _leave_to_stay() -> None:
    """Keep the garbage collector from looking at model and libraries again and again."""
    gc.collect()
    gc.freeze()


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",  # strict, and it bounds the head of a request, as the faster httptools does not
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=LAST_SECONDS,
    )


def _listen(settings: ServeSettings) -> socket.socket:
    """A socket at the address.

    Raises:
        ConfigError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise ConfigError(
            expected=f"to listen at {settings.host}, port {settings.port}",
            found="another process does" if taken else os.strerror(error.errno or 0).lower(),
            where="--host, --port",
            fix="choose another port, 0 for any free one" if taken else "name an address of this machine",
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
