"""Counting tokens as the model reads them, for bills and limits."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

from demur.engines import Engine, Message

REMEMBERED = 1024
"""Texts whose tokens are counted once."""


class TokenCounter:
    """An engine's tokenizer once more, since the engine's own may be at work in another thread.

    For one thread at a time.
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder = copy.copy(encoder)
        self._encoder.tokenizer = copy.deepcopy(encoder.tokenizer)
        self.text = functools.lru_cache(REMEMBERED)(self._text)  # refusals above all come again and again

    @classmethod
    def of(cls, engine: Engine) -> TokenCounter | None:
        """None where the tokenizer is not here: behind a server."""
        encoder = getattr(engine, "encoder", None)
        return None if encoder is None else cls(encoder)

    def prompt(self, prompt: str, history: Sequence[Message] = ()) -> int:
        """Tokens that the model reads before it answers, those of the chat template included."""
        return len(self._encoder.after(history).encode(prompt))

    text: Callable[[str], int]
    """Tokens of a text by itself."""

    def _text(self, text: str) -> int:
        return len(self._encoder.tokenizer(text, add_special_tokens=False)["input_ids"])
