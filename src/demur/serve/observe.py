"""What operators see: Prometheus metrics, and one JSON line in the log for each request."""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import time
import traceback
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demur.ask import Answer, Answerer
from demur.ask.answer import MODEL
from demur.serve.guard import ALWAYS
from demur.serve.problems import Problem, problem_of

log = logging.getLogger("demur.serve")

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
TENTHS = tuple(number / 10 for number in range(1, 11))
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(slots=True)
class Seen:
    """What is known of the request in hand."""

    id: str
    answers: list[dict[str, Any]] = field(default_factory=list)


_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


def request_id() -> str:
    """Of the request in hand."""
    seen = _seen.get()
    return seen.id if seen else uuid.uuid4().hex


def finite(value: float | None) -> float | None:
    """A number that is one; None for all others, which JSON does not know."""
    return None if value is None or not math.isfinite(value) else value


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self, answerer: Answerer) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "demur_requests", "Requests.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "demur_request_seconds", "From a request to the end of its response.", ["route"],
            registry=self.registry,
        )  # fmt: skip
        self.answers = Counter(
            "demur_answers", "Questions by what came of them: answered or refused, and who answered.",
            ["outcome", "answered_by"], registry=self.registry,
        )  # fmt: skip
        self.confidence = Histogram(
            "demur_confidence", "The model's confidence in its answers, those that it declined included.",
            buckets=TENTHS, registry=self.registry,
        )  # fmt: skip
        self.batches = Histogram(
            "demur_batch_size", "Questions answered at once.", buckets=SIZES, registry=self.registry
        )
        self.hooks = Counter(
            "demur_hook_failures", "Times that a hook brought nothing of use.", ["hook"],
            registry=self.registry,
        )  # fmt: skip
        waiting = Gauge("demur_queue_length", "Questions in line.", registry=self.registry)
        waiting.set_function(lambda: answerer.waiting)
        for outcome in ("answered", "refused"):  # a rate needs both from the start
            self.answers.labels(outcome, MODEL)
        answerer.on_batch = self.batches.observe

    def answered(self, first: Answer, shown: Answer, *, log_prompts: bool) -> None:
        """Take note of what came of a question.

        Args:
            first: what the model itself said.
            shown: what the caller gets.
        """
        outcome = "refused" if shown.abstained else "answered"
        self.answers.labels(outcome, shown.answered_by).inc()
        confidence = finite(first.confidence)
        if confidence is not None:
            self.confidence.observe(confidence)
        if (seen := _seen.get()) is not None:
            told = {
                "abstained": shown.abstained,
                "confidence": confidence,
                "answered_by": shown.answered_by,
            }
            said = {"question": shown.question, "answer": shown.text} if log_prompts else {}
            seen.answers.append(told | said)


class Observing:
    """ASGI middleware: each request is counted, timed and logged, and a defect becomes a plain 500.

    Args:
        routes: paths without parameters; others are counted by the pattern that they fit, if any.
        metrics: where they are counted; None for nowhere.
    """

    def __init__(self, app: ASGIApp, *, routes: frozenset[str], metrics: Metrics | None = None) -> None:
        self.app, self.routes, self.metrics = app, routes, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and take note of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        seen = Seen(given if ID.fullmatch(given) else uuid.uuid4().hex)
        token, start, status = _seen.set(seen), time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = seen.id
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            log.error("defect", exc_info=error, extra={"fields": {"request_id": seen.id}})
            if status == 0:
                problem = problem_of(error) or Problem(500, "a defect of the server", code="internal_error")
                await problem.response()(scope, receive, watched)
        finally:
            _seen.reset(token)
            self._note(scope, seen, status or 499, time.perf_counter() - start)

    def _note(self, scope: Scope, seen: Seen, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = self._route(scope)
        if self.metrics is not None:
            self.metrics.requests.labels(method, route, status).inc()
            self.metrics.seconds.labels(route).observe(seconds)
        fields = {
            "request_id": seen.id,
            "method": method,
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
        }
        told = {"answers": seen.answers} if seen.answers else {}
        level = logging.DEBUG if scope["path"] in ALWAYS else logging.INFO  # probes come every few seconds
        log.log(level, "request", extra={"fields": fields | told})

    def _route(self, scope: Scope) -> str:
        if scope["path"] in self.routes:
            return str(scope["path"])
        return str(getattr(scope.get("route"), "path", None) or "other")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. What an error says may hold a question, so only its kind and place
    are told, unless prompts may be logged.
    """

    def __init__(self, *, log_prompts: bool = False) -> None:
        super().__init__()
        self.log_prompts = log_prompts

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.name != log.name:
            line["logger"] = record.name
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self._error(record.exc_info[1])
        return json.dumps(line, default=str)

    def _error(self, error: BaseException) -> dict[str, Any]:
        frames = traceback.extract_tb(error.__traceback__)
        said = {"message": str(error)} if self.log_prompts else {}
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return {"kind": type(error).__name__, "where": where, **said}


def log_to_stderr(*, log_prompts: bool) -> None:
    """Write this process's log as JSON lines to the error stream."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(log_prompts=log_prompts))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # not each request that is no HTTP
