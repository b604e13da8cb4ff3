"""Time and memory from a model's size: floating-point operations, bytes, and the share of a device's
rate that is reached. `docs/cost.md` states the same formulas and the efficiencies that were measured.

A token that is read or generated takes 2 operations per weight. A token of a training row takes 2 forward
and 2 backward through the activations, and 2 more for the gradients of weights that are tuned: 4 with LoRA
(whose own weights are few), 6 where every weight is tuned, and 2 more with gradient checkpointing, which
goes forward twice. Source: Kaplan et al. 2020 (arXiv 2001.08361), section 2.1; attention's own products are
left out, which count for little at lengths below the width of the model.
"""

from __future__ import annotations

from demur.core.config import TrainingSettings

READ = 2
"""Operations per weight and token that is read or generated."""
OPTIMIZER_BYTES = 8
"""AdamW's two moments of a tuned weight, in float32."""
BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
"""Of a weight."""
QUANTIZED = {"none": None, "8bit": 1.0, "4bit": 0.55}
"""Bytes of a frozen weight that bitsandbytes holds in few bits, its scales included."""


def training_operations(settings: TrainingSettings) -> int:
    """Operations per weight and token of a training row."""
    return 2 * READ + (0 if settings.lora else READ) + (READ if settings.gradient_checkpointing else 0)


def generation_bytes(parameters: float, weight_bytes: float, batch_bytes: float) -> float:
    """Memory while a model answers: its weights and what a batch takes."""
    return parameters * weight_bytes + batch_bytes


def training_bytes(
    parameters: float, weight_bytes: float, settings: TrainingSettings, activations: float
) -> float:
    """Memory while a model is tuned: weights, gradients and moments of those tuned, and activations.

    Args:
        weight_bytes: of a weight as it is opened.
        activations: bytes kept for the backward pass.
    """
    held = QUANTIZED[settings.quantize] or weight_bytes
    tuned = 0.0 if settings.lora else parameters * (weight_bytes + OPTIMIZER_BYTES)
    return parameters * held + tuned + activations


def activation_bytes(
    tokens: float, *, layers: int, hidden: int, value_bytes: float, checkpointing: bool = False
) -> float:
    """Activations that the backward pass needs.

    About 34 values of the model's width per token and layer at 2 bytes each, with attention that keeps no
    square of scores; with checkpointing only each layer's input. Source: Korthikanti et al. 2022
    (arXiv 2205.05198), equation 2 without its attention term.

    Args:
        tokens: of all rows that are read at once.
        value_bytes: of an activation.
    """
    per_layer = 1.0 if checkpointing else 17.0
    return tokens * layers * hidden * per_layer * value_bytes


def cache_bytes(tokens: float, *, layers: int, width: float, value_bytes: float) -> float:
    """Keys and values of some tokens; ``width`` is that of the keys of one layer."""
    return 2 * tokens * layers * width * value_bytes
