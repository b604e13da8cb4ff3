"""Batches of prompts that fit the memory, in an order in which prompts that begin alike are read together.

The budget is a fixed share of the memory, not what is free at the moment, so that the same prompts make
the same batches on the same machine. A batch that does not fit all the same is halved and tried again.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from demur.core.errors import ResourceError
from demur.engines.base import Progress
from demur.engines.checks import check_length
from demur.engines.decoding import LEAST_SHARED, CausalModel
from demur.engines.encoding import common_prefix

T = TypeVar("T")

BATCH_BYTES = 2**30
"""Bytes of keys, values and logits that an automatic batch may take; on CUDA a share of the memory."""
CUDA_SHARE = 0.3
MAX_PROMPTS = {"cpu": 256}
"""Prompts of an automatic batch. On a CPU more were slower (512 by 2%, 1024 by 12% for a model of 1.3
million parameters), presumably since their working set leaves the processor's cache."""
MAX_PROMPT_TOKENS = {"cpu": 12_000}
"""Tokens of all prompts of an automatic batch, for the same reason: 256 prompts of 174 tokens were a fifth
slower than 64 of them, 256 of 55 tokens a tenth faster."""
MAX_PROMPTS_ELSEWHERE = 1024


@dataclass(frozen=True, slots=True)
class Load:
    """What one prompt costs in a batch: tokens to read, tokens to follow, and rows."""

    read: int
    follow: int
    rows: int
    family: int = 0
    """Prompts with the same number begin alike, so that a batch of them reads that once; 0 for none."""


class Batches:
    """Cuts work on prompts into batches for one model.

    Args:
        source: the model.
        tokenizer: its tokenizer, to show a prompt that is too long.
        most: prompts in a batch; None: as many as fit a fixed share of the memory.
    """

    def __init__(self, source: CausalModel, tokenizer: Any, most: int | None) -> None:
        self._source, self._tokenizer, self._most = source, tokenizer, most

    def loads(self, tokens: Sequence[list[int]], follow: Sequence[int], rows: Sequence[int]) -> list[Load]:
        """What each prompt costs: its token ids, how many tokens follow at most, and in how many rows.

        Raises:
            DataError: a prompt that does not fit into the model's context.
        """
        for ids, more in zip(tokens, follow, strict=True):
            check_length(ids, more, limit=self._source.limit, tokenizer=self._tokenizer)
        families = shared_beginnings(tokens) if self._source.padded else [0] * len(tokens)
        return [
            Load(read=len(ids), follow=more, rows=count, family=family)
            for ids, more, count, family in zip(tokens, follow, rows, families, strict=True)
        ]

    def run(
        self, loads: Sequence[Load], work: Callable[[list[int]], list[T]], progress: Progress | None
    ) -> list[T]:
        """Run ``work`` on batches of indices, the longest prompts first; halve what does not fit.

        Args:
            loads: what each prompt costs, from `loads`.
            work: from the indices of a batch to one result for each.
            progress: called with the number of prompts after each batch.

        Returns:
            One result per prompt, in the order of ``loads``.

        Raises:
            ResourceError: not even one prompt fits into the memory.
        """
        results: dict[int, T] = {}
        pending = list(reversed(self._cut(loads)))
        limit = len(loads)
        while pending:
            chosen = pending.pop()
            if len(chosen) > limit:
                pending += [chosen[limit:], chosen[:limit]]
                continue
            done = _unless_full(work, chosen)
            if done is None:
                limit = self._halved(len(chosen))
                pending.append(chosen)
                continue
            results.update(zip(chosen, done, strict=True))
            if progress is not None:
                progress(len(chosen))
        return [results[index] for index in range(len(loads))]

    def _cut(self, loads: Sequence[Load]) -> list[list[int]]:
        longest: dict[int, int] = {}
        for one in loads:
            longest[one.family] = max(longest.get(one.family, 0), one.read)

        def place(index: int) -> tuple[int, ...]:
            one = loads[index]
            return -longest[one.family], one.family, -one.read, -one.follow

        order = sorted(range(len(loads)), key=place)
        batches: list[list[int]] = []
        for index in order:
            if not batches or not self._joins(loads, batches[-1], index):
                batches.append([])
            batches[-1].append(index)
        return batches

    def _joins(self, loads: Sequence[Load], batch: list[int], index: int) -> bool:
        """Whether one more prompt fits into a batch whose first prompt is its longest."""
        if not self._source.padded and loads[batch[0]].read != loads[index].read:
            return False
        if loads[batch[0]].family != loads[index].family:
            return False
        if self._most is not None:
            return len(batch) < self._most
        first, rows = loads[batch[0]], loads[index].rows * (len(batch) + 1)
        kind = self._source.device.type
        if len(batch) >= MAX_PROMPTS.get(kind, MAX_PROMPTS_ELSEWHERE):
            return False
        if (len(batch) + 1) * first.read > MAX_PROMPT_TOKENS.get(kind, math.inf):
            return False
        return rows * self._source.row_bytes(first.read + first.follow) <= self._budget

    @functools.cached_property
    def _budget(self) -> float:
        """Bytes of a batch: fixed for a machine, so that batches do not depend on its mood."""
        device = self._source.device
        if device.type == "cuda":
            return CUDA_SHARE * torch.cuda.get_device_properties(device).total_memory
        return BATCH_BYTES

    def _halved(self, size: int) -> int:
        if self._source.device.type == "cuda":
            torch.cuda.empty_cache()
        if size > 1:
            return size // 2
        raise ResourceError(
            expected="memory for one prompt and its responses",
            found=f"none left on {self._source.device}, even with one prompt at a time",
            fix="take fewer samples or shorter prompts, a smaller dtype (bfloat16), or a smaller model",
        )


def shared_beginnings(tokens: Sequence[list[int]]) -> list[int]:
    """A number for each prompt, the same for those that share at least half of it; 0 for the others.

    Few-shot prompts of one subject share their examples, for instance.
    """
    families, number = [0] * len(tokens), 0
    order = sorted(range(len(tokens)), key=tokens.__getitem__)
    for before, here in itertools.pairwise(order):
        shared = common_prefix(tokens[before], tokens[here])
        if shared >= max(LEAST_SHARED, len(tokens[here]) / 2, len(tokens[before]) / 2):
            if not families[before]:
                number += 1
            families[before] = families[here] = families[before] or number
    return families


def _unless_full(work: Callable[[list[int]], list[T]], chosen: list[int]) -> list[T] | None:
    """The work's result, or None where the memory ran out."""
    try:
        return work(chosen)
    except (MemoryError, torch.OutOfMemoryError):
        return None
    except RuntimeError as error:
        if any(sign in str(error).lower() for sign in ("out of memory", "can't allocate memory")):
            return None
        raise
