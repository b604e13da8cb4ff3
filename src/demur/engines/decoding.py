"""Decoding with a key-value cache whose rows can be repeated, moved, dropped and taken up again.

Rows of one batch are aligned at their right end: padding stands on the left only, and no row has a hole.
That keeps distances between tokens true, which sliding windows and relative positions need, and lets
every row grow at the same place.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import torch

from demur.engines.cache import Held, RoomyCache, fill
from demur.engines.encoding import common_prefix
from demur.engines.states import Recorder

CACHED_LAYERS = {"full_attention", "sliding_attention", "chunked_attention"}
"""Layer types whose whole past is keys and values. A sliding layer is given a full cache here: its mask
limits what it sees, and its rows can then be moved like any others."""

LEAST_SHARED = 32
"""From so many tokens on, what all rows of a batch begin with is read once."""
WORTHWHILE = 2**33
"""Products of a weight and a token that are worth one more call of the model: some 30 ms on two cores.
Where it saves as many, a shorter beginning is read once too, and rows of different length apart."""

PADDED_BY_MASK = {"bloom", "mpt"}
"""Models without explicit positions that read them off the attention mask."""


class State(Protocol):
    """What a model has read, for a batch of rows."""

    logits: torch.Tensor
    """Of the token after the last one read; shape ``(rows, vocabulary)``, float32."""
    hidden: torch.Tensor | None
    """Hidden states after the last token read, shape ``(rows, layers, hidden size)``, float32; None where
    `CausalModel.recorder` does not record."""

    def feed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read more tokens, shape ``(rows, n)``; returns logits after each, ``(rows, n, vocabulary)``."""
        ...

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be named many times."""
        ...


class CausalModel:
    """A causal language model seen as a source of states.

    Args:
        model: a Hugging Face causal LM in evaluation mode.

    Attributes:
        padded: whether rows of different length can share a batch, and their cache be taken up again.
            False for recurrent and hybrid models, which are run without a cache and without padding.
        recorder: keeps hidden states while it is told to.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        inner = (
            model.get_base_model() if hasattr(model, "get_base_model") else model
        )  # PEFT wraps its model
        self._parameters = set(inspect.signature(inner.forward).parameters)
        self.padded = self._keeps_keys_and_values()
        self.limit = _context_limit(model)
        self.recorder = Recorder(inner)
        _fold_head(model)

    @property
    def device(self) -> torch.device:
        """Where the model reads its tokens."""
        return cast(torch.device, self.model.device)

    def read(self, rows: Sequence[Sequence[int]], *, room: int = 0) -> State:
        """Read whole rows of tokens.

        Args:
            rows: token ids, none empty; of one length where the model is not ``padded``.
            room: how many tokens are to follow; the cache is made that much longer.
        """
        if not self.padded:
            return RereadState(self, torch.tensor(rows, device=self.device))
        shared = self._worth_sharing(rows)
        if shared:
            return self._read_after(shared, rows, room=room)
        return self._read_apart(rows, room=room)

    def _worth_sharing(self, rows: Sequence[Sequence[int]]) -> int:
        """How many tokens all rows begin with, where reading them once pays; else 0."""
        if len(rows) < 2:
            return 0
        ordered = sorted(list(row) for row in rows)  # the first and the last differ soonest
        shared = min(common_prefix(ordered[0], ordered[-1]), min(map(len, rows)) - 1)
        pays = shared >= LEAST_SHARED or self._is_worthwhile(shared * (len(rows) - 1))
        own = max(map(len, rows)) - shared
        # Every row of a part reads as many tokens as the longest has of its own, so no row gets a hole.
        return shared if pays and own < min(map(len, rows)) else 0

    def _is_worthwhile(self, tokens: int) -> bool:
        """Whether not to read so many tokens is worth one more call of the model; not on a GPU."""
        return self.device.type == "cpu" and tokens * self._parameter_count >= WORTHWHILE

    @functools.cached_property
    def _parameter_count(self) -> int:
        return int(self.model.num_parameters())

    def _read_after(self, shared: int, rows: Sequence[Sequence[int]], *, room: int) -> CachedState:
        """Read what all rows begin with once, and then each row's own tokens."""
        first = CachedState.empty(self, [0], room=0)
        first.feed_ragged([rows[0][:shared]])
        return self._read_apart(rows, after=first.take([0]), room=room)

    def _read_apart(
        self, rows: Sequence[Sequence[int]], *, after: Held | None = None, room: int
    ) -> CachedState:
        """Read rows in parts of about the same length, so that little padding is computed.

        Args:
            after: what all rows begin with, read already.
        """
        lengths = [len(row) for row in rows]
        parts = self._parts(sorted(range(len(rows)), key=lambda i: -lengths[i]), lengths)
        if len(parts) == 1:
            return self._read_part(rows, after, room=room)
        read = [self._read_part([rows[i] for i in part], after, room=0) for part in parts]
        widest, order = max(lengths), [i for part in parts for i in part]
        padding = [widest - lengths[i] for i in order]
        state = CachedState.empty(self, padding, room=room)
        fill(state.cache, [part.held() for part in read], state.padding, widest)
        state.length, state.logits = widest, torch.cat([part.logits for part in read])
        hidden = [part.hidden for part in read if part.hidden is not None]
        state.hidden = torch.cat(hidden) if hidden else None
        state.select(sorted(range(len(order)), key=order.__getitem__))
        return state

    def _read_part(self, rows: Sequence[Sequence[int]], after: Held | None, *, room: int) -> CachedState:
        if after is None:
            state = CachedState.empty(self, [0] * len(rows), room=room)
            state.feed_ragged(rows)
            return state
        own = max(map(len, rows)) - after.length
        keep = [len(row) - own for row in rows]
        read_on = [row[count:] for row, count in zip(rows, keep, strict=True)]
        return resume(self, [after.repeated(len(rows))], keep, read_on, room=room)

    def _parts(self, places: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
        """Cut rows, the longest first, where reading the shorter ones apart saves the most padding."""
        longest = lengths[places[0]]
        saved = [(longest - lengths[places[cut]]) * (len(places) - cut) for cut in range(1, len(places))]
        most = max(saved, default=0)
        if not self._is_worthwhile(most):
            return [list(places)]
        cut = 1 + saved.index(most)
        return self._parts(places[:cut], lengths) + self._parts(places[cut:], lengths)

    def row_bytes(self, tokens: int) -> int:
        """About how much memory one row takes: keys and values, its logits with two copies of them, and
        while a long prompt is read the mask and, on a CPU, every head's attention.
        """
        per_token, per_pair, fixed = self._bytes
        return tokens**2 * per_pair + tokens * per_token + fixed

    @functools.cached_property
    def _bytes(self) -> tuple[int, int, int]:
        """Bytes per token of keys and values, per pair of tokens while reading, and per row of logits."""
        config = self.model.config.get_text_config(decoder=True)
        queries = getattr(config, "num_attention_heads", None) or 1  # a recurrent model has none
        heads = getattr(config, "num_key_value_heads", None) or queries
        head = getattr(config, "head_dim", None) or config.hidden_size // queries
        per_token = 2 * config.num_hidden_layers * heads * head * self.model.dtype.itemsize
        per_pair = 4 * (1 + (queries if self.device.type == "cpu" else 0))
        return int(per_token), int(per_pair), int(5 * 4 * config.vocab_size)

    def forward(self, tokens: torch.Tensor, *, keep: int, **inputs: Any) -> torch.Tensor:
        """Logits of the last ``keep`` positions, shape ``(rows, keep, vocabulary)``, float32."""
        known = {name: value for name, value in inputs.items() if name in self._parameters}
        if "logits_to_keep" in self._parameters:
            known["logits_to_keep"] = keep
        logits = self.model(input_ids=tokens, **known).logits
        return cast(torch.Tensor, logits[:, -keep:].float())

    def _keeps_keys_and_values(self) -> bool:
        """Whether the past of every layer is keys and values at explicit positions."""
        config = self.model.config.get_text_config(decoder=True)
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        positions = "position_ids" in self._parameters or config.model_type in PADDED_BY_MASK
        return (
            positions
            and "past_key_values" in self._parameters
            and layers <= CACHED_LAYERS
            and not getattr(self.model, "_is_stateful", False)
            and self.model._supports_default_dynamic_cache()
        )


@dataclass(slots=True)
class CachedState:
    """Rows whose keys and values are kept.

    Attributes:
        padding: tokens of padding at the left of each row, shape ``(rows,)``.
        length: tokens in every row, padding included.
    """

    source: CausalModel
    cache: RoomyCache
    padding: torch.Tensor
    length: int
    logits: torch.Tensor
    is_padded: bool
    hidden: torch.Tensor | None = None

    @classmethod
    def empty(cls, source: CausalModel, padding: Sequence[int], *, room: int) -> Self:
        """A state that has read nothing yet."""
        device = source.device
        return cls(
            source=source,
            cache=RoomyCache(room),
            padding=torch.tensor(padding, device=device),
            length=0,
            logits=torch.empty(0, device=device),
            is_padded=any(padding),
        )

    def feed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read more tokens; see `State`."""
        return self._forward(tokens, keep=tokens.shape[1])

    def feed_ragged(self, rows: Sequence[Sequence[int]]) -> None:
        """Read rows of different length into a state without padding-free past: pads go to the left.

        A row shorter than the longest one must have no tokens of its own in the cache yet.
        """
        width = max(map(len, rows))
        missing = [width - len(row) for row in rows]
        tokens = torch.tensor([[0] * pad + list(row) for pad, row in zip(missing, rows, strict=True)])
        if any(missing):
            self.padding = self.padding + torch.tensor(missing, device=self.padding.device)
            self.is_padded = True
        self._forward(tokens.to(self.padding.device), keep=1)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows; see `State`. Rows that stay in place are not copied where there is room."""
        places = [place for place, row in enumerate(rows) if place != row]
        if not places and len(rows) == len(self.padding):
            return
        device = self.padding.device
        index = torch.tensor(rows, device=device)
        few = 2 * len(places) < len(rows)
        moved = torch.tensor(places, dtype=torch.long, device=device) if few else None
        for layer in self.cache.layers:
            layer.select(index, moved)
        self.padding = self.padding[index]
        self.logits = self.logits[index] if len(self.logits) else self.logits
        self.hidden = None if self.hidden is None else self.hidden[index]

    def take(self, rows: Sequence[int]) -> Held:
        """Copy what some rows have read, to be taken up again later."""
        index = torch.tensor(rows, device=self.padding.device)
        layers = [
            (layer.keys[index], layer.values[index]) if layer.is_initialized else None
            for layer in self.cache.layers
        ]
        return Held(layers=layers, padding=self.padding[index], length=self.length)

    def held(self) -> Held:
        """What all rows have read, not copied."""
        layers = [
            (layer.keys, layer.values) if layer.is_initialized else None for layer in self.cache.layers
        ]
        return Held(layers=layers, padding=self.padding, length=self.length)

    def _forward(self, tokens: torch.Tensor, *, keep: int) -> torch.Tensor:
        width = tokens.shape[1]
        slots = torch.arange(self.length + width, device=tokens.device)
        positions, seen = slots[None, self.length :], None  # one row of positions serves all, mostly
        if self.is_padded:
            positions = (positions - self.padding[:, None]).clamp(min=0)
            seen = slots >= self.padding[:, None]
        logits = self.source.forward(
            tokens,
            keep=keep,
            attention_mask=seen,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
        )
        self.length += width
        self.logits, self.hidden = logits[:, -1], self.source.recorder.taken()
        return logits


def resume(
    source: CausalModel,
    held: Sequence[Held],
    keep: Sequence[int],
    rows: Sequence[Sequence[int]],
    *,
    room: int = 0,
) -> CachedState:
    """Take rows up again and let them read on.

    Args:
        held: the rows, in parts.
        keep: how many of its tokens each row keeps, in the order of the parts.
        rows: what each row reads next; all of one length, except rows that keep nothing.
        room: how many tokens are to follow.

    Returns:
        The state after the last token of each row, right-aligned.
    """
    widest = max(keep)
    padding = [widest - count for count in keep]
    state = CachedState.empty(source, padding, room=room + len(rows[0]))
    if widest:
        fill(state.cache, held, state.padding, widest)
        state.length = widest
    state.feed_ragged(rows)
    return state


@dataclass(slots=True)
class RereadState:
    """Rows that are read anew at every step: right for any causal model, and slow."""

    source: CausalModel
    tokens: torch.Tensor
    logits: torch.Tensor
    hidden: torch.Tensor | None

    def __init__(self, source: CausalModel, tokens: torch.Tensor) -> None:
        self.source, self.tokens = source, tokens
        self.logits = source.forward(tokens, keep=1, use_cache=False)[:, -1]
        self.hidden = source.recorder.taken()

    def feed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read more tokens; see `State`."""
        self.tokens = torch.cat([self.tokens, tokens], dim=1)
        logits = self.source.forward(self.tokens, keep=tokens.shape[1], use_cache=False)
        self.logits, self.hidden = logits[:, -1], self.source.recorder.taken()
        return logits

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows; see `State`."""
        index = torch.tensor(rows, device=self.tokens.device)
        self.tokens, self.logits = self.tokens[index], self.logits[index]
        self.hidden = None if self.hidden is None else self.hidden[index]


def _fold_head(model: Any) -> None:
    """Make the output head multiply all rows at once, whatever slice of the hidden states it is given.

    Models hand their head a slice of the last positions, which is not contiguous. Where the head's weight
    needs no gradient (frozen, merged, quantized), torch does not fold such a batch into one matrix product:
    it copies the whole weight for every row. Calling this twice is harmless.
    """
    head = model.get_output_embeddings()
    if head is not None and _contiguous not in head._forward_pre_hooks.values():
        head.register_forward_pre_hook(_contiguous)


def _contiguous(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    rows = inputs[0]
    # As a matrix: `contiguous` alone leaves the stride of a dimension of size 1, such as a single row.
    return (rows.reshape(-1, rows.shape[-1]).contiguous().view(rows.shape), *inputs[1:])


def _context_limit(model: Any) -> int | None:
    """The longest text that the model was made for, in tokens; None where it names none."""
    config = model.config.get_text_config(decoder=True)
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if limit else None
