"""Which number format ``dtype: auto`` means: what computes fastest on the device at hand.

On a CPU that depends on its instructions: with avx512_bf16 or AMX, matrix products in bfloat16 are several
times as fast as in float32; without them they are emulated, and slower. So a trial decides. Small models
compute in float32 everywhere: little time is to be saved on them, and float32 rounds less.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import linear

from demur.engines.base import Opening

LEAST_PARAMETERS = 50_000_000
"""A model with fewer parameters computes in float32 on a CPU."""
LEAST_GAIN = 1.2
"""How many times as fast bfloat16 must be. Below that, rounding less is worth more."""
ROWS, INPUTS, OUTPUTS = 128, 1024, 2048
"""Of the linear layer of the trial, about the middle of what a small model and its batches have."""
TRIAL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Precision:
    """A number format and why it was taken."""

    dtype: torch.dtype
    gain: float | None = None
    """How many times as fast as float32 it was in the trial; None where nothing was tried."""

    @property
    def name(self) -> str:
        """As ``model.dtype`` takes it."""
        return str(self.dtype).removeprefix("torch.")

    def sentence(self) -> str | None:
        """One line for the user where another format than float32 was taken because it is faster."""
        if self.gain is None or self.dtype is torch.float32:
            return None
        faster = f"{self.gain:.1f} times as fast as float32 on this CPU"
        return f"computes in {self.name}, {faster} (model.dtype auto)"


def automatic(device: torch.device, *, parameters: int) -> Precision:
    """What ``auto`` means.

    On CUDA bfloat16 where it has it, else float16; on MPS float16; on a CPU float32, or bfloat16 where the
    model has `LEAST_PARAMETERS` and a trial of `TRIAL_SECONDS` finds it `LEAST_GAIN` times as fast.

    Args:
        parameters: of the model.
    """
    if device.type != "cpu":
        bfloat = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return Precision(torch.bfloat16 if bfloat else torch.float16)
    if parameters < LEAST_PARAMETERS:
        return Precision(torch.float32)
    gain = bfloat16_gain()
    return Precision(torch.bfloat16 if gain >= LEAST_GAIN else torch.float32, gain)


@functools.cache
def bfloat16_gain() -> float:
    """How many times as fast as float32 this CPU computes a linear layer in bfloat16; tried once.

    The formats take turns, and the fastest call of each counts, so that other work on the machine matters
    little.
    """
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(rows, INPUTS, generator=generator) for rows in (ROWS, OUTPUTS)]
    formats = (torch.float32, torch.bfloat16)
    pairs = {kind: [numbers.to(kind) for numbers in made] for kind in formats}
    best = dict.fromkeys(formats, float("inf"))
    with torch.inference_mode():
        for left, right in pairs.values():
            linear(left, right)  # the first call prepares
        end = time.perf_counter() + TRIAL_SECONDS
        while time.perf_counter() < end or float("inf") in best.values():
            for kind, (left, right) in pairs.items():
                start = time.perf_counter()
                linear(left, right)
                best[kind] = min(best[kind], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]


def count_parameters(config: Any, opening: Opening) -> int:
    """Parameters of a model that is to be opened, from its configuration: shapes take no memory."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=opening.trust_remote_code)
    return int(model.num_parameters())


def merging_dtype(stored: torch.dtype | None, wanted: torch.dtype) -> torch.dtype:
    """The wider one of the dtype that a model is stored in (None: float32) and the one it is to have."""
    stored = stored or torch.float32
    return stored if torch.finfo(stored).bits > torch.finfo(wanted).bits else wanted


def rounded(model: Any, dtype: torch.dtype) -> Any:
    """The model with its weights in a dtype, as if read in it: buffers and what needs float32 stay."""
    kept = {*(model._keep_in_fp32_modules or ()), *(model._keep_in_fp32_modules_strict or ())}
    for name, weight in model.named_parameters():
        if kept.isdisjoint(name.split(".")):
            weight.data = weight.data.to(dtype)
    model.config.dtype = dtype
    return model
