"""Who may ask, how much, and when: keys, limits, headers, and a gate that closes when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message as Header
from typing import Literal

from pydantic_core import from_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Host, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demur.core.errors import ConfigError
from demur.endpoints.keys import read_keys as endpoint_keys
from demur.serve.problems import Problem, busy
from demur.serve.settings import ServeSettings

PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by machines without a key, also while the server stops."""
ALWAYS = PROBES | {"/metrics"}
"""Answered also while the server loads or stops, and never waited for."""
SAFE = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DISCARDED = 8
"""Times the largest body that are read of one that is refused."""
DISCARDING_SECONDS = 5
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(slots=True)
class Gate:
    """Whether questions are let in, and how many are being answered."""

    phase: Literal["loading", "open", "draining"] = "open"
    inside: int = 0


def read_keys(settings: ServeSettings) -> tuple[bytes, ...]:
    """The keys that may ask; none where everybody may.

    Raises:
        ConfigError: the variable is not set, or others could reach a server without a key.
    """
    if settings.key_variable is not None:
        return tuple(key.encode() for key in endpoint_keys(settings.key_variable))
    if settings.loopback or settings.force:
        return ()
    raise ConfigError(
        expected="a key, since others can reach this address",
        found=f"the host {settings.host!r} and no key",
        where="--api-key-env",
        fix="export a key and name its variable, listen on 127.0.0.1, or give --force to let everybody ask",
    )


class RequestBody:
    """What a client sends, and whether more of its body is to come without being invited."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self.more, self._receive = body and "expect" not in headers, receive

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self.more = bool(message.get("more_body", False))
        return message


class Guard:
    """ASGI middleware that lets through what may be answered.

    The whole body is read here, within its limits, so that behind it there is only JSON that any parser
    takes: no lone surrogates, no NaN, no towers of brackets.

    Args:
        keys: one of these must come with every request but probes and the page's files.
        files: paths of the page's files.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServeSettings,
        gate: Gate,
        keys: Sequence[bytes],
        files: frozenset[str],
    ) -> None:
        self.app, self.settings, self.gate = app, settings, gate
        self.keys, self.open = tuple(keys), PROBES | files
        # Without a key, a web page whose name was turned to this address must not ask in its visitor's name
        only_local = settings.loopback and not keys and not settings.force
        # Not Starlette's TrustedHostMiddleware: it replies in plain text and leaves the body unread
        names = LOCAL_NAMES | {settings.host.lower()} if only_local else ()
        self.hosts = [Host(name, app) for name in names]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with what is wrong."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = RequestBody(Headers(scope=scope), receive)
        problem = self._refusal(scope)
        counted = problem is None and scope["path"] not in ALWAYS  # from here on it will be answered
        self.gate.inside += counted
        try:
            try:
                if problem is None and scope["method"] == "POST":
                    receive = await self._read(Headers(scope=scope), body)
            except Problem as found:
                problem = found
            if problem is not None:
                await self._discard(body)
            await (self.app if problem is None else problem.response())(scope, receive, send)
        finally:
            self.gate.inside -= counted

    def _refusal(self, scope: Scope) -> Problem | None:
        headers, path = Headers(scope=scope), scope["path"]
        if self.hosts and not any(host.matches(scope)[0] is Match.FULL for host in self.hosts):
            return Problem(
                421, "this server answers only those who ask for this machine", code="wrong_host"
            )
        if self.keys and path not in self.open and not self._known(headers):
            return Problem(
                401,
                "a key is needed: Authorization: Bearer KEY",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if self.gate.phase != "open" and path not in ALWAYS:
            why = {"loading": "the model is being loaded", "draining": "the server is stopping"}
            return busy(why[self.gate.phase], status=503, code=self.gate.phase)
        return None

    def _known(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = key.strip().encode("latin-1")
        found = [hmac.compare_digest(given, own) for own in self.keys]  # each of them: time tells nothing
        return any(found) and scheme.lower() == "bearer"

    async def _read(self, headers: Headers, receive: Receive) -> Receive:
        """The body, once, and then whatever comes.

        Raises:
            Problem: it is too large, too slow, or no JSON.
        """
        body = await self._body(headers, receive)
        if body:
            _check(body, headers.get("content-type", ""))
        told = False

        async def again() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        return again

    async def _discard(self, body: RequestBody) -> None:
        """Read the rest of a body, up to a limit: a client that still sends does not read the reply."""
        rest = DISCARDED * self.settings.max_body_bytes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DISCARDING_SECONDS):
                while body.more and rest > 0:
                    message = await body()
                    rest -= len(message.get("body", b""))

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        limit, body = self.settings.max_body_bytes, bytearray()
        too_large = Problem(413, f"a body may have {limit:,} bytes", code="body_too_large")
        promised = headers.get("content-length", "0")
        if promised.isdecimal() and int(promised[:20]) > limit:
            raise too_large
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(499, "the client went away", code="client_closed_request")
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Problem(408, "the body did not come in time", code="request_timeout") from None


def _check(body: bytes, content_type: str) -> None:
    """Refuse a body that is not JSON, or not everybody's.

    Raises:
        Problem: saying what is wrong with it.
    """
    header = Header()
    header["content-type"] = content_type
    if header.get_content_type() != "application/json":  # others can be sent by any web page, unasked
        message = "send JSON, with the header Content-Type: application/json"
        raise Problem(415, message, code="unsupported_media_type")
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, f"the body is no JSON: {error}", code="invalid_json") from None


class SafeHeaders:
    """ASGI middleware that adds the headers which keep browsers from harm.

    Args:
        files: paths that a browser may keep, if it asks whether they changed.
    """

    def __init__(self, app: ASGIApp, *, files: frozenset[str]) -> None:
        self.app, self.files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them to the response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kept = "no-cache" if scope["path"] in self.files else "no-store"

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**SAFE, "Cache-Control": kept})
            await send(message)

        await self.app(scope, receive, safely)
