"""What a server can do, found out by asking it: the API leaves much of itself open, and servers differ.

A feature counts only where a reply shows it: servers ignore fields that they do not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.endpoints.client import CHAT, PLAIN, Endpoint, Request, messages
from demur.endpoints.replies import Choice, Failure, Reply, Token

WORDS = "Once upon a time in the"
"""What a server is asked: plain words, whose tokens spell themselves in every vocabulary, and that can go
on in many ways."""
MORE_WORDS = "Question: What is two and two?\nAnswer:"
FEW, HOT = 8, 1.5
"""Tokens of a reply and temperature: enough for two samples to differ."""
DRAWS = 3
"""Samples that are compared where a request brings only one."""
ROUNDING = 0.25
"""How far log-probabilities of the same token may lie apart, in nats: half precision rounds, and
caches differ."""
SPECIAL = 2
"""So many tokens may stand before a text that are not in it, such as BOS."""
REFUSED = frozenset({"request refused", "server error", "no text in the reply"})
"""Failures that can mean that a server cannot do what a request asks for."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server can do.

    Attributes:
        chat: it is asked in chats, else with plain text.
        token_logprobs: it gives the log-probability of each token that it generates.
        samples: it draws at random where the temperature is above zero.
        many: it makes several texts, and different ones, of one request (``n``).
        seed: it accepts a seed.
        stop: it accepts stop strings.
        echo: it gives the log-probability of each token of the prompt, so that texts can be scored.
        uncounted: tokens of the prompt that it counts but does not list, where it has ``echo``.
    """

    chat: bool
    token_logprobs: bool = False
    samples: bool = False
    many: bool = False
    seed: bool = False
    stop: bool = False
    echo: bool = False
    uncounted: int = 0

    def path(self) -> str:
        """Where it is asked."""
        return CHAT if self.chat else PLAIN

    def fields(
        self, prompt: str, *, history: Sequence[Mapping[str, str]] = (), **more: Any
    ) -> dict[str, Any]:
        """What it is sent to continue a prompt, with log-probabilities where it gives them.

        Args:
            history: earlier turns of the conversation; in chats only.
        """
        asked: Mapping[str, Any] = {"prompt": prompt}
        if self.chat:
            asked = {"messages": [*history, *messages(prompt)]}
        return {**asked, **more, **(_logprobs(self.chat) if self.token_logprobs else {})}

    def listed(self, reply: Reply) -> tuple[Token, ...] | None:
        """The prompt's tokens in a reply with ``echo``; None where the server's count cannot be right."""
        count = (reply.prompt_tokens or 0) - self.uncounted
        return reply.tokens[:count] if 0 < count <= len(reply.tokens) else None

    def sentences(self) -> list[str]:
        """What it can and cannot do, in plain words."""
        return [
            "asked in chats" if self.chat else "asked with plain text",
            "gives token log-probabilities" if self.token_logprobs else "no token log-probabilities",
            "scores continuations (echo)" if self.echo else "cannot score continuations",
            *self._on_samples(),
            "takes stop strings" if self.stop else "takes no stop strings: answers are cut here",
        ]

    def _on_samples(self) -> list[str]:
        if not self.samples:
            return ["draws no samples: it says the same at any temperature"]
        return [
            "several samples in a request" if self.many else "one request for each sample",
            "takes seeds" if self.seed else "takes no seeds: samples are its own draws, kept once drawn",
        ]


def find_abilities(endpoint: Endpoint, *, format: str) -> Abilities:
    """Ask a server what it can do: two or three short requests, more where it refuses some.

    Args:
        format: ``plain``, ``chat``, or ``auto``: chats where the server has them for this model.

    Raises:
        ModelError: it cannot be asked, or not in this format.
    """
    # A model without a chat template is refused in chats by most servers
    chats = {"plain": (False,), "chat": (True,), "auto": (True, False)}[format]
    refusal: Failure | None = None
    for chat in chats:
        found = _generating(endpoint, chat)
        if isinstance(found, Failure):
            refusal = found
        elif chat or not found.token_logprobs:
            return found
        else:
            return _scoring(endpoint, found)
    assert refusal is not None, "there is at least one format"
    raise endpoint.error(refusal)


def _generating(endpoint: Endpoint, chat: bool) -> Abilities | Failure:
    """What it can do when it continues a prompt."""
    bare = Abilities(chat)
    every: dict[str, dict[str, Any]] = {
        "token_logprobs": _logprobs(chat),
        "many": {"n": 2},
        "seed": {"seed": 1},
        "stop": {"stop": ["\n\n"]},
    }
    extra = endpoint.settings.extra  # null there: this field is not to be sent
    parts = {
        name: fields
        for name, fields in every.items()
        if all(extra.get(field, "") is not None for field in fields)
    }

    def attempt(*names: str) -> Reply | Failure:
        fields = bare.fields(WORDS, max_tokens=FEW, temperature=HOT)
        for name in names:
            fields |= parts[name]
        return _tried(endpoint, Request(bare.path(), fields))

    accepted, reply = list(parts), attempt(*parts)
    if isinstance(reply, Failure):
        reply = attempt()
        if isinstance(reply, Failure):
            return reply
        accepted = [name for name in parts if isinstance(attempt(name), Reply)]
        reply = attempt(*accepted)
        if isinstance(reply, Failure):
            accepted = []
    if isinstance(reply, Failure):
        return bare
    texts = [_said(choice) for choice in (reply, *reply.others)]
    many, seed = len(texts) == 2 and texts[0] != texts[1], "seed" in accepted
    return Abilities(
        chat,
        token_logprobs="token_logprobs" in accepted and _all_known(reply.tokens),
        samples=many or _draws(endpoint, bare, seed),
        many=many,
        seed=seed,
        stop="stop" in accepted,
    )


def _said(choice: Choice) -> str:
    """All that a model said, its reasoning included."""
    return (choice.reasoning or "") + choice.text


def _draws(endpoint: Endpoint, bare: Abilities, seed: bool) -> bool:
    """Whether requests that are alike, but for their seed, bring different texts."""
    texts = set()
    for number in range(DRAWS):
        more: dict[str, Any] = {"seed": number} if seed else {}
        fields = bare.fields(WORDS, max_tokens=FEW, temperature=HOT, **more)
        reply = _tried(endpoint, Request(bare.path(), fields))
        texts.add(_said(reply) if isinstance(reply, Reply) else "")
    return len(texts) > 1


def _scoring(endpoint: Endpoint, found: Abilities) -> Abilities:
    """The same server, and whether it gives the log-probabilities of a prompt.

    Only where they are those that it generates with: llama-cpp-python 0.3.36 repeats a prompt with numbers
    that belong one token further on.
    """
    for words in (WORDS, MORE_WORDS):
        said = _tried(endpoint, _request(found, words, FEW))
        if isinstance(said, Reply) and said.text:
            reply = _tried(endpoint, _request(found, words + said.text, 1, echo=True))
            if isinstance(reply, Reply) and reply.prompt_tokens is not None:
                start = _spelling(reply.tokens, words)
                end = _spelling(reply.tokens, words + said.text)
                if start and end and _alike(said.tokens, reply.tokens[start:end]):
                    return dataclasses.replace(found, echo=True, uncounted=reply.prompt_tokens - end)
    return found


def _request(found: Abilities, text: str, tokens: int, **more: Any) -> Request:
    return Request(found.path(), found.fields(text, max_tokens=tokens, temperature=0.0, **more))


def _alike(generated: Sequence[Token], repeated: Sequence[Token]) -> bool:
    """Whether the same tokens have the same log-probabilities, but for rounding."""
    gaps = [
        abs(made.logprob - again.logprob)
        for made, again in zip(generated, repeated, strict=False)
        if made.piece == again.piece and made.logprob is not None and again.logprob is not None
    ]
    return bool(gaps) and max(gaps) <= ROUNDING


def _spelling(tokens: tuple[Token, ...], text: str) -> int | None:
    """How many leading tokens spell a text, special ones before it included; None where they do not.

    All but the first must have a log-probability.
    """
    for special in range(SPECIAL + 1):
        spelled = b""
        for place, token in enumerate(tokens[special:], start=special):
            spelled += token.piece
            if spelled == text.encode():
                return place + 1 if _all_known(tokens[1 : place + 1]) else None
    return None


def _all_known(tokens: tuple[Token, ...]) -> bool:
    return bool(tokens) and all(token.logprob is not None for token in tokens)


def _tried(endpoint: Endpoint, request: Request) -> Reply | Failure:
    """What comes of a request.

    Raises:
        ModelError: a failure that says nothing of what the server can do.
    """
    answer = endpoint.try_one(request)
    lacks_path = isinstance(answer, Failure) and answer.reason == "not found"
    if isinstance(answer, Failure) and answer.reason not in REFUSED and not lacks_path:
        raise endpoint.error(answer)
    return answer


def _logprobs(chat: bool) -> dict[str, Any]:
    """What asks for the log-probabilities of the tokens."""
    return {"logprobs": True, "top_logprobs": 1} if chat else {"logprobs": 1}
