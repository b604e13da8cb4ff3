"""The process: it listens, loads the model, answers, and stops without losing a request."""

from __future__ import annotations

import errno
import gc
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from demur.ask import Answerer
from demur.core.errors import ConfigError
from demur.serve.app import create_app, loading_app
from demur.serve.gate import Gate
from demur.serve.observe import log, start_log
from demur.serve.server import BACKLOG, Server
from demur.serve.settings import ServeSettings

LOG_SECONDS, EXIT_SECONDS = 1.0, 0.4
"""For the last lines of the log to be written, and for the process to end."""


class SwappableApp:
    """An ASGI app that can be exchanged while the server runs."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on."""
        await self.app(scope, receive, send)


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
    writer = start_log(log_prompts=settings.log_prompts)
    server = Server(swappable, gate, settings)
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
    left = server.seconds_left()
    wait = None if left is None else max(0.0, left - 2 * EXIT_SECONDS)
    done = all(answerer.close(wait) for answerer in opened)
    log.info("stopped", extra={"unanswered": gate.late} if gate.late else {})
    left = server.seconds_left()
    written = writer.end(LOG_SECONDS if left is None else min(LOG_SECONDS, max(0.1, left - EXIT_SECONDS)))
    if not (done and written):
        os._exit(0)  # a thread is still at work: to end the interpreter around it could crash
    return 0


def _leave_to_stay() -> None:
    """Keep the garbage collector from looking at model and libraries again and again."""
    gc.collect()
    gc.freeze()


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
