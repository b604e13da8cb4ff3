"""What an engine does not accept: fields that it refuses, settings that mean nothing, long prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demur.core.errors import ConfigError, DataError
from demur.engines.base import Engine, Opening, Sampling


def check_opening(engine: type[Engine], opening: Opening) -> None:
    """Refuse an opening that sets a field which an engine cannot follow.

    Raises:
        DemurError: the engine's own, of the first such field.
    """
    for name, refusal in engine.refuses.items():
        if opening.sets(name):
            raise refusal(getattr(opening, name))


def not_quantized(quantize: str) -> ConfigError:
    """The error of an engine that does not hold weights in few bits, as only training needs them."""
    return ConfigError(
        expected="an engine that can hold the weights in few bits: hf",
        found=f"quantize={quantize!r} for another engine",
        where="quantize",
        fix="leave it out, or open the model with the engine hf",
    )


def check_sampling(
    sampling: Sampling, prompts: Sequence[str], keys: Sequence[str], *, layers: int = 0
) -> None:
    """Refuse settings that mean nothing.

    Args:
        layers: how many layers the engine gives the hidden states of.

    Raises:
        ConfigError: naming all of them.
    """
    wrong = [
        text
        for text, bad in (
            (f"max_new_tokens={sampling.max_new_tokens}, expected at least 1", sampling.max_new_tokens < 1),
            (f"samples={sampling.samples}, expected at least 0", sampling.samples < 0),
            (f"temperature={sampling.temperature}, expected more than 0", not sampling.temperature > 0),
            (f"top_p={sampling.top_p}, expected in (0, 1]", not 0 < sampling.top_p <= 1),
            (
                f"layers={sampling.layers}, expected rising numbers from 1 to {layers}",
                _bad(sampling, layers),
            ),
            (f"{len(keys)} keys for {len(prompts)} prompts", len(keys) != len(prompts)),
        )
        if bad
    ]
    if wrong:
        raise ConfigError(
            expected="sampling settings that can be used",
            found="; ".join(wrong),
            where="sampling",
            fix="correct them; for greedy answers only set samples to 0",
        )


def _bad(sampling: Sampling, layers: int) -> bool:
    """Whether layers are asked for that there are not, or in another order."""
    wanted = sampling.layers
    return list(wanted) != sorted(set(wanted)) or not all(1 <= layer <= layers for layer in wanted)


def checked_batch_size(batch_size: int | str) -> int | None:
    """None for ``auto``.

    Raises:
        ConfigError: it is no number of prompts.
    """
    if batch_size == "auto":
        return None
    if isinstance(batch_size, str) or batch_size < 1:
        raise ConfigError(
            expected="'auto' or a number of prompts, at least 1",
            found=repr(batch_size),
            where="batch_size",
            fix="use 'auto'",
        )
    return batch_size


def check_length(ids: Sequence[int], follow: int, *, limit: int | None, tokenizer: Any) -> None:
    """Refuse a prompt that leaves no room for ``follow`` more tokens.

    Raises:
        DataError: it does not fit into the model's context.
    """
    if limit is not None and len(ids) + follow > limit:
        raise DataError(
            expected=f"at most {limit} tokens, the model's context, for prompt and response together",
            found=f"a prompt of {len(ids)} tokens, with {follow} to follow",
            where=repr(tokenizer.decode(ids[:24]) + "…"),
            fix="shorten the prompt or its context, or use a model with a longer context",
        )
