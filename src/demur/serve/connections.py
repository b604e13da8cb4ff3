"""Connections: how many there are, which of them ask nothing, and which do not read what they are sent."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

REQUEST_SECONDS = 15
"""Within which a connection must have sent the head of a request; its body has the time of an answer."""
WRITE_SECONDS = 10
"""Within which a client must have read on when the buffers of its connection are full."""
OTHER_FILES = 192
"""Open files that are kept for everything but clients: connections to other servers, the model's files."""

log = logging.getLogger("demur.serve")


def most_connections(wanted: int) -> int:
    """As many as wanted, or as the limit of open files allows."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, limit - OTHER_FILES if limit >= 2 * OTHER_FILES else limit // 2))


class Door:
    """The open connections, no more than there may be.

    Where there is no place for a new one, the connection that has asked nothing for the longest is closed;
    where all of them wait for an answer, the new one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Connection] = set()
        self.asking_nothing: dict[Connection, float] = {}
        """Connections without a whole request, and since when; the longest first."""

    def enter(self, connection: Connection) -> None:
        """A new connection."""
        if len(self.open) >= self.most:
            oldest = next(iter(self.asking_nothing), connection)
            log.warning("too many connections", extra={"most": self.most})
            self.leave(oldest)
            oldest.transport.abort()
            if oldest is connection:
                return
        self.open.add(connection)
        self.asking_nothing[connection] = time.monotonic()

    def leave(self, connection: Connection) -> None:
        """It is closed."""
        self.open.discard(connection)
        self.asking_nothing.pop(connection, None)

    def note(self, connection: Connection) -> None:
        """Its request has come whole, or its response is complete."""
        if connection.answering:
            self.asking_nothing.pop(connection, None)
        elif connection in self.open:
            self.asking_nothing.setdefault(connection, time.monotonic())

    def close_slow(self) -> None:
        """Close connections that do not send the head of a request; uvicorn waits for it for ever."""
        before = time.monotonic() - REQUEST_SECONDS
        for connection, since in list(self.asking_nothing.items()):
            if since > before:
                return
            if not connection.sending_body:
                connection.transport.abort()


class Connection(H11Protocol):
    """A connection of uvicorn's that keeps to limits."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self.door = door
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def answering(self) -> bool:
        """Whether a request has come whole and is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    @property
    def sending_body(self) -> bool:
        """Whether the head of a request has come, and not all of its body."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self.door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._read_on()
        self.door.leave(self)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Read what has come."""
        super().handle_events()
        self.door.note(self)

    def on_response_complete(self) -> None:
        """A response is complete; the client may have sent the next request already."""
        self.door.note(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not read: what it leaves unread would be kept for as long as it likes."""
        super().pause_writing()
        if self._giving_up is None:
            self._giving_up = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read on."""
        self._read_on()
        super().resume_writing()

    def _read_on(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def shutdown(self) -> None:
        """End the connection; what has not come whole is not waited for."""
        if self.sending_body:
            self.transport.abort()
        else:
            super().shutdown()
