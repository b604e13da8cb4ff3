"""Hidden states of a model, taken from the same reading of a text that gives the next token.

A hook on each wanted block keeps what it gives at the last position of a reading. Rows of a batch end at
the same place, so that is the last token of every row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from demur.engines.base import States


def blocks(model: Any) -> list[torch.nn.Module]:
    """The blocks of a decoder, in order; none where the model does not hold them in one list."""
    config = model.config.get_text_config(decoder=True)
    count = getattr(config, "num_hidden_layers", None)
    lists = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    return next((list(found) for found in lists if count and len(found) == count), [])


class Recorder:
    """Keeps what chosen blocks of a model give.

    Args:
        model: a Hugging Face causal LM.
    """

    def __init__(self, model: Any) -> None:
        self._blocks = blocks(model)
        self._seen: dict[int, torch.Tensor] = {}

    @property
    def layers(self) -> int:
        """How many blocks there are to choose from."""
        return len(self._blocks)

    @contextlib.contextmanager
    def recording(self, layers: Sequence[int]) -> Iterator[None]:
        """Keep the outputs of these layers for a while; 1 is the first block's."""
        hooks = [self._blocks[layer - 1].register_forward_hook(self._keeper(layer)) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            self._seen.clear()

    def taken(self) -> torch.Tensor | None:
        """At the last position of the last reading, shape ``(rows, layers, hidden size)``, float32."""
        return torch.stack(list(self._seen.values()), dim=1).float() if self._seen else None

    def _keeper(self, layer: int) -> Callable[..., None]:
        self._seen.pop(layer, None)

        def keep(_: torch.nn.Module, __: Any, output: Any) -> None:
            hidden = output[0] if isinstance(output, tuple) else output
            self._seen[layer] = hidden[:, -1].clone()  # not a view that would keep the whole output

        return keep


class Trail:
    """The hidden states along the greedy responses of a batch, step by step."""

    def __init__(self) -> None:
        self._steps: list[tuple[torch.Tensor, dict[int, int]]] = []

    def add(self, states: torch.Tensor, places: dict[int, int]) -> None:
        """Keep the states of one step.

        Args:
            states: shape ``(rows, layers, hidden size)``.
            places: the row of each prompt's greedy response.
        """
        self._steps.append((states[list(places.values())], {p: row for row, p in enumerate(places)}))

    def states(self, prompt: int, tokens: int) -> States:
        """Those after a prompt, and after so many tokens of its response, as far as they were read."""
        steps = [found[rows[prompt]] for found, rows in self._steps if prompt in rows]
        return States(prompt=_numbers(steps[0]), answer=_numbers(steps[min(tokens, len(steps) - 1)]))


def tops_of(logits: torch.Tensor) -> list[tuple[tuple[float, float], ...]]:
    """Entropy in nats and margin of the next token's distribution: one pair in each row's tuple."""
    logprobs = logits.log_softmax(dim=-1)
    entropies = torch.special.entr(logprobs.exp()).sum(dim=-1)
    likeliest = logprobs.topk(2, dim=-1).values.exp()
    margins = likeliest[:, 0] - likeliest[:, 1]
    return [
        ((entropy, margin),) for entropy, margin in zip(entropies.tolist(), margins.tolist(), strict=True)
    ]


def _numbers(states: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray(states.cpu().numpy(), dtype=np.float32)
