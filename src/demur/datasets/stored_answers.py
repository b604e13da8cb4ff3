"""What a row of outputs stores beside its response: samples and log-probabilities, from which confidence
signals are computed (`demur.signals`).

``samples`` is a list of texts; ``logprobs`` the natural-log probability of each token of the response;
``sample_logprobs`` a list of such lists, one for each sample; ``token_entropies`` (nats) and
``token_margins`` belong to the response's tokens. Log-probabilities are numbers, or objects with
``logprob`` as OpenAI's API and uqlm write them; the margins are then read from their ``top_logprobs``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from demur.core.records import Question, Response
from demur.datasets import values
from demur.datasets.fields import RowError
from demur.datasets.files.tables import value_in
from demur.datasets.problems import describe, shorten
from demur.signals import Said

COLUMNS = frozenset(("samples", "logprobs", "sample_logprobs", "token_entropies", "token_margins"))
"""The fields that are read."""
_ROUNDING = 1e-3
"""So far above 0 a log-probability of low precision may be."""


def said_in(row: Mapping[str, Any], question: Question, response: str, *, table: bool) -> Said | None:
    """The response with what is stored of it; None where the row has none of the fields.

    Args:
        table: whether values are a table's cells, where a list is written as text.

    Raises:
        RowError: a field holds something else.
    """
    held = {name: _value(row[name], table=table) for name in row.keys() & COLUMNS}
    held = {name: value for name, value in held.items() if value is not None}
    if not held:
        return None
    tokens = held.get("logprobs")
    own = {name: _numbers(held.get(name), name) for name in ("token_entropies", "token_margins")}
    return Said(
        question=question,
        greedy=Response(
            text=response,
            token_logprobs=_logprobs(tokens, "logprobs"),
            token_entropies=own["token_entropies"],
            token_margins=own["token_margins"] or _margins(tokens),
        ),
        samples=_samples(held.get("samples"), held.get("sample_logprobs")),
    )


def _value(value: Any, *, table: bool) -> Any:
    """A value, or what a table's cell holds; None where it says nothing."""
    if table and isinstance(value, str):
        value = value_in(value) if value.strip() else None
    return None if values.is_nothing(value) else value


def _list(value: Any, name: str, of: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise RowError(f"{name} is {describe(value)}, not a list", f'write "{name}" as a list of {of}')
    return value


def _samples(samples: Any, logprobs: Any) -> tuple[Response, ...]:
    texts = _list(samples, "samples", "texts")
    tokens = _list(logprobs, "sample_logprobs", "lists of numbers, one for each sample")
    if wrong := [text for text in texts if not isinstance(text, str) and not values.is_number(text)]:
        raise RowError(
            f"samples holds {describe(wrong[0])}, not a text", 'write "samples" as a list of texts'
        )
    if tokens and len(tokens) != len(texts):
        raise RowError(
            f"sample_logprobs has {len(tokens):,} lists, samples {len(texts):,} texts",
            "give one list for each sample, in the same order",
        )
    given = tokens or [None] * len(texts)
    return tuple(
        Response(text=values.text_of(text), token_logprobs=_logprobs(own, "sample_logprobs"))
        for text, own in zip(texts, given, strict=True)
    )


def _logprobs(value: Any, name: str) -> tuple[float, ...]:
    """Log-probabilities of tokens, as numbers or in objects."""
    tokens = _list(value, name, "numbers, the natural-log probability of each token")
    plain = [token.get("logprob") if isinstance(token, Mapping) else token for token in tokens]
    found = _numbers(plain, name)
    if above := [number for number in found if number > _ROUNDING]:
        raise RowError(
            f"{name} holds {above[0]:g}, and a log-probability is at most 0",
            f'write "{name}" as natural-log probabilities: the logarithm of 0.5 is -0.693',
        )
    return found


def _numbers(value: Any, name: str) -> tuple[float, ...]:
    """Numbers; null is not a number."""
    found = _list(value, name, "numbers")
    if wrong := [
        item for item in found if not isinstance(item, int | float | None) or isinstance(item, bool)
    ]:
        raise RowError(
            f"{name} holds {shorten(describe(wrong[0]))}, not a number",
            f'write "{name}" as a list of numbers',
        )
    return tuple(math.nan if item is None else float(item) for item in found)


def _margins(tokens: Any) -> tuple[float, ...]:
    """Gap in probability between the two likeliest tokens at each place, where two or more are told."""
    found = []
    for token in tokens if isinstance(tokens, list) else []:
        top = token.get("top_logprobs") if isinstance(token, Mapping) else None
        if not isinstance(top, list) or len(top) < 2:
            return ()
        first, second = sorted(_logprobs(top, "top_logprobs"), reverse=True)[:2]
        found.append(math.exp(first) - math.exp(second))
    return tuple(found)
