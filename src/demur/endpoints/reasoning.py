"""The answer in what a reasoning model says: its reasoning is taken off, and is never an answer.

Such models write ``<think>…</think>`` before they answer, or the server gives the reasoning in a field of
its own (``reasoning_content``, ``reasoning``). Chat templates that open the block themselves leave only
``</think>`` in the reply. A reply that ends within the reasoning, at the token limit or at a stop string,
holds no answer. A tag in backticks is a word about tags and begins nothing.
"""

from __future__ import annotations

import dataclasses
import re

from demur.endpoints.replies import Choice, Token

_NAME = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reasoning)"
_TAG = re.compile(
    rf"<(/)?{_NAME}(?:\s[^<>]*)?>|\[(/)?THINK\]|◁(/)?think▷|<\|(?:begin|(end))_of_thought\|>", re.IGNORECASE
)
"""A tag that begins reasoning, or with a group ends it."""
_STARTS = tuple(tag[:length] for tag in ("<think>", "<thinking>") for length in range(3, len(tag)))
"""Opening tags of which the token limit left a part."""


def answer_of(choice: Choice) -> Choice | None:
    """The text without its reasoning, with the tokens that form the rest; None where no answer is left.

    What holds no reasoning is given back as it is.
    """
    answer = answer_in(choice.text)
    if answer == choice.text and choice.reasoning is None:
        return choice
    if answer is None or not answer.strip():
        return None
    answer = answer.lstrip()
    tokens = _spelling(choice.tokens, answer) if choice.text.endswith(answer) else ()
    return dataclasses.replace(choice, text=answer, tokens=tokens, reasoning=None)


def answer_in(text: str) -> str | None:
    """A text without its reasoning; None where it ends within it. Linear in the text's length."""
    kept: list[str] = []
    start, reasons = 0, False
    for tag in _TAG.finditer(text):
        if text.endswith("`", 0, tag.start()) and text.startswith("`", tag.end()):
            continue
        if any(tag.groups()):
            if not reasons:  # the block was opened before the reply began
                kept.clear()
            reasons, start = False, tag.end()
        elif not reasons:
            kept.append(text[start : tag.start()])
            reasons = True
    if reasons or text.rstrip().lower().endswith(_STARTS):
        return None
    return "".join([*kept, text[start:]])


def _spelling(tokens: tuple[Token, ...], answer: str) -> tuple[Token, ...]:
    """The tokens from where the answer begins; none where they do not spell it."""
    start = b"".join(token.piece for token in tokens).rfind(answer.encode(errors="replace"))
    found, end = [], 0
    for token in tokens if start >= 0 else ():
        begin, end = end, end + len(token.piece)
        if end > start:
            found.append(dataclasses.replace(token, piece=token.piece[max(0, start - begin) :]))
    return tuple(found)
