"""A small client of OpenAI-compatible servers: one prompt in, one reply out, by the standard library."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from demur.errors import ConfigError, ModelError

MOST_BYTES = 4_000_000
"""A longer reply is not read to its end, and is then no JSON."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: following it would carry the key to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModel:
    """A chat model behind an OpenAI-compatible server; called with a prompt it gives the reply.

    The key is read from the environment with each call. It is kept nowhere, and no message shows it.
    """

    base_url: str
    """Such as ``http://localhost:8000/v1``; ``/chat/completions`` is added."""
    model: str
    key_variable: str | None = None
    """Name of the environment variable that holds the key; None where the server wants none."""
    max_tokens: int = 200
    temperature: float = 0.0
    timeout_seconds: float = 60.0
    retries: int = 3
    """How often a call is made again after a passing failure (busy, timed out, not reachable)."""
    pause_seconds: float = 1.0
    """Before the first retry; doubled with each."""

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(
                expected="the address of a server, such as http://localhost:8000/v1",
                found=repr(self.base_url),
                where="base_url",
                fix="begin it with http:// or https://",
            )

    def __call__(self, prompt: str) -> str:
        """The model's reply to one prompt.

        Raises:
            ModelError: the server cannot be reached, refuses, or replies with something else.
            ConfigError: the environment variable of the key is not set.
        """
        for attempt in range(self.retries + 1):
            try:
                content = self._post(prompt)
            except urllib.error.HTTPError as error:
                found = f"status {error.code} ({error.reason})"
                passing = error.code in _PASSING
                error.close()
            except (OSError, http.client.HTTPException) as error:
                found, passing = str(error) or type(error).__name__, True
            else:
                return self._reply(content)
            if not passing:
                break
            if attempt < self.retries:
                time.sleep(self.pause_seconds * 2**attempt)
        raise self._error(found)

    def _post(self, prompt: str) -> bytes:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
        }
        request = urllib.request.Request(  # noqa: S310 - only http and https, see __post_init__
            f"{self.base_url.rstrip('/')}/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._authorization()},
        )
        opener = urllib.request.build_opener(_NoRedirects)
        with opener.open(request, timeout=self.timeout_seconds) as reply:
            content = reply.read(MOST_BYTES)
        assert isinstance(content, bytes)
        return content

    def _authorization(self) -> dict[str, str]:
        if self.key_variable is None:
            return {}
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise ConfigError(
                expected=f"the server's key in the environment variable {self.key_variable}",
                found="no such variable, or an empty one",
                fix=f"export {self.key_variable}, or leave key_variable out",
            )
        return {"Authorization": f"Bearer {key}"}

    def _reply(self, content: bytes) -> str:
        try:
            text = json.loads(content)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise self._error("a reply without choices[0].message.content")
        return text

    def _error(self, found: str) -> ModelError:
        return ModelError(
            expected=f"a reply of the model {self.model!r}",
            found=found,
            where=self.base_url,
            fix="check that the server runs and knows the model, and that the key is right",
        )
