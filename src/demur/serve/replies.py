"""What is replied to a request of OpenAI's API: texts, refusals, tokens, and how sure an answer is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from demur.ask import Answer, Query
from demur.ask.answer import finite, promise
from demur.endpoints.client import sendable
from demur.serve.asking import AnswerService
from demur.serve.observe import request_id
from demur.serve.schemas import (
    CompletionChoice,
    Guarantee,
    Said,
    Sureness,
    Usage,
)


def sureness(answer: Answer) -> Sureness:
    """How sure an answer is, as a reply has it; a number that is none is null."""
    promised = promise(answer.guarantee)
    return Sureness(
        confidence=finite(answer.confidence),
        abstained=answer.abstained,
        threshold=finite(answer.threshold),
        guarantee=None if promised is None else Guarantee(**promised),
        signals={name: finite(value) for name, value in answer.signals.items()},
        signal=answer.signal,
        probability=finite(answer.probability),
        answered_by=answer.answered_by,
        answer=None if answer.abstained or answer.answer is None else sendable(answer.answer),
        reason=answer.reason,
    )


def written(reply: BaseModel) -> Response:
    """A reply as it is sent; its types were checked when it was made, and are not once more."""
    return Response(reply.model_dump_json(), media_type="application/json")


def said(answer: Answer) -> Said:
    """The message of a chat's reply; a refusal stands in its own field as well."""
    text = sendable(answer.text)
    return Said(content=text, refusal=text if answer.abstained else None)


def completed(index: int, answer: Answer) -> CompletionChoice:
    """One text of a completion's reply; ``index`` is the number of its prompt, from 0."""
    text = sendable(answer.text)
    return CompletionChoice(index=index, text=text, finish_reason=answer.finish, demur=sureness(answer))


def usage_of(asking: AnswerService, answered: Sequence[tuple[Query, Answer]]) -> Usage | None:
    """Tokens read and written, in all; None where they cannot be counted for every answer."""
    counts = [asking.tokens(query, answer.text) for query, answer in answered]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return None
    read, made = (sum(part) for part in zip(*known, strict=True))
    return Usage(prompt_tokens=read, completion_tokens=made, total_tokens=read + made)


def head_of(kind: str, model: str) -> dict[str, Any]:
    """The fields that every reply and chunk begins with; ``kind`` begins its id."""
    return {"id": f"{kind}-{request_id()}", "created": int(time.time()), "model": model}
