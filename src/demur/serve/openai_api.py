"""OpenAI's API: /v1/chat/completions, /v1/completions and /v1/models.

By default nothing of an answer is sent before it is decided whether it is given, streamed or not: a caller
never reads what the model then takes back.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from demur.ask import Answer, Query
from demur.ask.answer import promise
from demur.ask.query import as_question, pieces
from demur.endpoints.client import sendable
from demur.engines import Message
from demur.serve.asking import AnswerService, together, while_connected
from demur.serve.observe import finite, log, request_id
from demur.serve.problems import Problem, problem_of
from demur.serve.schemas import (
    ChatChoice,
    ChatChunk,
    ChatPiece,
    ChatReply,
    ChatRequest,
    CompletionChoice,
    CompletionReply,
    CompletionRequest,
    Delta,
    ErrorReply,
    Guarantee,
    Model,
    Models,
    Options,
    Said,
    Sampling,
    Sureness,
    Usage,
)

Item = tuple[int, str | Answer]
"""The number of a prompt, and a piece of its answer or, last of all, the answer."""

WHY = {
    400: "The request is not what it should be; the message says why.",
    401: "The key is missing or wrong.",
    404: "There is no such model (with --strict-model).",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is not sent as application/json.",
    421: "The request was meant for another host.",
    429: "Too many questions are waiting; see Retry-After.",
    502: "The model is behind another server, which could not be asked.",
    503: "The model is being loaded, the server is stopping, or memory ran out; see Retry-After.",
    504: "No answer was found in time.",
}
ANYTHING = "Any other error, in the same shape."


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its documentation."""
    told: dict[int | str, str] = {**{status: WHY[status] for status in statuses}, "default": ANYTHING}
    return {status: {"model": ErrorReply, "description": why} for status, why in told.items()}


STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The reply; with `stream` as server-sent events, each a chunk, the last `[DONE]`.",
        "content": {"text/event-stream": {}},
    }
}
ERRORS = errors(*WHY)
"""Of a route that asks the model."""
ASKING = ERRORS | STREAM


def router(asking: AnswerService) -> APIRouter:
    """The routes."""
    api, settings, started = APIRouter(prefix="/v1"), asking.settings, int(time.time())
    model = Model(id=settings.name, created=started)

    @api.post("/chat/completions", response_model=ChatReply, responses=ASKING)
    async def chat(request: Request, body: ChatRequest) -> Response:
        """Answer the last message of a conversation, or decline to."""
        named = _model(body)
        query = chat_query(body)
        if body.stream:
            return await _stream(request, ChatStream(asking, named, [query], body), body)
        answer = await while_connected(request, asking.answer(query, **_limits(body)))
        reply = ChatReply(
            **_head("chatcmpl", named),
            usage=_usage(asking, [(query, answer)]),
            choices=[ChatChoice(message=_said(answer), finish_reason=answer.finish)],
            demur=sureness(answer),
        )
        return _written(reply)

    @api.post("/completions", response_model=CompletionReply, responses=ASKING)
    async def complete(request: Request, body: CompletionRequest) -> Response:
        """Answer one question or several, or decline to."""
        named = _model(body)
        queries = completion_queries(body, most=settings.prompts)
        if body.stream:
            return await _stream(request, CompletionStream(asking, named, queries, body), body)
        works = [asking.answer(query, **_limits(body)) for query in queries]
        answers = await while_connected(request, together(works))
        alone = sureness(answers[0]) if len(answers) == 1 else None
        reply = CompletionReply(
            **_head("cmpl", named),
            usage=_usage(asking, list(zip(queries, answers, strict=True))),
            choices=[_completed(index, answer) for index, answer in enumerate(answers)],
            demur=alone,
        )
        return _written(reply)

    @api.get("/models", response_model=Models, responses=errors(401, 421, 503))
    async def models() -> Models:
        """The model that is served."""
        return Models(data=[model])

    @api.get("/models/{name:path}", response_model=Model, responses=errors(401, 404, 421, 503))
    async def one(name: str) -> Model:
        """The model that is served, by its name."""
        if name != model.id:
            raise _no_such_model()
        return model

    def _model(body: Sampling) -> str:
        if settings.strict_model and body.model is not None and body.model != settings.name:
            raise _no_such_model()
        return settings.name if body.model is None else body.model

    def _no_such_model() -> Problem:
        message = f"there is no such model; this server has {settings.name!r}"
        return Problem(404, message, code="model_not_found", param="model")

    async def _stream(request: Request, stream: Stream, body: Sampling) -> Response:
        if body.stream_mode == "optimistic":
            if len(stream.queries) > 1:
                message = "one prompt can be streamed before it is decided on"
                raise Problem(400, message, code="unsupported_value", param="stream_mode")
            items = _numbered(asking.follow(stream.queries[0], **_limits(body)))
        else:
            works = [asking.answer(query, **_limits(body)) for query in stream.queries]
            items = _held(await while_connected(request, together(works)))
        first = await while_connected(request, _next(items))  # what fails now is still a plain error
        return StreamingResponse(_events(stream, first, items), media_type="text/event-stream")

    return api


# -- what is asked -------------------------------------------------------------------------------


def chat_query(body: ChatRequest) -> Query:
    """The question of a conversation.

    Raises:
        Problem: it does not end with the user's turn.
        DataError: it asks nothing.
    """
    *earlier, last = body.messages
    if last.role != "user":
        message = "the last message is the question, and has the role 'user'"
        raise Problem(400, message, code="invalid_value", param="messages")
    history = (Message(_role(turn.role), turn.text) for turn in earlier)
    return Query(question=as_question(_asked(last.text, body.demur)), history=tuple(history))


def completion_queries(body: CompletionRequest, *, most: int) -> list[Query]:
    """The questions of a completion.

    Raises:
        Problem: there are too many.
        DataError: one of them asks nothing.
    """
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    if len(prompts) > most:
        message = f"a request may have {most} prompts, found {len(prompts)}"
        raise Problem(400, message, code="invalid_value", param="prompt")
    return [Query(question=as_question(_asked(prompt, body.demur))) for prompt in prompts]


def _asked(text: str, options: Options | None) -> dict[str, Any]:
    more = {} if options is None else {"context": options.context, "choices": options.choices}
    return {"question": text, **more}


def _role(role: str) -> str:
    return "system" if role == "developer" else role  # chat templates know the older name


def _limits(body: Sampling) -> dict[str, float | None]:
    options = body.demur or Options()
    return {"threshold": options.threshold, "max_error": options.max_error}


# -- what is replied -----------------------------------------------------------------------------


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
        reason=answer.reason,
    )


def _written(reply: BaseModel) -> Response:
    """A reply as it is sent; its types were checked when it was made, and are not once more."""
    return Response(reply.model_dump_json(), media_type="application/json")


def _said(answer: Answer) -> Said:
    text = sendable(answer.text)
    return Said(content=text, refusal=text if answer.abstained else None)


def _completed(index: int, answer: Answer) -> CompletionChoice:
    text = sendable(answer.text)
    return CompletionChoice(index=index, text=text, finish_reason=answer.finish, demur=sureness(answer))


def _usage(asking: AnswerService, answered: Sequence[tuple[Query, Answer]]) -> Usage | None:
    counts = [asking.tokens(query, answer.text) for query, answer in answered]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return None
    read, made = (sum(part) for part in zip(*known, strict=True))
    return Usage(prompt_tokens=read, completion_tokens=made, total_tokens=read + made)


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"{kind}-{request_id()}", "created": int(time.time()), "model": model}


# -- streams -------------------------------------------------------------------------------------


class Stream(Protocol):
    """The chunks of a reply."""

    queries: Sequence[Query]

    def opening(self) -> Iterator[BaseModel]:
        """What comes first."""
        ...

    def piece(self, index: int, text: str) -> BaseModel:
        """A piece of an answer."""
        ...

    def last(self, index: int, answer: Answer) -> BaseModel:
        """The end of an answer."""
        ...

    def closing(self, answers: Sequence[Answer]) -> Iterator[BaseModel]:
        """What comes after all answers."""
        ...


class _Streaming:
    def __init__(self, asking: AnswerService, model: str, queries: Sequence[Query], body: Sampling) -> None:
        self.asking, self.queries = asking, queries
        self.head = _head(self.kind, model)
        self.counted = bool(body.stream_options and body.stream_options.include_usage)

    kind = ""

    def usage(self, answers: Sequence[Answer]) -> Usage | None:
        return _usage(self.asking, list(zip(self.queries, answers, strict=True)))


class ChatStream(_Streaming):
    """The chunks of a chat."""

    kind = "chatcmpl"

    def opening(self) -> Iterator[ChatChunk]:
        """Who speaks."""
        yield self._chunk(Delta(role="assistant", content=""))

    def piece(self, index: int, text: str) -> ChatChunk:
        """A piece of the answer."""
        return self._chunk(Delta(content=text))

    def last(self, index: int, answer: Answer) -> ChatChunk:
        """Why it ends, and how sure it is."""
        refusal = sendable(answer.text) if answer.abstained else None
        piece = ChatPiece(delta=Delta(refusal=refusal), finish_reason=answer.finish)
        return ChatChunk(**self.head, choices=[piece], demur=sureness(answer))

    def closing(self, answers: Sequence[Answer]) -> Iterator[ChatChunk]:
        """The tokens, where they are asked for."""
        if self.counted:
            yield ChatChunk(**self.head, choices=[], usage=self.usage(answers), demur=sureness(answers[0]))

    def _chunk(self, delta: Delta) -> ChatChunk:
        return ChatChunk(**self.head, choices=[ChatPiece(delta=delta)])


class CompletionStream(_Streaming):
    """The chunks of a completion."""

    kind = "cmpl"

    def opening(self) -> Iterator[CompletionReply]:
        """A stream of completions has no opening chunk."""
        yield from ()

    def piece(self, index: int, text: str) -> CompletionReply:
        """A piece of an answer."""
        return self._chunk(CompletionChoice(index=index, text=text, finish_reason=None, demur=None))

    def last(self, index: int, answer: Answer) -> CompletionReply:
        """Why it ends, and how sure it is."""
        return self._chunk(_completed(index, answer).model_copy(update={"text": ""}))

    def closing(self, answers: Sequence[Answer]) -> Iterator[CompletionReply]:
        """The tokens, where they are asked for."""
        if self.counted:
            yield CompletionReply(**self.head, choices=[], usage=self.usage(answers))

    def _chunk(self, choice: CompletionChoice) -> CompletionReply:
        alone = choice.demur if len(self.queries) == 1 else None
        return CompletionReply(**self.head, choices=[choice], demur=alone)


async def _held(answers: Sequence[Answer]) -> AsyncIterator[Item]:
    for index, answer in enumerate(answers):
        for piece in pieces(answer.text):
            yield index, piece
        yield index, answer


async def _numbered(items: AsyncIterator[str | Answer]) -> AsyncIterator[Item]:
    async for item in items:
        yield 0, item


async def _next(items: AsyncIterator[Item]) -> Item:
    return await anext(items)


async def _events(stream: Stream, first: Item, items: AsyncIterator[Item]) -> AsyncIterator[str]:
    """The events of a stream; an error on the way is the last but one of them."""
    for chunk in stream.opening():
        yield _event(chunk)
    answers, sent = [], ""
    try:
        async for index, item in _chained(first, items):
            if isinstance(item, str):
                sent += item
                yield _event(stream.piece(index, sendable(item)))
                continue
            if rest := _rest(item, sent):
                yield _event(stream.piece(index, sendable(rest)))
            yield _event(stream.last(index, item))
            answers.append(item)
            sent = ""
        for chunk in stream.closing(answers):
            yield _event(chunk)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            log.error("defect", exc_info=error)
            problem = Problem(500, "a defect of the server", code="internal_error")
        yield f"data: {json.dumps(problem.body())}\n\n"
    yield "data: [DONE]\n\n"


async def _chained(first: Item, items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    yield first
    async for item in items:
        yield item


def _rest(answer: Answer, sent: str) -> str:
    """What is still to be sent of an answer: all of it where nothing was shown while it was made.

    What was shown and then declined is not taken back here: the last chunk says so.
    """
    if not sent:
        return answer.text
    whole = not answer.abstained and answer.text.startswith(sent)
    return answer.text[len(sent) :] if whole else ""


def _event(chunk: BaseModel) -> str:
    return f"data: {chunk.model_dump_json()}\n\n"
