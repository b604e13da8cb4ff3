"""`demur serve`: an honest model behind OpenAI's API."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demur.cli.ask import MaxError, ModelSettings, Source, SystemName, Threshold, as_settings

if TYPE_CHECKING:
    from demur.ask import Answerer
    from demur.serve import ServeSettings

KEY = "environment variable with its key"
RETRIES = 1
"""Of a request to an upstream server: somebody is waiting."""
AT_ONCE = 64
"""Requests under way at an upstream server."""


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """The options of `demur serve`. Those that `ServeSettings` has too are named as there."""

    source: Source
    system: SystemName = None
    threshold: Threshold = None
    max_error: MaxError = None
    samples: Annotated[
        int | None, typer.Option(help="Answers drawn of a question, where the system draws some.")
    ] = None
    model_set: ModelSettings = None
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000
    key_variable: Annotated[
        str | None,
        typer.Option(
            "--api-key-env", help="Environment variable with the keys that may ask, separated by commas."
        ),
    ] = None
    name: Annotated[str | None, typer.Option(help="What the model is called; by default as SOURCE.")] = None
    strict_model: Annotated[
        bool, typer.Option("--strict-model", help="Answer 404 to any other model name.")
    ] = False
    upstream: Annotated[
        str | None, typer.Option(help="Ask a model behind this OpenAI-compatible server, http://HOST/v1.")
    ] = None
    upstream_model: Annotated[
        str | None, typer.Option(help="The model's name there; by default as SOURCE has it.")
    ] = None
    upstream_key_env: Annotated[str | None, typer.Option(help=f"Upstream: {KEY}.")] = None
    retrieval_url: Annotated[
        str | None, typer.Option(help="Where passages are asked for when the model declines.")
    ] = None
    retrieval_key_variable: Annotated[
        str | None, typer.Option("--retrieval-key-env", help=f"Retrieval: {KEY}.")
    ] = None
    fallback_url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server that is asked when the model declines.")
    ] = None
    fallback_model: Annotated[str | None, typer.Option(help="The model's name there.")] = None
    fallback_key_variable: Annotated[
        str | None, typer.Option("--fallback-key-env", help=f"Fallback: {KEY}.")
    ] = None
    hook_timeout_seconds: Annotated[
        float,
        typer.Option("--hook-timeout", help="Seconds after which retrieval or fallback are given up."),
    ] = 20.0
    cors: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="Let this origin's web pages ask.")
    ] = None
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Answer under this host name too; * for any name."),
    ] = None
    log_prompts: Annotated[bool, typer.Option("--log-prompts", help="Log questions and answers too.")] = (
        False
    )
    max_waiting: Annotated[int, typer.Option(help="Questions in line; further ones get a 429.")] = 256
    max_batch: Annotated[int, typer.Option(help="Questions answered at once.")] = 64
    max_body_bytes: Annotated[int, typer.Option("--max-body", help="Bytes of a request's body.")] = 2**20
    max_prompt_characters: Annotated[
        int, typer.Option("--max-prompt", help="Characters of a question.")
    ] = 32_768
    timeout_seconds: Annotated[
        float, typer.Option("--timeout", help="Seconds after which a request is given up.")
    ] = 60.0
    drain_seconds: Annotated[
        float, typer.Option("--drain", help="Seconds to stop within, after SIGTERM, SIGHUP or Ctrl-C.")
    ] = 20.0
    max_connections: Annotated[int, typer.Option(help="Open connections; further ones are closed.")] = 512
    force: Annotated[
        bool, typer.Option("--force", help="Listen without a key where others can reach it.")
    ] = False

    def settings(self) -> ServeSettings:
        """How the model is served.

        Raises:
            ConfigError: some options do not fit; all of them are named.
        """
        from demur.serve import ServeSettings

        shared = ServeSettings.model_fields.keys() & {field.name for field in dataclasses.fields(self)}
        given = {name: getattr(self, name) for name in shared if getattr(self, name) is not None}
        return ServeSettings.of(**given | {"name": self.name or _name(self.source)})

    def model(self) -> dict[str, Any]:
        """Settings of the model over those of the source."""
        server = {
            "engine": "openai",
            "path": self.upstream_model,
            "endpoint.base_url": self.upstream,
            "endpoint.key_variable": self.upstream_key_env,
            "endpoint.retries": RETRIES,
            "endpoint.timeout_seconds": self.timeout_seconds,
            "endpoint.concurrency": AT_ONCE,
        }
        found = {name: value for name, value in server.items() if self.upstream and value is not None}
        # what is asked here is nobody else's
        return found | {"endpoint.remember": False} | as_settings(self.model_set)

    def open(self) -> Answerer:
        """Open the model.

        Raises:
            DemurError: it cannot be opened, or must not be served.
        """
        from demur.ask import load
        from demur.serve import check_contents

        return load(
            self.source,
            system=self.system,
            threshold=self.threshold,
            max_error=self.max_error,
            samples=self.samples,
            model=self.model(),
            most=self.max_batch,
            waiting=self.max_waiting,
            check=check_contents,
        )


def serve(options: ServeOptions) -> None:
    """Serve an honest model: OpenAI's API, refusals below the threshold, and how sure each answer is.

    Example: `demur serve runs/mine`, then `curl localhost:8000/v1/models`
    """
    _require_packages()
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.serve import serve as run

    settings = options.settings()
    options.model()  # a mistake in it is found before anything listens
    raise typer.Exit(run(options.open, settings, announce=typer.echo))


def _name(source: str) -> str:
    """A folder's own name; else the model's."""
    return Path(source).resolve().name if Path(source).exists() else source


def _require_packages() -> None:
    """Raise unless what serves is installed.

    Raises:
        ConfigError: it is not.
    """
    from importlib.util import find_spec

    from demur.core.errors import ConfigError

    missing = [
        name for name in ("fastapi", "uvicorn", "prometheus_client", "httpx2") if not find_spec(name)
    ]
    if missing:
        raise ConfigError(
            expected="the packages that serve",
            found=f"no {', '.join(missing)}",
            fix="pip install 'demur[serve]'",
        )
