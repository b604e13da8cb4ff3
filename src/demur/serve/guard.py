"""Who may ask, and how much: hosts, sites, keys, limits, headers."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
import socket
from collections.abc import Iterable, Sequence
from email.message import Message as Header
from ipaddress import ip_address

from pydantic_core import from_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demur.core.errors import ConfigError
from demur.endpoints.keys import read_keys as endpoint_keys
from demur.serve.gate import Gate
from demur.serve.problems import Problem
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
OWN_SITE = frozenset({"same-origin", "none"})
"""What a browser says of a request that the server's own page or its user made."""
DISCARDED = 8
"""Times the largest body that are read of one that is refused."""
DISCARDING_SECONDS = 5
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]*)?")
"""A name or an address, and perhaps a port."""


OWNER = "demur.owner"
"""Where a request's scope says whose it is."""


def owner_of(scope: Scope) -> object:
    """Whose a request is: a key's where there are several, else a connection's. Owners take turns."""
    return scope.get(OWNER) or scope.get("client")


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


class Hosts:
    """The names that a server may be asked by.

    A web page can turn a name of its own to this server's address and then ask in its visitor's browser. A
    request by such a name is refused. An address is no such name.

    Args:
        names: that are right, in lower case; ``*`` for any.
        addresses: whether any address is right.
    """

    def __init__(self, names: Iterable[str], *, addresses: bool) -> None:
        self.names, self.addresses = frozenset(names), addresses

    @classmethod
    def of(cls, settings: ServeSettings) -> Hosts:
        """Those of this machine and those that were allowed."""
        allowed = {name.lower() for name in settings.allowed_hosts}
        if settings.force and not allowed:
            allowed = {"*"}
        own = {settings.host.lower(), socket.gethostname().lower()}
        return cls(LOCAL_NAMES | own | allowed, addresses=not settings.loopback)

    def fit(self, given: str) -> bool:
        """Whether a Host header names one of them."""
        if "*" in self.names:
            return True
        found = HOST.fullmatch(given.lower())
        if found is None:
            return False
        return found[1] in self.names or (self.addresses and _is_address(found[1]))


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


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
        self.keys, self.files, self.open = tuple(keys), files, PROBES | files
        self.hosts = Hosts.of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with what is wrong."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = RequestBody(Headers(scope=scope), receive)
        always = scope["path"] in ALWAYS
        problem = self._refusal(scope) or (None if always else self.gate.closed())
        try:
            if problem is None and scope["method"] == "POST":
                receive = await self._read(Headers(scope=scope), body)
                problem = self.gate.closed()  # it may have closed while the body came
        except Problem as found:
            problem = found
        if problem is not None:
            await self._discard(body)
            await problem.response()(scope, receive, send)
        elif always or scope["path"] in self.files:
            await self.app(scope, receive, send)
        else:
            with self.gate.entered():
                await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers, path = Headers(scope=scope), scope["path"]
        if "content-length" in headers and "transfer-encoding" in headers:  # RFC 9112, 6.1: smuggling
            message = "a body has a Content-Length or a Transfer-Encoding, not both"
            return Problem(400, message, code="invalid_request", headers={"Connection": "close"})
        if not self.hosts.fit(headers.get("host", "")):
            message = "this server does not answer under this name; see --allowed-hosts"
            return Problem(421, message, code="wrong_host")
        if path not in self.open and self._from_elsewhere(headers):
            message = "web pages of other sites may not ask; see --cors"
            return Problem(403, message, code="cross_site")
        if self.keys and path not in self.open and not self._known(headers, scope):
            return Problem(
                401,
                "a key is needed: Authorization: Bearer KEY",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return None

    def _from_elsewhere(self, headers: Headers) -> bool:
        """Whether a browser asks for a page of another origin, even where it may not read the reply."""
        if headers.get("sec-fetch-site", "none").lower() in OWN_SITE:
            return False
        return not {headers.get("origin"), "*"} & set(self.settings.cors)

    def _known(self, headers: Headers, scope: Scope) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = key.strip().encode("latin-1")
        found = [hmac.compare_digest(given, own) for own in self.keys]  # each of them: time tells nothing
        if not any(found) or scheme.lower() != "bearer":
            return False
        if len(self.keys) > 1:
            scope[OWNER] = self.keys[found.index(True)]
        return True

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
