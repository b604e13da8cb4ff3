"""Who is asked when the model declines: a search for passages, or another model.

A hook that fails, is late, or brings nothing leaves the refusal standing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import httpx2

from demur.ask import Answer, Query
from demur.core.records import Question
from demur.core.templates import FORMS
from demur.endpoints import answer_of
from demur.endpoints.client import messages, sendable
from demur.endpoints.keys import read_key
from demur.endpoints.pace import Pace
from demur.endpoints.replies import parse
from demur.endpoints.transport import Transport
from demur.judging import declines
from demur.serve.settings import ServeSettings

CONNECTIONS = 32
FAILURES = (httpx2.HTTPError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What is wrong with a hook's server or its reply."""

Again = Callable[[Question], Awaitable[Answer]]
"""Asks the model itself once more."""


class Hook(Protocol):
    """Somebody to ask."""

    name: str
    """As `Answer.answered_by` tells it."""

    async def answer(self, refused: Answer, query: Query, again: Again) -> Answer | None:
        """An answer in place of a refusal; None for none.

        Raises:
            Exception: one of `FAILURES`.
        """
        ...


class Retrieval:
    """Passages are asked for (``POST {"query": question}``), and the model answers with them before it.

    The reply has ``context``, a text, or ``passages``, a list of texts or of objects with ``text``.
    """

    name = "retrieval"

    def __init__(self, settings: ServeSettings) -> None:
        self.url = f"{settings.retrieval_url}"
        self.longest = settings.max_prompt_characters
        self.client = _client(settings.retrieval_key_variable, settings.hook_timeout_seconds)

    async def answer(self, refused: Answer, query: Query, again: Again) -> Answer | None:
        """What the model answers when it has read the passages."""
        found = json.loads(await _post(self.client, self.url, {"query": query.question.text}))
        context = _context(found)[: self.longest].strip()
        if not context:
            return None
        question = query.question
        task = question.task if question.choices else "contextual"
        answer = await again(dataclasses.replace(question, context=context, task=task))
        if answer.abstained:
            return None
        # What was promised was promised of questions as they are, without passages
        return dataclasses.replace(answer, answered_by=self.name, guarantee=None)


class Fallback:
    """Another model answers, behind an OpenAI-compatible server; how sure it is nobody knows."""

    def __init__(self, settings: ServeSettings) -> None:
        self.model = f"{settings.fallback_model}"
        self.name = f"fallback:{self.model}"
        self.url = f"{settings.fallback_url}/chat/completions"
        self.longest = settings.max_prompt_characters
        self.client = _client(settings.fallback_key_variable, settings.hook_timeout_seconds)

    async def answer(self, refused: Answer, query: Query, again: Again) -> Answer | None:
        """What it says, unless it declines as well."""
        turns = [{"role": turn.role, "content": turn.content} for turn in query.history]
        asked = {"model": self.model, "messages": [*turns, *messages(_written(query.question))]}
        reply = parse((await _post(self.client, self.url, asked)).decode())
        said = answer_of(reply) if reply else None
        text = sendable(said.text).strip()[: self.longest] if said else ""
        if not text or declines(text, question=query.question.text):
            return None
        return dataclasses.replace(
            refused,
            text=text,
            said=text,
            abstained=False,
            confidence=None,
            probability=None,
            signals={},
            guarantee=None,
            answered_by=self.name,
            answer=None,
            reason=None,
            finish="length" if reply and reply.finish == "length" else "stop",
        )


def hooks_of(settings: ServeSettings) -> list[Hook]:
    """Whom to ask, in this order.

    Raises:
        ConfigError: the variable of a key is not set.
    """
    found: list[Hook] = []
    if settings.retrieval_url is not None:
        found.append(Retrieval(settings))
    if settings.fallback_url is not None:
        found.append(Fallback(settings))
    return found


def _client(key_variable: str | None, timeout_seconds: float) -> Transport:
    return Transport(
        key=None if key_variable is None else read_key(key_variable),
        timeout_seconds=timeout_seconds,
        connections=CONNECTIONS,
        pace=Pace(),
    )


async def _post(client: Transport, url: str, asked: Mapping[str, Any]) -> bytes:
    response = await client.post(url, json=asked)
    response.raise_for_status()
    return response.content


def _context(found: Any) -> str:
    """The passages of a reply as one text."""
    if isinstance(found.get("context"), str):
        return sendable(found["context"])
    passages = [item if isinstance(item, str) else item["text"] for item in found.get("passages", ())]
    return sendable("\n".join(passages))


def _written(question: Question) -> str:
    """A question for a model that knows nothing of our templates."""
    form = FORMS.get(question.task)
    return question.text if form is None else form.write(question)
