"""Everything that `demur serve` can be told, beside what is asked and when it declines."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

import pydantic
from pydantic import Field

from demur.core.config import Positive, Section, explain


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("an address begins with http:// or https:// and holds no user and no password")
    return value.rstrip("/")


Url = Annotated[str, pydantic.AfterValidator(_web_address)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class ServeSettings(Section):
    """How a model is served."""

    name: str = Field("demur", min_length=1, description="what the model is called in /v1/models")
    host: str = Field(
        "127.0.0.1", description="address to listen on; 0.0.0.0 for every one of this machine"
    )
    port: Port = Field(8000, description="0 takes a free one")
    key_variable: str | None = Field(
        None, description="environment variable that holds the keys, separated by commas; left out: no key"
    )
    force: bool = Field(False, description="serve without a key also where others can reach it")
    strict_model: bool = Field(False, description="answer 404 to any other model name than this model's")
    cors: tuple[str, ...] = Field(
        (), description="web pages of these origins may ask, such as https://a.org"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="further names that it may be asked by, such as demur.example.org; * for any"
    )
    log_prompts: bool = Field(False, description="log questions and answers too")
    max_waiting: Positive = Field(256, description="questions in line; further ones are turned away")
    max_batch: Positive = Field(64, description="questions answered at once")
    max_body_bytes: Positive = Field(2**20, description="largest body of a request")
    max_prompt_characters: Positive = Field(
        32_768, description="largest question with all that comes along"
    )
    max_prompts: Positive = Field(64, description="prompts of one request")
    timeout_seconds: Seconds = Field(60.0, description="after which a request is given up")
    drain_seconds: Seconds = Field(
        20.0, description="from the signal to stop to the end of the process, at most"
    )
    max_connections: Positive = Field(
        512, description="connections at once, fewer where the limit of open files is low"
    )
    retrieval_url: Url | None = Field(
        None, description="where passages for a question that was declined are asked for"
    )
    retrieval_key_variable: str | None = Field(None, description="environment variable with its key")
    fallback_url: Url | None = Field(
        None, description="OpenAI-compatible server that is asked what was declined, such as http://host/v1"
    )
    fallback_model: str | None = Field(None, description="the model's name there")
    fallback_key_variable: str | None = Field(None, description="environment variable with its key")
    hook_timeout_seconds: Seconds = Field(20.0, description="after which the refusal stands")

    @pydantic.model_validator(mode="after")
    def _belong_together(self) -> ServeSettings:
        if (self.fallback_url is None) != (self.fallback_model is None):
            raise ValueError("fallback_url and fallback_model belong together: give both, or neither")
        return self

    @classmethod
    def of(cls, **values: Any) -> ServeSettings:
        """Settings from values as they were given.

        Raises:
            ConfigError: some of them do not fit; all of them are named.
        """
        try:
            return cls(**values)
        except pydantic.ValidationError as error:
            raise explain(
                error, "demur serve", fix="`demur serve --help` says what each option means"
            ) from error

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def prompts(self) -> int:
        """Prompts that one request may hold: no more than ever fit in line."""
        return min(self.max_prompts, self.max_waiting)
