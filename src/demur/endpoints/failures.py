"""What a server's errors mean, and when failures are the server's own rather than a prompt's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demur.core.errors import ModelError
from demur.endpoints.keys import without_key
from demur.endpoints.replies import Failure, Reason, Reply

GIVE_UP = 20
"""So many failures in a row that are the server's, and not the prompt's, and it counts as down."""
FOR_ALL: frozenset[Reason] = frozenset({"key refused", "payment required", "not found", "redirected"})
"""Reasons that meet every prompt alike."""
OF_THE_PROMPT: frozenset[Reason] = frozenset({"request refused", "no text in the reply"})
"""Reasons that lie in one prompt."""
STATUS: dict[int, Reason] = {
    401: "key refused",
    402: "payment required",
    404: "not found",
    408: "timed out",
    429: "rate limited",
}
"""Reasons by HTTP status."""
LONGEST_DETAIL = 200


class Outage:
    """Tells when failures are the server's, and would meet every other prompt as well."""

    def __init__(self, patience: int, error: Callable[[Failure], ModelError]) -> None:
        self.patience, self.error = patience, error
        self.in_a_row = 0

    def look_at(self, answer: Reply | Failure) -> None:
        """Take note of what one prompt got.

        Raises:
            ModelError: there is no use in going on.
        """
        if isinstance(answer, Reply) or answer.reason in OF_THE_PROMPT:
            self.in_a_row = 0
            return
        self.in_a_row += 1
        if answer.reason in FOR_ALL or self.in_a_row >= self.patience:
            raise self.error(answer)


def failure_of(error: Any, key: str | None) -> Failure:
    """What an error of the openai client means."""
    import httpx2
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Failure(reason="timed out")
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__
        reason: Reason = "not reachable" if isinstance(cause, httpx2.ConnectError) else "cut off"
        return Failure(reason=reason, detail=short(without_key(str(cause or ""), key)))
    status = getattr(error, "status_code", 200)
    if 300 <= status < 400:
        return Failure(reason="redirected", detail=f"status {status}; redirects are not followed")
    reason = STATUS.get(status, "server error" if status >= 500 else "request refused")
    return Failure(reason=reason, detail=short(without_key(error.message, key)))


def short(text: str) -> str:
    """A detail of the server's as one line of at most `LONGEST_DETAIL` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"
