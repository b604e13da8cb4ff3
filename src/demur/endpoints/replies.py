"""What comes back from a server, and what it took."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from demur.core.reasoning import without_reasoning

MILLION = 1_000_000
REASONING = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message in which servers give the model's reasoning."""

Reason = Literal[
    "key refused",
    "payment required",
    "not found",
    "redirected",
    "request refused",
    "rate limited",
    "server error",
    "timed out",
    "not reachable",
    "cut off",
    "reply refused",
    "no text in the reply",
]
"""Why there is no reply. The first four would meet every other prompt as well."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text."""

    piece: bytes
    """What it adds to the text, in UTF-8; part of a character in some vocabularies."""
    logprob: float | None
    """Natural-log probability; None where the server gives none, as for the first token of a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One text that a model produced."""

    text: str
    finish: str | None = None
    """As the server says it: ``stop``, ``length`` where the token limit cut it, …"""
    tokens: tuple[Token, ...] = ()
    """Where the server gives them; special tokens and the stop string may be among them."""
    reasoning: str | None = None
    """The model's reasoning, where the server gives it apart from the text; None where it gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Choice):
    """What a model said to one prompt."""

    others: tuple[Choice, ...] = ()
    """What else it said, where several texts were asked for."""
    prompt_tokens: int | None = None
    """As the server counts; None where it does not say."""
    completion_tokens: int | None = None
    """Likewise, of all texts together."""
    cached: bool = False
    """It was there already: nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no reply to one prompt."""

    reason: Reason
    detail: str = ""
    """What the server or the network said, without the key."""


def answer_of(choice: Choice) -> Choice | None:
    """The text without its reasoning, with the tokens that form the rest; None where no answer is left.

    What holds no reasoning is given back as it is.
    """
    answer = without_reasoning(choice.text)
    if answer == choice.text and choice.reasoning is None:
        return choice
    if answer is None or not answer.strip():
        return None
    answer = answer.lstrip()
    tokens = _spelling(choice.tokens, answer) if choice.text.endswith(answer) else ()
    return dataclasses.replace(choice, text=answer, tokens=tokens, reasoning=None)


def _spelling(tokens: tuple[Token, ...], answer: str) -> tuple[Token, ...]:
    """The tokens from where the answer begins; none where they do not spell it."""
    start = b"".join(token.piece for token in tokens).rfind(answer.encode(errors="replace"))
    found, end = [], 0
    for token in tokens if start >= 0 else ():
        begin, end = end, end + len(token.piece)
        if end > start:
            found.append(dataclasses.replace(token, piece=token.piece[max(0, start - begin) :]))
    return tuple(found)


def parse(content: str, *, cached: bool = False) -> Reply | None:
    """The reply in the JSON of a completion, chat or not; None where a text is missing from it."""
    try:
        found = json.loads(content)
        choices = [_choice(item) for item in found["choices"]]
        first, *others = (choice for choice in choices if choice is not None)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if len(choices) > 1 + len(others):
        return None
    usage = found.get("usage")
    return Reply(
        text=first.text,
        finish=first.finish,
        tokens=first.tokens,
        reasoning=first.reasoning,
        others=tuple(others),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached=cached,
    )


def _choice(found: Any) -> Choice | None:
    """One text of a reply; None where there is none, and no reasoning either."""
    message = found.get("message", {})
    text, reasoning = message.get("content") if message else found["text"], _reasoning(message)
    if isinstance(text, list):  # parts, of which some may be reasoning
        reasoning = "".join(str(part) for part in text if part["type"] != "text") or reasoning
        text = "".join(part["text"] for part in text if part["type"] == "text")
    if text is None and reasoning is not None:
        text = ""
    else:
        reasoning = reasoning or None  # some servers have the field in every reply
    if not isinstance(text, str):
        return None
    finish = found.get("finish_reason")
    return Choice(
        text=text,
        finish=finish if isinstance(finish, str) else None,
        tokens=_tokens(found.get("logprobs")),
        reasoning=reasoning,
    )


def _reasoning(message: Any) -> str | None:
    """The reasoning in a message's own field, which servers name differently; None without such a field.

    Where a reply was cut at the first token of the reasoning, the field is there and empty.
    """
    given = [message[name] for name in REASONING if name in message]
    texts = (text for text in given if isinstance(text, str) and text.strip())
    return next(texts, "") if given else None


def _tokens(logprobs: Any) -> tuple[Token, ...]:
    """The tokens of a text, in the form of chats (``content``) or of plain completions; none if unsure."""
    try:
        if logprobs.get("content") is not None:
            pairs = [(item.get("bytes"), item["token"], item["logprob"]) for item in logprobs["content"]]
        else:
            both = zip(logprobs["tokens"], logprobs["token_logprobs"], strict=True)
            pairs = [(None, text, logprob) for text, logprob in both]
        return tuple(
            Token(
                piece=text.encode(errors="replace") if raw is None else bytes(raw),
                logprob=None if logprob is None else float(logprob),
            )
            for raw, text, logprob in pairs
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        return ()


def json_object(text: str, fields: Mapping[str, type]) -> dict[str, Any] | None:
    """The JSON object that a reply is, with exactly these fields of these types; None for anything else."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(found, dict) and found.keys() == fields.keys()
    return found if fits and all(type(found[name]) is kind for name, kind in fields.items()) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of some pairs; a name that stands twice would make one of its values a guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(slots=True)
class Tokens:
    """What some replies took, as the server counts."""

    replies: int = 0
    uncounted: int = 0
    """Replies without a count; the sums leave them out."""
    prompt: int = 0
    completion: int = 0

    def add(self, reply: Reply) -> None:
        """One more reply."""
        self.replies += 1
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            self.uncounted += 1
        else:
            self.prompt += reply.prompt_tokens
            self.completion += reply.completion_tokens

    def cost(self, price_in: float | None, price_out: float | None) -> float | None:
        """In the currency of the prices, which are for a million tokens.

        None without both prices, or where a reply has no count: part of a cost is none.
        """
        if price_in is None or price_out is None or self.uncounted:
            return None
        return (self.prompt * price_in + self.completion * price_out) / MILLION


@dataclass(slots=True)
class Usage:
    """What an endpoint was asked, and what that took."""

    price_in: float | None = None
    price_out: float | None = None
    requests: int = 0
    """Sent over the network, those made again included."""
    failed: int = 0
    """Prompts without a reply."""
    new: Tokens = field(default_factory=Tokens)
    cached: Tokens = field(default_factory=Tokens)
    """Replies that were there already, and what they took when they were made."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: tokens and ``cost`` of all replies, ``cost_now`` of those made now."""
        both = Tokens(
            replies=self.new.replies + self.cached.replies,
            uncounted=self.new.uncounted + self.cached.uncounted,
            prompt=self.new.prompt + self.cached.prompt,
            completion=self.new.completion + self.cached.completion,
        )
        counted = both.replies > both.uncounted or not both.replies
        return {
            "requests": self.requests,
            "failed": self.failed,
            "replies": both.replies,
            "cached": self.cached.replies,
            "uncounted": both.uncounted,
            "prompt_tokens": both.prompt if counted else None,
            "completion_tokens": both.completion if counted else None,
            "cost": both.cost(self.price_in, self.price_out),
            "cost_now": self.new.cost(self.price_in, self.price_out),
        }
