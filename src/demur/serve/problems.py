"""What goes wrong, in the words and the shape that clients of OpenAI's API know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from demur.ask import BusyError
from demur.core.errors import (
    ConfigError,
    ConversationError,
    DataError,
    DemurError,
    ModelError,
    ResourceError,
    RunFolderError,
    UnknownNameError,
)
from demur.endpoints.client import sendable

RETRY_SECONDS = 1
"""When to come back: a line of questions moves within moments."""
KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
INVALID = "invalid_request_error"
CODES = {404: "not_found", 405: "method_not_allowed"}
ONE_TEXT = "only one answer is given to a question: what is calibrated is the greedy one"
NO_TOOLS = "tools are not supported: what is calibrated are answers to questions"
REASONS: Mapping[str, str] = {
    "n": ONE_TEXT,
    "best_of": ONE_TEXT,
    "tools": NO_TOOLS,
    "functions": NO_TOOLS,
    "response_format": "only the response format 'text' is supported",
    "modalities": "only text is answered",
    "audio": "only text is answered",
    "echo": "the prompt is not repeated",
    "suffix": "text is only continued at its end",
}
"""Why a field of OpenAI's API cannot be had."""
FIELDS = re.compile(r"[a-z_]+(, [a-z_]+)*")
PART = re.compile(r"\w+")
PLACES = frozenset({"body", "query", "path", "str"})
"""Parts of an error's place that are no fields, as are types with brackets or hyphens."""


class Problem(Exception):  # noqa: N818 # not an error of ours
    """A reply that is an error.

    Args:
        status: of HTTP.
        message: what was wrong and what to do.
        code: for programs.
        param: the field that is meant.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, sendable(message), code, param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The error as OpenAI's API writes it."""
        kind = KINDS.get(self.status, INVALID if self.status < 500 else "server_error")
        said = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": said}

    def response(self) -> JSONResponse:
        """The error as a response."""
        return JSONResponse(self.body(), status_code=self.status, headers=self.headers)


def busy(message: str, *, status: int, code: str) -> Problem:
    """A problem that passes by itself."""
    return Problem(status, message, code=code, headers={"Retry-After": str(RETRY_SECONDS)})


def problem_of(error: Exception) -> Problem | None:
    """What a caller is told of an error; None for a defect, of which nothing is told."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BusyError):
        return busy("too many questions are waiting; ask again", status=429, code="queue_full")
    if isinstance(error, TimeoutError):
        return Problem(504, "no answer was found in time", code="timeout")
    if isinstance(error, ResourceError):
        return busy("the model has not the memory for this now", status=503, code="out_of_resources")
    if isinstance(error, ModelError):  # its words name the server behind this one
        return Problem(502, "the model behind this server could not be asked", code="model_unreachable")
    if isinstance(error, RunFolderError):  # its words name the folder
        message = "the run's files do not belong together: nothing can be promised"
        return Problem(400, message, code="invalid_value")
    if isinstance(error, DataError | ConversationError | ConfigError | UnknownNameError):
        message = f"expected {error.expected}; found {error.found}; to do: {error.fix}"
        param = error.where if FIELDS.fullmatch(error.where or "") else None  # and no path of this machine
        return Problem(400, message, code="invalid_value", param=param)
    return None


def handle(app: FastAPI) -> None:
    """Answer every error of an app in this shape."""

    async def problem(_: Request, error: Exception) -> JSONResponse:
        found = problem_of(error)
        if found is None:
            raise error
        return found.response()

    for kind in (Problem, BusyError, TimeoutError, DemurError):
        app.add_exception_handler(kind, problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors()).response()


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem that a request is not what it should be; nothing of the request is repeated."""
    # Of a choice of types, what was wrong with the one that came furthest
    found = max(errors, key=lambda item: (len(item["loc"]), not item["type"].endswith("_type")))
    names = [part for part in map(str, found["loc"]) if PART.fullmatch(part) and part not in PLACES]
    reason = REASONS.get(names[0] if names else "")
    message = reason or f"{'.'.join(names) or 'the body'}: {found['msg']}"
    code = "unsupported_value" if reason else "invalid_value"
    return Problem(400, message, code=code, param=".".join(names) or None)


async def _http(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: paths and methods that are not there, bodies that are no JSON."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "invalid_request")
    return Problem(error.status_code, str(error.detail), code=code, headers=error.headers).response()
