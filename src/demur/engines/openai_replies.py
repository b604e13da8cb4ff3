"""What a server's reply says: the answer without reasoning, cut at its stop string, with its own tokens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from demur.core.records import Response
from demur.endpoints import Choice, Reply, Token, answer_of
from demur.engines.encoding import first_stop


def response_of(choice: Choice, stops: Sequence[str]) -> Response:
    """What a server said as a response: up to its first stop string, with the tokens that form that text.

    The model's reasoning is no part of it; where nothing else was said, the response is empty and ends in
    ``thinking``. A token forms the text if it begins inside of it; an empty text has the token that ended
    it. Where the listed tokens do not spell the text, nobody can say which of them form it, and none is
    given.
    """
    answer = answer_of(choice)
    if answer is None:
        return Response(text="", finish="thinking")
    choice = answer
    stop = first_stop(choice.text, stops)
    text = choice.text[:stop]
    return Response(
        text=text,
        token_logprobs=_logprobs(choice, text, cut=stop is not None, stops=stops),
        finish="length" if choice.finish == "length" and stop is None else "stop",
    )


def ends_in_reasoning(reply: Reply) -> bool:
    """Whether a text of the reply ends within its reasoning, and not at the token limit."""
    return any(answer_of(choice) is None and choice.finish != "length" for choice in (reply, *reply.others))


def _logprobs(choice: Choice, text: str, *, cut: bool, stops: Sequence[str]) -> tuple[float, ...]:
    tokens, size = choice.tokens, len(text.encode(errors="replace"))
    spelled = b"".join(token.piece for token in tokens)
    if not spelled.startswith(text.encode(errors="replace")):
        return ()
    starts = [0, *itertools.accumulate(len(token.piece) for token in tokens[:-1])]
    own = [token for token, start in zip(tokens, starts, strict=False) if start < size]
    if not text:
        # Generation went on to the end of the stop string, or ended with the last token
        whole = max((len(stop.encode()) for stop in stops if choice.text.startswith(stop)), default=0)
        ended = [token for token, start in zip(tokens, starts, strict=False) if start < whole]
        own = (ended if cut else list(tokens))[-1:]
    values = [token.logprob for token in own]
    return () if None in values else tuple(value for value in values if value is not None)


def common_tokens(first: Sequence[Token], second: Sequence[Token]) -> int:
    """The number of leading tokens that two lists share."""
    pairs = zip(first, second, strict=False)
    same = itertools.takewhile(lambda pair: pair[0].piece == pair[1].piece, pairs)
    return sum(1 for _ in same)
