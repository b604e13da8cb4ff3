"""What operators see: Prometheus metrics, and one JSON line in the log for each request."""

from __future__ import annotations

import logging
import re
import time
import traceback
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from asgi_correlation_id import CorrelationIdFilter, correlation_id
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demur.ask import Answer, Answerer
from demur.ask.answer import MODEL, finite
from demur.serve.guard import ALWAYS
from demur.serve.lines import LineWriter, log_to_stderr
from demur.serve.problems import Problem, problem_of

log = logging.getLogger("demur.serve")
log.addFilter(CorrelationIdFilter())

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
TENTHS = tuple(number / 10 for number in range(1, 11))
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
LOG_FIELDS = {
    "asctime": "time",
    "levelname": "level",
    "message": "event",
    "correlation_id": "request_id",
    "name": "logger",
    "exc_info": "error",
}
"""What a log line says of every record, by the names that `logging` has for it."""
_answers: ContextVar[list[dict[str, Any]] | None] = ContextVar("answers", default=None)
"""What came of the questions of the request in hand."""


def is_request_id(given: str) -> bool:
    """Whether a client's id may stand in a header and in the log."""
    return ID.fullmatch(given) is not None


def request_id() -> str:
    """The id of the request in hand."""
    return correlation_id.get() or uuid.uuid4().hex


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
        if (answers := _answers.get()) is not None:
            told = {
                "abstained": shown.abstained,
                "confidence": confidence,
                "answered_by": shown.answered_by,
            }
            said = {"question": shown.question, "answer": shown.text} if log_prompts else {}
            answers.append(told | said)


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
        answers: list[dict[str, Any]] = []
        token, start, status = _answers.set(answers), time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            log.error("defect", exc_info=error)
            if status == 0:
                problem = problem_of(error) or Problem(500, "a defect of the server", code="internal_error")
                await problem.response()(scope, receive, watched)
        finally:
            _answers.reset(token)
            self._note(scope, answers, status or 499, time.perf_counter() - start)

    def _note(self, scope: Scope, answers: list[dict[str, Any]], status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = self._route(scope)
        if self.metrics is not None:
            self.metrics.requests.labels(method, route, status).inc()
            self.metrics.seconds.labels(route).observe(seconds)
        fields = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        told = {"answers": answers} if answers else {}
        level = logging.DEBUG if scope["path"] in ALWAYS else logging.INFO  # probes come every few seconds
        log.log(level, "request", extra=fields | told)

    def _route(self, scope: Scope) -> str:
        if scope["path"] in self.routes:
            return str(scope["path"])
        return str(getattr(scope.get("route"), "path", None) or "other")


class JsonLines(JsonFormatter):
    """A log record as one line of JSON: `LOG_FIELDS`, and what our own records add with ``extra``.

    What an error says may hold a question: only its kind and place are told, unless prompts may be logged.
    """

    def __init__(self, *, log_prompts: bool = False) -> None:
        super().__init__(
            [name for name in LOG_FIELDS if name != "exc_info"], rename_fields=LOG_FIELDS, json_default=str
        )
        self.log_prompts = log_prompts

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """ISO 8601 in UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def formatException(self, ei: Any) -> Any:  # noqa: N802
        """Kind and place of an error; None where there is none."""
        kind, error, trace = ei
        if error is None:
            return None
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
        said = {"message": str(error)} if self.log_prompts else {}
        return {"kind": kind.__name__, "where": where, **said}

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Without empty fields, our logger's name, and whatever other libraries add to their records."""
        own = log_data["logger"] == log.name
        left_out = {"logger"} if own else log_data.keys() - LOG_FIELDS.values() - {"suppressed"}
        told = {**log_data, "level": log_data["level"].lower()}
        return {name: value for name, value in told.items() if value is not None and name not in left_out}


def start_log(*, log_prompts: bool) -> LineWriter:
    """Write this process's log as JSON lines to the error stream."""
    writer = log_to_stderr(JsonLines(log_prompts=log_prompts))
    log.setLevel(logging.INFO)
    # Not a line for each request that is no HTTP, or has an id that is none
    for noisy in ("uvicorn.error", "asgi_correlation_id"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return writer
