"""The app: routes, and around them what watches and guards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from demur.ask import Answerer
from demur.core.version import __version__
from demur.serve import openai_api, page_api, problems
from demur.serve.asking import AnswerService
from demur.serve.gate import Gate
from demur.serve.guard import Guard, SafeHeaders, read_keys
from demur.serve.hooks import hooks_of
from demur.serve.observe import Metrics, Observing, is_request_id
from demur.serve.openai_api import errors
from demur.serve.settings import ServeSettings

PAGE = Path(__file__).parent / "page"
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
SILENT: Any = {"tracing": False, "metrics": False, "logs": False}
"""Of the framework's own telemetry: it would tell others what is asked."""


def create_app(answerer: Answerer, settings: ServeSettings, *, gate: Gate | None = None) -> FastAPI:
    """The server of a model.

    Args:
        gate: lets questions in, and knows how many are being answered.

    Raises:
        ConfigError: the variable of a key is not set, or a key is needed.
    """
    gate, keys, metrics = gate or Gate(), read_keys(settings), Metrics(answerer)
    asking = AnswerService(answerer, settings, metrics, hooks_of(settings), gate)
    bearer = [Security(HTTPBearer(auto_error=False, description="One of the server's keys."))]
    dependencies: Any = bearer if keys else []
    app = _bare("An honest model: it answers, or says that it does not know.")
    _probes(app, gate)

    @app.get(
        "/metrics",
        response_class=Response,
        responses=TEXT | errors(401, 403, 421),
        dependencies=dependencies,
    )
    async def prometheus() -> Response:
        """Counters and histograms for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.include_router(openai_api.router(asking), dependencies=dependencies)
    app.include_router(page_api.router(asking), dependencies=dependencies)
    files = dict(_page_files())
    for path, file in files.items():
        app.router.routes.append(_file_route(path, file))
    return _around(app, settings, gate, keys, files=frozenset(files), metrics=metrics)


def loading_app(settings: ServeSettings, gate: Gate) -> FastAPI:
    """What answers while the model is being loaded: that it is not ready."""
    app = _bare("A model that is being loaded.")
    _probes(app, gate)
    return _around(app, settings, gate, read_keys(settings), files=frozenset(), metrics=None)


def _bare(description: str) -> FastAPI:
    app = FastAPI(
        title="Demur",
        version=__version__,
        description=description,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        telemetry=SILENT,
    )
    problems.handle(app)
    return app


def _probes(app: FastAPI, gate: Gate) -> None:
    @app.get("/healthz", response_class=Response, responses=TEXT | errors(421))
    async def healthy() -> Response:
        """Whether the process answers at all."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz", response_class=Response, responses=TEXT | errors(421, 503))
    async def ready() -> Response:
        """Whether questions are answered now."""
        if closed := gate.closed():
            raise closed
        return PlainTextResponse("ok\n")


def _around(
    app: FastAPI,
    settings: ServeSettings,
    gate: Gate,
    keys: tuple[bytes, ...],
    *,
    files: frozenset[str],
    metrics: Metrics | None,
) -> FastAPI:
    """What stands around the routes, from the inside out."""
    routes = frozenset(_plain_paths(app)) | files
    app.add_middleware(Guard, settings=settings, gate=gate, keys=keys, files=files)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(SafeHeaders, files=files)
    app.add_middleware(Observing, routes=routes, metrics=metrics)
    app.add_middleware(CorrelationIdMiddleware, validator=is_request_id)
    return app


def _plain_paths(app: FastAPI) -> Iterable[str]:
    paths = app.openapi()["paths"]
    return ["/openapi.json", *(path for path in paths if "{" not in path)]


def _page_files() -> Iterable[tuple[str, Path]]:
    """The page's files by their path."""
    yield "/", PAGE / "index.html"
    for file in sorted(PAGE.rglob("*")):
        if file.is_file():
            yield f"/{file.relative_to(PAGE).as_posix()}", file


def _file_route(path: str, file: Path) -> Route:
    async def send(_: Any) -> Response:
        return FileResponse(file)

    return Route(path, send, methods=["GET"], include_in_schema=False)
