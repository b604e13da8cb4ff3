"""Keys and values of a batch: rows that grow in place, are selected, and are taken up again later.

Rows are aligned at their right end, see `demur.engines.decoding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):  # type: ignore[misc] # transformers has no types that we follow
    """Keys and values of one layer in a buffer with room to grow, so that a step copies one token only.

    ``keys`` and ``values`` are views of the filled part, shape ``(rows, heads, tokens, head size)``.

    Args:
        room: tokens that are expected to follow what is first read.
    """

    def __init__(self, room: int = 0) -> None:
        super().__init__()
        self.room = room
        self._capacity = 0
        self._buffers: list[torch.Tensor] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append tokens; returns all keys and values so far."""
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if not self.is_initialized:
            # The first reading is kept as it came; a buffer is made when rows are selected.
            self._keep(key_states, value_states)
            return key_states, value_states
        self._reserve(end)
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[: len(states), :, start:end] = states
        self._show(len(key_states), end)
        return self.keys, self.values

    def select(self, rows: torch.Tensor, moved: torch.Tensor | None) -> None:
        """Keep ``rows``; ``moved`` names the places whose row changes, if only those are to be copied."""
        if not self.is_initialized:
            return
        length = self.get_seq_length()
        if moved is not None and self._buffers and len(rows) <= len(self._buffers[0]):
            for buffer in self._buffers:
                buffer[moved, :, :length] = buffer[rows[moved], :, :length]
        else:
            filled = (self.keys, self.values)
            self._buffers = [self._buffer(states, len(rows)) for states in filled]
            for buffer, states in zip(self._buffers, filled, strict=True):
                torch.index_select(states, 0, rows, out=buffer[:, :, :length])
        self._show(len(rows), length)

    def start(
        self, keys: torch.Tensor, values: torch.Tensor, *, rows: int, length: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Make room for keys and values like these; returns the part to be filled in."""
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._capacity = length + self.room
        self._buffers = [self._buffer(states, rows) for states in (keys, values)]
        self._show(rows, length)
        return self.keys, self.values

    def _keep(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.keys, self.values = keys, values
        self._capacity = keys.shape[-2] + self.room

    def _reserve(self, end: int) -> None:
        """Make sure that the buffers hold ``end`` tokens."""
        if self._buffers and self._buffers[0].shape[-2] >= end:
            return
        filled, length = (self.keys, self.values), self.get_seq_length()
        self._capacity = max(self._capacity, end)
        self._buffers = [self._buffer(states, len(states)) for states in filled]
        for buffer, states in zip(self._buffers, filled, strict=True):
            buffer[:, :, :length] = states

    def _buffer(self, like: torch.Tensor, rows: int) -> torch.Tensor:
        return like.new_empty(rows, like.shape[1], self._capacity, like.shape[3])

    def _show(self, rows: int, length: int) -> None:
        self.keys, self.values = (buffer[:rows, :, :length] for buffer in self._buffers)


class RoomyCache(DynamicCache):  # type: ignore[misc]
    """A cache of `RoomyLayer`s, whatever the model's own layers would be."""

    def __init__(self, room: int = 0) -> None:
        super().__init__()
        self.layer_class_to_replicate = partial(RoomyLayer, room)


@dataclass(frozen=True, slots=True)
class Held:
    """Keys and values of rows that left a batch; ``layers`` holds None for layers without a cache."""

    layers: list[tuple[torch.Tensor, torch.Tensor] | None]
    padding: torch.Tensor
    length: int
    alike: bool = False
    """Whether ``layers`` hold one row that stands for all."""

    def repeated(self, times: int) -> Held:
        """One row many times over, without a copy of it."""
        return Held(self.layers, self.padding.expand(times), self.length, alike=True)


def fill(cache: RoomyCache, held: Sequence[Held], padding: torch.Tensor, width: int) -> None:
    """Copy the first tokens of every held row to the right end of a cache of ``width`` tokens."""
    moves, start = [], 0
    for part in held:
        end = start + len(part.padding)
        moves.append((slice(start, end), _Move.of(part, padding[start:end], width)))
        start = end
    for index, first in enumerate(held[0].layers):
        layer = cache.layer_class_to_replicate()
        cache.layers.append(layer)
        if first is None:
            continue
        buffers = layer.start(*first, rows=len(padding), length=width)
        for part, (rows, move) in zip(held, moves, strict=True):
            olds = cast(tuple[torch.Tensor, torch.Tensor], part.layers[index])
            for old, buffer in zip(olds, buffers, strict=True):
                move(old, buffer[rows])


@dataclass(frozen=True, slots=True)
class _Move:
    """Where the tokens of held rows go. Rows that would be the same are picked once.

    Attributes:
        sources: the held row that each distinct one is made of, shape ``(distinct, 1)``.
        tokens: which of its tokens are picked, shape ``(distinct, width)``.
        copies: which of the distinct rows each new one is, shape ``(rows,)``.
    """

    sources: torch.Tensor
    tokens: torch.Tensor
    copies: torch.Tensor

    @classmethod
    def of(cls, part: Held, padding: torch.Tensor, width: int) -> Self:
        """The move of one part to rows with so much padding."""
        # Slot s of the new row is token s - padding, which stood at s - padding + the old padding.
        shifts, copies = part.padding - padding, torch.arange(len(padding), device=padding.device)
        if part.alike:
            shifts, copies = torch.unique(shifts, return_inverse=True)
        tokens = torch.arange(width, device=padding.device) + shifts[:, None]
        sources = torch.zeros_like(shifts) if part.alike else copies
        return cls(sources[:, None], tokens.clamp(0, part.length - 1), copies)

    def __call__(self, old: torch.Tensor, new: torch.Tensor) -> None:
        """Move tokens: (held, heads, old, size) to (rows, heads, width, size)."""
        picked = old.transpose(1, 2)[self.sources, self.tokens].transpose(1, 2)
        torch.index_select(picked, 0, self.copies, out=new)
