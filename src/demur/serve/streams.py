"""Replies as server-sent events: the chunks of a chat or a completion, and the order that they come in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol

from pydantic import BaseModel

from demur.ask import Answer, Query
from demur.ask.query import pieces
from demur.endpoints.client import sendable
from demur.serve.asking import AnswerService
from demur.serve.observe import log
from demur.serve.problems import Problem, problem_of
from demur.serve.replies import completed, head_of, sureness, usage_of
from demur.serve.schemas import (
    ChatChunk,
    ChatPiece,
    CompletionChoice,
    CompletionReply,
    Delta,
    Sampling,
    Usage,
)

Item = tuple[int, str | Answer]
"""The number of a prompt, and a piece of its answer or, last of all, the answer."""


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
        self.head = head_of(self.kind, model)
        self.counted = bool(body.stream_options and body.stream_options.include_usage)

    kind = ""

    def usage(self, answers: Sequence[Answer]) -> Usage | None:
        return usage_of(self.asking, list(zip(self.queries, answers, strict=True)))


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
        return self._chunk(completed(index, answer).model_copy(update={"text": ""}))

    def closing(self, answers: Sequence[Answer]) -> Iterator[CompletionReply]:
        """The tokens, where they are asked for."""
        if self.counted:
            yield CompletionReply(**self.head, choices=[], usage=self.usage(answers))

    def _chunk(self, choice: CompletionChoice) -> CompletionReply:
        alone = choice.demur if len(self.queries) == 1 else None
        return CompletionReply(**self.head, choices=[choice], demur=alone)


async def held(answers: Sequence[Answer]) -> AsyncIterator[Item]:
    """The pieces of answers that are decided already, each followed by its answer."""
    for index, answer in enumerate(answers):
        for piece in pieces(answer.text):
            yield index, piece
        yield index, answer


async def numbered(items: AsyncIterator[str | Answer]) -> AsyncIterator[Item]:
    """The pieces and the answer of the only prompt, with its number."""
    async for item in items:
        yield 0, item


async def next_item(items: AsyncIterator[Item]) -> Item:
    """The next item: awaited before the stream begins, since an error can still be a plain reply then."""
    return await anext(items)


async def events_of(stream: Stream, first: Item, items: AsyncIterator[Item]) -> AsyncIterator[str]:
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
