"""From a prompt to the tokens that the model reads, the same for probing, training and serving.

Two formats. ``plain``: the prompt is sent as text, with the special tokens that the tokenizer puts
before a text (BOS, for most). ``chat``: the prompt is one user turn of the model's chat template, which
writes every special token itself, so that none is added twice.
"""

from __future__ import annotations

import copy
import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from jinja2 import TemplateError

from demur.core.errors import ConversationError, DataError, ModelError, UnknownNameError
from demur.engines.base import DIRECT, Message, Opening

FORMATS = ("auto", "plain", "chat")

THINK_OPEN, THINK_CLOSED = "<think>", "\n\n</think>\n\n"


def load_tokenizer(opening: Opening) -> Any:
    """The tokenizer of a model, as it lies in the model's folder or on the hub.

    Raises:
        ModelError: it has none that can be read.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(opening.path, **opening.hub_options)
    except Exception as error:  # of whatever library reads it
        raise ModelError(
            expected="a model with a tokenizer that transformers can read",
            found=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            where=str(opening.path),
            fix="check the model's name or folder, and that it holds tokenizer.json",
        ) from error


def opens_chat(opening: Opening) -> bool:
    """Whether prompts go through a chat template; reads the tokenizer only."""
    return Encoder(load_tokenizer(opening), format=opening.format).format == "chat"


@dataclass(frozen=True, slots=True)
class Scored:
    """One prompt with continuations to score.

    Attributes:
        shared: the tokens that all continuations follow.
        suffixes: what follows them, by continuation.
        counts: how many tokens at the end of each suffix belong to the continuation.
    """

    shared: list[int]
    suffixes: list[list[int]]
    counts: list[int]


class Encoder:
    """A tokenizer and the format of its prompts.

    Args:
        tokenizer: a Hugging Face tokenizer; it is not changed.
        format: ``auto`` is ``chat`` where the tokenizer has a chat template, else ``plain``.
        chat_options: variables for the chat template; by default thinking is off (`DIRECT`), and a think
            block that the template opens all the same is closed at once.

    Raises:
        ModelError: ``chat`` without a chat template.
        UnknownNameError: another format.
    """

    def __init__(
        self, tokenizer: Any, *, format: str = "auto", chat_options: Mapping[str, Any] = DIRECT
    ) -> None:
        self.tokenizer = tokenizer
        self.format = _resolve(format, tokenizer)
        self.chat_options = dict(chat_options)
        self.history: tuple[Message, ...] = ()
        self._prefix = [] if self.format == "chat" else _added_before_text(tokenizer)
        self._thinks = any(chat_options.get(name) for name in DIRECT)

    def render(self, prompt: str) -> str:
        """The text that the model really reads for ``prompt``, without what the tokenizer adds itself.

        Raises:
            ModelError: the chat template cannot be read, fails, or leaves the prompt out.
        """
        if self.format == "plain":
            return prompt
        try:
            text = self._in_turns(prompt)
        except Exception as error:  # a template is a program
            raise self._bad_template(f"{type(error).__name__}: {error}") from error
        if "".join(prompt.split()) not in "".join(text.split()):
            raise self._bad_template(
                f"it leaves out what the user says; of {prompt[:60]!r} it makes {text[:200]!r}"
            )
        return text

    def _bad_template(self, found: str) -> ModelError:
        return ModelError(
            expected="a chat template that writes what the user says, given as a text, into the prompt",
            found=" ".join(found.split()),
            where=f"chat template of {self.tokenizer.name_or_path}",
            fix="correct chat_template in the model's tokenizer_config.json or chat_template.jinja, or ask "
            "without it: --model.format plain",
        )

    def _in_turns(self, prompt: str) -> str:
        """A prompt as the chat template writes it, after the earlier turns."""
        turns = (*self.history, Message("user", prompt))
        text = self.tokenizer.apply_chat_template(
            [{"role": turn.role, "content": turn.content} for turn in turns],
            tokenize=False,
            add_generation_prompt=True,
            **self.chat_options,
        )
        return cast(str, text) if self._thinks else _close_thinking(cast(str, text))

    def after(self, history: Sequence[Message]) -> Encoder:
        """The same encoder, with earlier turns before every prompt.

        Raises:
            ConversationError: plain text has no turns, or the chat template does not take these.
        """
        other = copy.copy(self)
        other.history = tuple(history)
        if not history:
            return other
        if self.format == "plain":
            raise ConversationError(
                expected="one question, since this model has no chat template to write several turns with",
                found=f"{len(history)} earlier turns: {', '.join(turn.role for turn in history)}",
                where="the conversation",
                fix="ask one question at a time, without a system message, or use a chat model",
            )
        try:
            other._in_turns("?")
        except (TemplateError, ValueError, TypeError) as error:
            raise ConversationError(
                expected="turns that the model's chat template takes",
                found=f"{', '.join(turn.role for turn in history)}, then user: {error}",
                where="the conversation",
                fix="leave out what it does not take, such as the system message",
            ) from error
        return other

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that the tokenizer knows."""
        return ("plain", "chat") if getattr(self.tokenizer, "chat_template", None) else ("plain",)

    def encode(self, prompt: str, continuation: str = "") -> list[int]:
        """The tokens of a prompt and what continues it, tokenised as one text."""
        return self.encode_all([(prompt, continuation)])[0]

    def encode_all(self, texts: Sequence[tuple[str, str]]) -> list[list[int]]:
        """`encode` for many (prompt, continuation) pairs at once.

        Raises:
            DataError: a text without tokens, for a model without any token that could start one.
        """
        return self._tokens([self.render(prompt) + continuation for prompt, continuation in texts])

    def split(self, rendered: str, continuation: str) -> tuple[list[int], list[int]]:
        """The tokens of a rendered prompt and what continues it, parted where the continuation begins.

        The whole text is tokenised at once, as a model would have met it, and the continuation is what
        follows the longest common prefix with the tokens of the prompt alone. Where the first characters
        of the continuation merge with the prompt's last token (`` `` + ``Paris`` → ``ĠParis``), the part
        moves left and that token counts as the continuation's: the same as moving a prompt's trailing
        space to the continuation, for any merge. A training row is made from these two lists.
        """
        alone, whole = self._tokens([rendered, rendered + continuation])
        boundary = common_prefix(alone, whole)
        return whole[:boundary], whole[boundary:]

    def align(
        self, prompts: Sequence[tuple[str, str]], continuations: Sequence[Sequence[str]]
    ) -> list[Scored]:
        """Tokenise prompts, each given as (prompt, what already follows it), with their continuations."""
        alone = self.encode_all(prompts)
        texts = [
            (prompt, lead + option)
            for (prompt, lead), options in zip(prompts, continuations, strict=True)
            for option in options
        ]
        whole = iter(self.encode_all(texts))
        return [
            self._aligned(ids, [next(whole) for _ in options])
            for ids, options in zip(alone, continuations, strict=True)
        ]

    def _aligned(self, prompt: list[int], wholes: list[list[int]]) -> Scored:
        """Part whole texts into what they share and their own ends."""
        boundaries = [common_prefix(prompt, whole) for whole in wholes]
        if wholes and min(boundaries) == 0:
            # Nothing stands before a continuation that merged with all of its prompt
            first = self.first_token()
            wholes = [[first, *whole] for whole in wholes]
            boundaries = [boundary + 1 for boundary in boundaries]
        shared = min(boundaries, default=len(prompt))
        return Scored(
            shared=(wholes[0] if wholes else prompt)[:shared],
            suffixes=[whole[shared:] for whole in wholes],
            counts=[len(whole) - boundary for whole, boundary in zip(wholes, boundaries, strict=True)],
        )

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        """The tokens of whole texts, with the tokenizer's own prefix."""
        if not texts:
            return []
        found = self.tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        )
        return [self._started(ids) for ids in found["input_ids"]]

    def _started(self, ids: list[int]) -> list[int]:
        """Put the tokenizer's own prefix before a text, once; an empty text still needs one token."""
        if self._prefix and ids[: len(self._prefix)] != self._prefix:
            ids = self._prefix + ids
        return ids or [self.first_token()]

    def first_token(self) -> int:
        """A token to begin a text with that has none of its own."""
        names = ("bos_token_id", "eos_token_id", "pad_token_id")
        known = [getattr(self.tokenizer, name) for name in names]
        for token in known:
            if token is not None:
                return int(token)
        raise DataError(
            expected="a prompt with at least one token",
            found="an empty prompt, and a tokenizer without BOS or EOS token to begin with",
            fix="use a template with some text before the question",
        )


def pairs(prompts: Sequence[str], leads: Sequence[str] | None) -> list[tuple[str, str]]:
    """Each prompt with what already follows it."""
    return list(zip(prompts, leads or [""] * len(prompts), strict=True))


def end_tokens(declared: int | Sequence[int] | None, tokenizer: Any) -> frozenset[int]:
    """All tokens that end a text: those the model's generation settings declare, and the tokenizer's."""
    ends = [declared] if isinstance(declared, int | None) else declared
    return frozenset(int(token) for token in [*ends, tokenizer.eos_token_id] if token is not None)


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of leading tokens that two lists share."""
    for index, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return index
    return min(len(first), len(second))


def _resolve(format: str, tokenizer: Any) -> Literal["plain", "chat"]:
    if format not in FORMATS:
        raise UnknownNameError("prompt format", format, FORMATS)
    templated = bool(getattr(tokenizer, "chat_template", None))
    if format == "auto":
        return "chat" if templated else "plain"
    if format == "chat" and not templated:
        raise ModelError(
            expected="a tokenizer with a chat template, since the format is 'chat'",
            found="a tokenizer without one",
            where=str(getattr(tokenizer, "name_or_path", "") or "the tokenizer"),
            fix="use format 'plain' for a base model, or a model tuned for chat",
        )
    return "chat" if format == "chat" else "plain"


def _added_before_text(tokenizer: Any) -> list[int]:
    """The special tokens that a tokenizer puts before a text; those it puts after one would end it."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = list(tokenizer("a")["input_ids"])
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return whole[:start]
    return []


def _close_thinking(text: str) -> str:
    return text.rstrip() + THINK_CLOSED if text.rstrip().endswith(THINK_OPEN) else text


BYTE = re.compile(r"<0x[0-9A-F]{2}>")
"""A token that is a byte, as tokenizers with byte fallback name it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A generated text up to its first stop string."""

    text: str
    tokens: int
    """How many of the generated tokens form the text."""
    stopped: bool
    """Whether there was a stop string."""


class Decoder:
    """From generated tokens back to text, with the space before the first word kept.

    Args:
        tokenizer: a Hugging Face tokenizer.
    """

    CONTEXT = 4
    """Tokens of the prompt that are decoded with a response: enough to be inside of a text, where no
    tokenizer drops a leading space, and to hold the bytes of a split character."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_ids)
        self._pieces: dict[int, str] = {}
        # Most prompts of a run end alike
        self._decode_context = functools.lru_cache(maxsize=1024)(self._decode)
        self._anchor = self._inside_of_text()

    def text(self, prompt: Sequence[int], generated: Sequence[int]) -> str:
        """The text of ``generated`` as it follows ``prompt``; special tokens are left out."""
        words = [token for token in prompt[-4 * self.CONTEXT :] if token not in self._special]
        return self._after(words[-self.CONTEXT :], generated)

    def piece(self, token: int) -> str:
        """The text of one token inside of a text; holds U+FFFD where it is part of a character."""
        if token not in self._pieces:
            self._pieces[token] = self._after(self._anchor, [token])
        return self._pieces[token]

    def settled(self, tokens: Sequence[int]) -> Sequence[int]:
        """The tokens but for those at the end that are bytes: what follows them may change their text."""
        end = len(tokens)
        while end and self._is_byte(tokens[end - 1]):
            end -= 1
        return tokens[:end]

    def _is_byte(self, token: int) -> bool:
        name = self.tokenizer.convert_ids_to_tokens(token)
        return "\N{REPLACEMENT CHARACTER}" in self.piece(token) or BYTE.fullmatch(name or "") is not None

    def cut(self, prompt: Sequence[int], generated: Sequence[int], stops: Sequence[str]) -> Cut:
        """The text before the first stop string and how many of the tokens form it.

        A token forms the text if it begins inside of it, so one that holds the end of the text and the
        stop string counts.
        """
        text = self.text(prompt, generated)
        stop = first_stop(text, stops)
        if stop is None:
            return Cut(text=text, tokens=len(generated), stopped=False)
        starts = self._starts(prompt, generated, text)
        return Cut(text=text[:stop], tokens=sum(start < stop for start in starts), stopped=True)

    def _starts(self, prompt: Sequence[int], generated: Sequence[int], text: str) -> list[int]:
        """The character of ``text`` at which each token begins."""
        pieces = [self.piece(token) for token in generated]
        if "�" not in text and "".join(pieces) == text:
            return [0, *itertools.accumulate(len(piece) for piece in pieces[:-1])]
        before = (self.text(prompt, generated[:index]) for index in range(len(generated)))
        return [len(text.rstrip("�")) for text in before]  # bytes of an unfinished character

    def _inside_of_text(self) -> list[int]:
        """A token to stand before another one, so that the other is not the first of its text."""
        candidates = [
            *self.tokenizer("a", add_special_tokens=False)["input_ids"],
            *range(len(self.tokenizer)),
        ]
        return next(([token] for token in candidates if self._decode([token]).strip("� ")), [])

    def _after(self, context: list[int], generated: Sequence[int]) -> str:
        before, whole = self._decode_context(tuple(context)), self._decode([*context, *generated])
        if whole.startswith(before):
            return whole[len(before) :]
        # A split character at the border: what both share is the context's
        return whole[next(i for i, char in enumerate(before) if whole[i : i + 1] != char) :]

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self.tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return cast(str, text)


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the first stop string begins, or None where there is none."""
    found = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return min(found, default=None)
