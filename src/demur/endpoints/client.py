"""Asking a model behind an OpenAI-compatible server many things at once, each of them once.

The openai package retries (exponential waits with jitter, or as long as the server's Retry-After says, up
to two minutes); `demur.endpoints.transport` paces and guards what is sent; `demur.endpoints.cache` keeps
what came back.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from demur.core.config import EndpointSettings
from demur.core.errors import ConfigError, ModelError
from demur.core.files import user_cache
from demur.endpoints.cache import NoCache, ReplyCache, request_key
from demur.endpoints.failures import GIVE_UP, Outage, failure_of, short
from demur.endpoints.keys import read_key, without_key
from demur.endpoints.pace import Pace
from demur.endpoints.replies import Failure, Reply, Usage, parse

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from demur.endpoints.transport import Transport

T = TypeVar("T")

Complete = Callable[[Sequence[str]], Sequence[Reply | Failure]]
"""From prompts to a reply or a failure for each, in order, such as `Endpoint.complete_many`."""

CHAT, PLAIN = "/chat/completions", "/completions"


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask.

    Attributes:
        path: where, below the server's address: `CHAT` or `PLAIN`.
        fields: what is sent, beside the model's name.
        name: tells requests apart that are sent alike but must not share a reply, such as two samples.
    """

    path: str
    fields: Mapping[str, Any]
    name: str = ""


class Endpoint:
    """A model behind a server. The key is read from the environment with each call and kept nowhere.

    Raises:
        ConfigError: the settings name no server, or one that cannot be asked; the openai package or the
            key is missing.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                expected="the openai package, which asks servers",
                found="it is not installed",
                fix='pip install "demur[openai]"',
            )
        self.settings = settings
        self.address = _address(settings)
        self.cache = settings.cache or user_cache() / "replies.sqlite"
        self.usage = Usage(settings.price_in, settings.price_out)
        self._pace = Pace(settings.requests_per_minute)
        self._key()

    def complete_many(
        self, prompts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Reply | Failure]:
        """What the model says to each prompt as a user's message, in order; see `ask_many`."""
        settings = self.settings
        return self.ask_many(
            [
                Request(
                    CHAT,
                    {
                        "messages": messages(prompt),
                        "max_tokens": settings.max_tokens,
                        "temperature": settings.temperature,
                    },
                )
                for prompt in prompts
            ],
            progress=progress,
        )

    def ask_many(
        self, requests: Sequence[Request], *, progress: Callable[[int], None] | None = None
    ) -> list[Reply | Failure]:
        """A reply or a failure for each request, in order; requests that are alike are sent once.

        Replies are kept as they come, so that a call that was interrupted goes on from there.

        Args:
            progress: called with the number of requests done since it was last called.

        Raises:
            ModelError: the server refuses everybody (wrong key, unknown model, …) or seems to be down:
                `GIVE_UP` failures in a row are its own, or all there are.
            ConfigError: the environment variable of the key is not set.
            ResourceError: the disk is full.
        """
        names = [self._name(request) for request in requests]
        shares, advance = Counter(names), progress or (lambda _: None)
        found: dict[str, Reply | Failure] = {}

        def done(name: str, answer: Reply | Failure) -> None:
            found[name] = answer
            self._count(answer)
            advance(shares[name])

        with self._replies() as cache:
            for name in shares:
                kept = cache.get(name)
                reply = None if kept is None else parse(kept, cached=True)
                if reply is not None:
                    done(name, reply)
        missing = {
            name: request for name, request in zip(names, requests, strict=True) if name not in found
        }
        if missing:
            # Where nothing ever came, a handful of failures is no bad luck with a handful of prompts.
            patience = GIVE_UP if found else min(GIVE_UP, len(missing))
            _run(self._ask_all(missing, done, Outage(patience, self.error)))
        return [found[name] for name in names]

    def try_one(self, request: Request) -> Reply | Failure:
        """What comes of one request, now: nothing is taken from what was kept, and nothing is kept.

        Raises:
            ConfigError: the environment variable of the key is not set.
        """

        async def send() -> Reply | Failure:
            key = self._key()
            transport = self._transport(key, _texts(request))
            try:
                async with self._client(transport) as client:
                    sent = await self._send(request, client, key)
                return sent if isinstance(sent, Failure) else _read(sent)
            finally:
                self.usage.requests += transport.requests

        return _run(send())

    async def _ask_all(
        self, requests: Mapping[str, Request], done: Callable[[str, Reply | Failure], None], down: Outage
    ) -> None:
        waiting, key = iter(requests.items()), self._key()
        transport = self._transport(key, max(map(_texts, requests.values())))

        async def work(client: AsyncOpenAI, cache: ReplyCache | NoCache) -> None:
            for name, request in waiting:
                answer = await self._ask(name, request, client, cache, key)
                done(name, answer)
                down.look_at(answer)

        try:
            with self._replies() as cache:
                async with self._client(transport) as client, asyncio.TaskGroup() as workers:
                    for _ in range(min(self.settings.concurrency, len(requests))):
                        workers.create_task(work(client, cache))
        except ExceptionGroup as group:  # the first is what the others would have met too
            raise group.exceptions[0] from None
        finally:
            self.usage.requests += transport.requests

    async def _ask(
        self,
        name: str,
        request: Request,
        client: AsyncOpenAI,
        cache: ReplyCache | NoCache,
        key: str | None,
    ) -> Reply | Failure:
        sent = await self._send(request, client, key)
        if isinstance(sent, Failure):
            return sent
        reply = _read(sent)
        return reply if isinstance(reply, Failure) else parse(cache.put(name, sent)) or reply

    async def _send(self, request: Request, client: AsyncOpenAI, key: str | None) -> str | Failure:
        """The body of the server's reply, without the key."""
        import httpx2
        import openai

        from demur.endpoints.transport import RefusedReply

        try:
            response = await client.post(
                request.path, body=self._body(request.fields), cast_to=httpx2.Response
            )
        except openai.APIError as error:
            return failure_of(error, key)
        except RefusedReply as error:
            return Failure(reason="reply refused", detail=str(error))
        return without_key(response.text, key)

    def _name(self, request: Request) -> str:
        """The name that the reply to a request is kept under."""
        address = self.address + request.path
        return request_key(
            f"{address} {request.name}" if request.name else address, self._body(request.fields)
        )

    def _body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        whole = {"model": self.settings.model, **fields, **self.settings.extra}
        return {name: value for name, value in whole.items() if value is not None}

    def _client(self, transport: Transport) -> AsyncOpenAI:
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            api_key="none",  # the transport adds the real one; without any, it would be sought elsewhere
            base_url=self.address,
            max_retries=self.settings.retries,
            timeout=self.settings.timeout_seconds,
            http_client=transport,
        )

    def _transport(self, key: str | None, texts: int) -> Transport:
        """The network, for replies of so many texts."""
        from demur.endpoints.transport import LARGEST_REPLY, Transport

        return Transport(
            key=key,
            timeout_seconds=self.settings.timeout_seconds,
            connections=self.settings.concurrency,
            pace=self._pace,
            largest=LARGEST_REPLY * texts,
        )

    def _count(self, answer: Reply | Failure) -> None:
        if isinstance(answer, Failure):
            self.usage.failed += 1
        else:
            (self.usage.cached if answer.cached else self.usage.new).add(answer)

    def _replies(self) -> ReplyCache | NoCache:
        return ReplyCache(self.cache) if self.settings.remember else NoCache()

    def _key(self) -> str | None:
        variable = self.settings.key_variable
        return None if variable is None else read_key(variable)

    def error(self, failure: Failure) -> ModelError:
        """The error that tells of a failure."""
        said = f": {failure.detail}" if failure.detail else ""
        return ModelError(
            expected=f"replies of the model {self.settings.model!r}",
            found=f"{failure.reason}{said}",
            where=self.address,
            fix="check that the server runs and knows the model, and that the key is right; then run the "
            "same command again: the replies that came are kept",
        )


def _texts(request: Request) -> int:
    """How many texts a request asks for."""
    wanted = request.fields.get("n")
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def messages(prompt: str) -> list[dict[str, str]]:
    """A prompt as a user's message of a chat; what is no Unicode becomes question marks."""
    return [{"role": "user", "content": sendable(prompt)}]


def sendable(text: str) -> str:
    """A text without lone surrogates, which no request can hold."""
    return text.encode(errors="replace").decode()


def _read(content: str) -> Reply | Failure:
    """The reply in the body of a server's answer."""
    return parse(content) or Failure(reason="no text in the reply", detail=short(content))


def _address(settings: EndpointSettings) -> str:
    """The server's address, without a slash at its end.

    Raises:
        ConfigError: it is missing, or holds more than an address.
    """
    parts = urlsplit(settings.base_url or "")
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme in ("http", "https") and parts.hostname and plain and settings.model:
        return f"{settings.base_url}".rstrip("/")
    raise ConfigError(
        expected="the address of a server, such as http://localhost:8000/v1, and the name of a model there",
        found="an address with a user, a password or a query" if not plain else repr(settings.base_url),
        where="base_url",
        fix="begin it with http:// or https://; a key belongs in an environment variable (key_variable)",
    )


def _run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, also where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
