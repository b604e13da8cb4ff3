"""Drawing tokens so that nothing but seed, question and sample decides them.

Every draw uses a number fixed beforehand by (seed, key, sample, step) and the inverse of the
cumulative distribution, so batch size, order of questions and number of samples change nothing but ties
in floating point.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import torch

from demur.core.errors import ModelError


def uniforms(key: str, *, seed: int, samples: int, steps: int) -> npt.NDArray[np.float64]:
    """Random numbers in [0, 1) for the samples of one prompt; shape ``(samples, steps)``.

    Row s holds the leading bytes of SHAKE-128(seed, key, s): more samples or steps extend the table
    without changing what was in it.
    """
    streams = b"".join(
        hashlib.shake_128(f"{seed}\0{key}\0{sample}".encode()).digest(8 * steps)
        for sample in range(samples)
    )
    words = np.frombuffer(streams, dtype="<u8").reshape(samples, steps)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def prompt_seed(key: str, *, seed: int) -> int:
    """One seed below 2**62 for a prompt, for engines that draw their own numbers: SHAKE-128(seed, key)."""
    return int.from_bytes(hashlib.shake_128(f"{seed}\0{key}".encode()).digest(8), "little") >> 2


def draw(logits: torch.Tensor, numbers: torch.Tensor, *, temperature: float, top_p: float) -> torch.Tensor:
    """Draw tokens by the inverse of the cumulative distribution.

    Args:
        logits: shape ``(rows, vocabulary)``, float32.
        numbers: shape ``(rows, draws)``, in [0, 1); float64 where the device has it.
        temperature: > 0; the logits are divided by it.
        top_p: in (0, 1]; only the smallest set of tokens with this probability is drawn from, the one
            that crosses the limit included.

    Returns:
        Token ids, shape ``(rows, draws)``.

    Raises:
        ModelError: logits that are not numbers, from which nothing can be drawn.
    """
    weights = torch.softmax(logits / temperature, dim=-1)
    if top_p < 1.0:
        weights = _nucleus(weights, top_p)
    cumulative = weights.to(numbers.dtype).cumsum(dim=-1)
    total = cumulative[:, -1:]
    if not bool(total.isfinite().all()):
        raise ModelError(
            expected="logits that are numbers",
            found="some that are not: the model's numbers overflowed",
            fix="use a wider number format, such as model.dtype float32, or check the weights",
        )
    # Rounding must not reach the total itself: the first token beyond it may have no probability.
    below = torch.minimum(numbers * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, below.contiguous(), right=True)


def _nucleus(weights: torch.Tensor, top_p: float) -> torch.Tensor:
    """Zero the tokens outside of the smallest set that holds ``top_p``; same shape."""
    ordered, order = weights.sort(dim=-1, descending=True, stable=True)
    outside = ordered.cumsum(dim=-1) - ordered >= top_p
    return torch.zeros_like(weights).scatter(-1, order, ordered.masked_fill(outside, 0.0))
