"""What a reasoning model writes before its answer, and the text without it.

Such models write ``<think>…</think>`` before they answer, other tags, or the channels of the Harmony format
(``<|channel|>analysis<|message|>…<|channel|>final<|message|>…``). Chat templates that open the block
themselves leave only its end in the text. A text that ends within the reasoning, at the token limit or at a
stop string, holds no answer. A tag in backticks is a word about tags and begins nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = (
    r"(?:[\w-]+:)?(?:(?:longcat_)?think(?:ing)?(?:_never_used_\w+|_process)?|thoughts?(?:_process)?"
    r"|reason(?:ing)?(?:_process|_steps)?|analysis|scratch_?pad|reflections?|deliberation|rationale|cot"
    r"|chain[-_]of[-_]thoughts?|(?:inner|internal)_(?:monologue|thoughts?|reasoning))"
)
_TAG = re.compile(
    rf"<(/)?{_NAME}(?:\s[^<>]*)?>"
    r"|\[(/)?(?:THINK(?:ING)?|THOUGHTS?|REASONING)\]"
    r"|◁(/)?think▷"
    r"|<\|(?:begin|start|(end))_?(?:of_)?_?(?:thoughts?|think(?:ing)?|reasoning)\|>"
    r"|<\|(/)?(?:think(?:ing)?|thoughts?|reasoning)\|>"
    r"|<\|channel>thought\n?|(<channel\|>)"
    r"|<unused94>|(<unused95>)",
    re.IGNORECASE,
)
"""A tag that begins reasoning, or with a group ends it."""
_STARTS = tuple(tag[:length] for tag in ("<think>", "<thinking>") for length in range(3, len(tag)))
"""Opening tags of which the token limit left a part."""
_BRACKET = re.compile(r"[<\[◁]")
"""How every tag begins."""

_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?(<\|message\|>)?", re.IGNORECASE)
_MESSAGE_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)
_OPENED = re.compile(r"\s*\w+\s*<\|message\|>")
"""A channel's name at the start: its first mark was part of the prompt."""
_BARE_CHANNEL = re.compile(r"\s*(?:analysis|commentary)(?=[A-Z\"'(<])")
_BARE_FINAL = re.compile(r"assistant\s?final(?:json)?")
"""What is left of the channels where special tokens were removed: ``analysisHm.assistantfinalParis``."""
_GRANITE = re.compile(r"\s*Here(?: is|'s) my thought process:")
_GRANITE_ANSWER = re.compile(r"Here(?: is|'s) my response:")


def without_reasoning(text: str) -> str | None:
    """A text without its reasoning; None where it ends within it. Linear in the text's length.

    A text without any reasoning is given back as it is.
    """
    if "<|message|>" in text:
        return _final_channel(text)
    if not _BRACKET.search(text):
        return _unmarked(text)
    answer = _outside_tags(text)
    return answer if answer is None else _unmarked(answer)


def _outside_tags(text: str) -> str | None:
    kept: list[str] = []
    start, reasons = 0, False
    for tag in _tags(text):
        if text.endswith("`", 0, tag.start()) and text.startswith("`", tag.end()):
            continue
        if any(tag.groups()):
            if not reasons:  # the block was opened before the text began
                kept.clear()
            reasons, start = False, tag.end()
        elif not reasons:
            kept.append(text[start : tag.start()])
            reasons = True
    if reasons or text.rstrip().lower().endswith(_STARTS):
        return None
    return "".join([*kept, text[start:]])


def _tags(text: str) -> Iterator[re.Match[str]]:
    for bracket in _BRACKET.finditer(text):
        if tag := _TAG.match(text, bracket.start()):
            yield tag


def _final_channel(text: str) -> str | None:
    """The last message of the channel ``final``; None without one.

    Source: the Harmony response format, developers.openai.com/cookbook/articles/openai-harmony.
    """
    answer, opened = None, _OPENED.match(text)
    for channel in _CHANNEL.finditer(text := f"<|channel|>{text}" if opened else text):
        if channel[1].lower() == "final" and channel[2]:
            end = _MESSAGE_END.search(text, channel.end())
            answer = text[channel.end() : end.start() if end else len(text)]
    return answer


def _unmarked(text: str) -> str | None:
    """The same for reasoning between words and not between tags."""
    if _BARE_CHANNEL.match(text):
        ends = [final.end() for final in _BARE_FINAL.finditer(text)]
        return text[ends[-1] :] if ends else None
    if _GRANITE.match(text):
        found = _GRANITE_ANSWER.search(text)
        return text[found.end() :] if found else None
    return text
