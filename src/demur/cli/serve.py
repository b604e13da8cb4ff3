"""`demur serve`: an honest model behind OpenAI's API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demur.cli.ask import MaxError, ModelSettings, Source, SystemName, Threshold, as_settings

if TYPE_CHECKING:
    from demur.ask import Answerer

KEY = "environment variable with its key"
RETRIES = 1
"""Of a request to an upstream server: somebody is waiting."""
AT_ONCE = 64
"""Requests under way at an upstream server."""


def serve(
    source: Source,
    system: SystemName = None,
    threshold: Threshold = None,
    max_error: MaxError = None,
    samples: Annotated[
        int | None, typer.Option(help="Answers drawn of a question, where the system draws some.")
    ] = None,
    model_set: ModelSettings = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    api_key_env: Annotated[
        str | None,
        typer.Option(help="Environment variable with the keys that may ask, separated by commas."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the model is called; by default as SOURCE.")
    ] = None,
    strict_model: Annotated[
        bool, typer.Option("--strict-model", help="Answer 404 to any other model name.")
    ] = False,
    upstream: Annotated[
        str | None, typer.Option(help="Ask a model behind this OpenAI-compatible server, http://HOST/v1.")
    ] = None,
    upstream_model: Annotated[
        str | None, typer.Option(help="The model's name there; by default as SOURCE has it.")
    ] = None,
    upstream_key_env: Annotated[str | None, typer.Option(help=f"Upstream: {KEY}.")] = None,
    retrieval_url: Annotated[
        str | None, typer.Option(help="Where passages are asked for when the model declines.")
    ] = None,
    retrieval_key_env: Annotated[str | None, typer.Option(help=f"Retrieval: {KEY}.")] = None,
    fallback_url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server that is asked when the model declines.")
    ] = None,
    fallback_model: Annotated[str | None, typer.Option(help="The model's name there.")] = None,
    fallback_key_env: Annotated[str | None, typer.Option(help=f"Fallback: {KEY}.")] = None,
    hook_timeout: Annotated[
        float, typer.Option(help="Seconds after which retrieval or fallback are given up.")
    ] = 20.0,
    cors: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="Let this origin's web pages ask.")
    ] = None,
    log_prompts: Annotated[
        bool, typer.Option("--log-prompts", help="Log questions and answers too.")
    ] = False,
    max_waiting: Annotated[int, typer.Option(help="Questions in line; further ones get a 429.")] = 256,
    max_batch: Annotated[int, typer.Option(help="Questions answered at once.")] = 64,
    max_body: Annotated[int, typer.Option(help="Bytes of a request's body.")] = 2**20,
    max_prompt: Annotated[int, typer.Option(help="Characters of a question.")] = 32_768,
    timeout: Annotated[float, typer.Option(help="Seconds after which a request is given up.")] = 60.0,
    force: Annotated[
        bool, typer.Option("--force", help="Listen without a key where others can reach it.")
    ] = False,
) -> None:
    """Serve an honest model: OpenAI's API, refusals below the threshold, and how sure each answer is.

    Example: `demur serve runs/mine`, then `curl localhost:8000/v1/models`
    """
    _require_packages()
    from demur.ask import load
    from demur.core.console import quiet_libraries
    from demur.serve import ServeSettings, check_contents
    from demur.serve import serve as run

    quiet_libraries()
    settings = ServeSettings.of(
        name=name or _name(source),
        host=host,
        port=port,
        key_variable=api_key_env,
        force=force,
        strict_model=strict_model,
        cors=tuple(cors or ()),
        log_prompts=log_prompts,
        max_waiting=max_waiting,
        max_batch=max_batch,
        max_body_bytes=max_body,
        max_prompt_characters=max_prompt,
        timeout_seconds=timeout,
        retrieval_url=retrieval_url,
        retrieval_key_variable=retrieval_key_env,
        fallback_url=fallback_url,
        fallback_model=fallback_model,
        fallback_key_variable=fallback_key_env,
        hook_timeout_seconds=hook_timeout,
    )
    server = {
        "engine": "openai",
        "path": upstream_model,
        "endpoint.base_url": upstream,
        "endpoint.key_variable": upstream_key_env,
        "endpoint.retries": RETRIES,
        "endpoint.timeout_seconds": timeout,
        "endpoint.concurrency": AT_ONCE,
    }
    model = {name: value for name, value in server.items() if upstream and value is not None}
    model |= {"endpoint.remember": False} | as_settings(model_set)  # what is asked here is nobody else's

    def open_answerer() -> Answerer:
        return load(
            source,
            system=system,
            threshold=threshold,
            max_error=max_error,
            samples=samples,
            model=model,
            most=max_batch,
            waiting=max_waiting,
            check=check_contents,
        )

    raise typer.Exit(run(open_answerer, settings, announce=typer.echo))


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
