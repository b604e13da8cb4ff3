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


LARGEST_REPLY = 2**20
"""Bytes of a reply, which is held in memory and parsed whole; of each text where several are asked for."""


class RefusedReply(ValueError):  # noqa: N818 # neither the client nor anybody else asks again
    """A reply that is not read: it is too large, or compressed."""


class Transport(httpx2.AsyncClient):
    """An HTTP client that every attempt goes through, first or repeated.

    Redirects are not followed: they would carry prompts, and perhaps the key, to another server. Replies
    are read up to a limit, and not at all where they are compressed: one megabyte can unpack to a thousand.

    Args:
        key: sent as a bearer token; None for none.
        timeout_seconds: of an attempt from connecting to the last byte, so that a server that drips its
            reply does not hold a run up for ever.
        pace: when each attempt is made.
        largest: bytes of a reply.
    """

    def __init__(
        self,
        *,
        key: str | None,
        timeout_seconds: float,
        connections: int,
        pace: Pace,
        largest: int = LARGEST_REPLY,
    ) -> None:
        super().__init__(
            verify=_trusted(),
            timeout=timeout_seconds,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
        self.requests = 0
        self._key, self._timeout_seconds = key, timeout_seconds
        self._pace, self._largest = pace, largest

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Wait for this attempt's turn, then make it.

        Returns:
            The response, read to its end whether ``stream`` is given or not.

        Raises:
            httpx2.RequestError: it cannot be carried out, or takes too long.
            RefusedReply: the reply is too large, or compressed.
        """
        await asyncio.sleep(self._pace.turn())
        for name in [name for name in request.headers if name.lower() not in SENT]:
            del request.headers[name]
        request.headers["Accept-Encoding"] = "identity"
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        self.requests += 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await super().send(
                    request, **(options | {"follow_redirects": False, "stream": True})
                )
                try:
                    return await self._read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise httpx2.ReadTimeout("the reply took too long", request=request) from None

    async def _read(self, response: httpx2.Response) -> httpx2.Response:
        """The same response with its body in memory."""
        packed = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packed not in ("", "identity"):
            raise RefusedReply("it is compressed, although it was asked for as it is")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > self._largest:
                raise RefusedReply(f"it has more than {self._largest:,} bytes")
        return httpx2.Response(
            response.status_code, headers=response.headers, content=bytes(body), request=response.request
        )


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: that takes longer than many a request."""
    return httpx2.create_ssl_context()
