"""OpenAI's API: /v1/chat/completions, /v1/completions and /v1/models.

By default nothing of an answer is sent before it is decided whether it is given, streamed or not: a caller
never reads what the model then takes back.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from demur.ask import Query
from demur.ask.query import as_question
from demur.engines import Message
from demur.serve.asking import AnswerService, Limits
from demur.serve.problems import Problem
from demur.serve.replies import completed, head_of, said, sureness, usage_of, written
from demur.serve.schemas import (
    ChatChoice,
    ChatReply,
    ChatRequest,
    CompletionReply,
    CompletionRequest,
    ErrorReply,
    Model,
    Models,
    Options,
    Sampling,
)
from demur.serve.streams import ChatStream, CompletionStream, Stream, events_of, held, next_item, numbered

WHY = {
    400: "The request is not what it should be; the message says why.",
    401: "The key is missing or wrong.",
    403: "A web page of another site asks; see --cors.",
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
        work = asking.answers([query], _limits(request, body))
        (answer,) = await asking.while_wanted(request, work)
        reply = ChatReply(
            **head_of("chatcmpl", named),
            usage=usage_of(asking, [(query, answer)]),
            choices=[ChatChoice(message=said(answer), finish_reason=answer.finish)],
            demur=sureness(answer),
        )
        return written(reply)

    @api.post("/completions", response_model=CompletionReply, responses=ASKING)
    async def complete(request: Request, body: CompletionRequest) -> Response:
        """Answer one question or several, or decline to."""
        named = _model(body)
        queries = completion_queries(body, most=settings.prompts)
        if body.stream:
            return await _stream(request, CompletionStream(asking, named, queries, body), body)
        work = asking.answers(queries, _limits(request, body))
        answers = await asking.while_wanted(request, work)
        alone = sureness(answers[0]) if len(answers) == 1 else None
        reply = CompletionReply(
            **head_of("cmpl", named),
            usage=usage_of(asking, list(zip(queries, answers, strict=True))),
            choices=[completed(index, answer) for index, answer in enumerate(answers)],
            demur=alone,
        )
        return written(reply)

    @api.get("/models", response_model=Models, responses=errors(401, 403, 421, 503))
    async def models() -> Models:
        """The model that is served."""
        return Models(data=[model])

    @api.get("/models/{name:path}", response_model=Model, responses=errors(401, 403, 404, 421, 503))
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
            items = numbered(asking.follow(stream.queries[0], _limits(request, body)))
        else:
            work = asking.answers(stream.queries, _limits(request, body))
            items = held(await asking.while_wanted(request, work))
        first = await asking.while_wanted(request, next_item(items))  # may still be a plain error
        return StreamingResponse(events_of(stream, first, items), media_type="text/event-stream")

    return api


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


def _limits(request: Request, body: Sampling) -> Limits:
    options = body.demur or Options()
    return Limits.of(request, threshold=options.threshold, max_error=options.max_error)
