"""The network below the openai client: who is asked, with what, how often, and for how long."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import Any

import httpx2

from demur.endpoints.pace import Pace

SENT = frozenset(
    {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}
)
"""Headers that leave this machine, beside the key. The openai client would add more: what it finds in the
environment (an organisation, a project, another server's key), and what system and Python this is."""


class Transport(httpx2.AsyncClient):
    """An HTTP client that every attempt goes through, first or repeated.

    Redirects are not followed: they would carry prompts, and perhaps the key, to another server.

    Args:
        key: sent as a bearer token; None for none.
        timeout_seconds: of an attempt from connecting to the last byte, so that a server that drips its
            reply does not hold a run up for ever.
        pace: when each attempt is made.
    """

    def __init__(self, *, key: str | None, timeout_seconds: float, connections: int, pace: Pace) -> None:
        super().__init__(
            verify=_trusted(),
            timeout=timeout_seconds,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
        self.requests = 0
        self._key, self._timeout_seconds = key, timeout_seconds
        self._pace = pace

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Wait for this attempt's turn, then make it.

        Raises:
            httpx2.RequestError: it cannot be carried out, or takes too long.
        """
        await asyncio.sleep(self._pace.turn())
        for name in [name for name in request.headers if name.lower() not in SENT]:
            del request.headers[name]
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        self.requests += 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await super().send(request, **(options | {"follow_redirects": False}))
        except TimeoutError:
            raise httpx2.ReadTimeout("the reply took too long", request=request) from None


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: that takes longer than many a request."""
    return httpx2.create_ssl_context()
