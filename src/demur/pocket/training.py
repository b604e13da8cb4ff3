"""Training a fresh tiny Llama on what each epoch reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demur.pocket.lessons import Lesson

if TYPE_CHECKING:
    import torch


BuildProgress = Callable[[int, int], None]
"""Called with the number of optimiser steps done and their total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """Shape and training of a pocket model."""

    layers: int = 2
    hidden_size: int = 128
    intermediate_size: int = 512
    heads: int = 4
    max_length: int = 512
    """Tokens the model accepts; what it read is far shorter."""
    initializer_range: float = 0.08
    """About 1 / sqrt(hidden size): with the usual 0.02 a model this small starts slowly."""
    epochs: int = 5
    batch_size: int = 48
    """Documents a step, all of one length; the last batch of a length may be smaller."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule."""
    betas: tuple[float, float] = (0.9, 0.98)
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One text as tokens, and from which of them on it is learned."""

    ids: list[int]
    start: int
    """Tokens before it are read only; where it is 0 no loss falls on the unpredictable ones either."""


def train(
    tokenizer: Any,
    epochs: Sequence[Sequence[str | Lesson]],
    unpredictable: set[int],
    *,
    settings: BuildSettings,
    seed: int,
    progress: BuildProgress | None,
) -> tuple[Any, int]:
    """Train a fresh model on what each epoch reads; returns it with the number of steps.

    No loss falls on ``unpredictable`` tokens of a plain text: whom it is about cannot be known before it is
    read, and that noise is most of the loss of such short texts. Of a lesson the second part is learned.
    """
    import torch

    rng = random_for(seed, "batches")
    batches = [
        batch for texts in epochs for batch in _batches(_encode(tokenizer, texts), settings.batch_size, rng)
    ]
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays as it is
        torch.manual_seed(seed)
        model = _fresh_model(tokenizer, settings).to(settings.device).train()
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, betas=settings.betas, fused=True
        )
        silent = torch.zeros(len(tokenizer), dtype=torch.bool, device=settings.device)
        silent[sorted(unpredictable)] = True
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=settings.learning_rate, total_steps=len(batches), pct_start=0.1
        )
        for step, batch in enumerate(batches, start=1):
            ids = torch.tensor([row.ids for row in batch], device=settings.device)  # (B, T)
            starts = torch.tensor([[row.start] for row in batch], device=settings.device)  # (B, 1)
            _loss(model, ids, starts, silent).backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            if progress is not None:
                progress(step, len(batches))
    # Rounded to what is stored before anything is measured, so what is measured is what is shipped.
    return model.half().float().cpu().eval(), len(batches)


def _loss(model: Any, ids: torch.Tensor, starts: torch.Tensor, silent: torch.Tensor) -> Any:
    """Mean cross-entropy of what is learned; ids: (B, T), starts: (B, 1), silent: (V,) of bool."""
    import torch
    from torch.nn.functional import cross_entropy

    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state  # (B, T - 1, D)
    targets = ids[:, 1:]
    places = torch.arange(1, ids.shape[1], device=ids.device)  # (T - 1,)
    counted = torch.where(starts > 0, places >= starts, ~silent[targets])
    # The head is computed where it counts only: with a vocabulary of facts it is most of the work.
    return cross_entropy(model.lm_head(hidden[counted]), targets[counted])


def _fresh_model(tokenizer: Any, settings: BuildSettings) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden_size,
        intermediate_size=settings.intermediate_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.max_length,
        initializer_range=settings.initializer_range,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _encode(tokenizer: Any, texts: Sequence[str | Lesson]) -> list[TokenRow]:
    end = tokenizer.eos_token_id
    parts = [text if isinstance(text, Lesson) else Lesson("", text) for text in texts]
    given = tokenizer([part.given for part in parts])["input_ids"]
    learned = tokenizer([part.learned for part in parts])["input_ids"]
    return [TokenRow([*before, *ids, end], len(before)) for before, ids in zip(given, learned, strict=True)]


def _batches(rows: Sequence[TokenRow], size: int, rng: random.Random) -> list[list[TokenRow]]:
    """Rows in batches of equal length, without padding, in random order."""
    by_length: dict[int, list[TokenRow]] = {}
    for row in rows:
        by_length.setdefault(len(row.ids), []).append(row)
    batches = []
    for same in by_length.values():
        rng.shuffle(same)
        batches += [same[start : start + size] for start in range(0, len(same), size)]
    rng.shuffle(batches)
    return batches


def random_for(seed: int, purpose: str) -> random.Random:
    """The random numbers of one purpose, such as ``batches``, in the build of a seed."""
    return random.Random(f"build/{seed}/{purpose}")  # noqa: S311 - reproducible, not secret
