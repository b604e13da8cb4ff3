"""How near the hardware's ceiling reading and decoding come: Demur beside ``generate``, on a CPU or a GPU.

    python benchmarks/ceiling.py                                        # a CPU: pocket and 110m
    python benchmarks/ceiling.py --device cuda --models 1b 3b           # a GPU, bfloat16

Tokens in, tokens out, greedy, every row to its last token: no text, no stopping, no equal rows. The prompts
are random tokens that share nothing. *Reading* is the time until the first new token, *decoding* that of
the others. The ceiling of a step is the longer one of two times: what must be computed (two operations for
every weight and token, and attention) at the measured rate of matrix products, and what must be read (the
weights once, the keys and values of every row) at the bandwidth measured on as many bytes as the weights
have. Ways:

    one row         ``generate``, one prompt at a time: what the published code runs
    rows            ``generate`` on the whole batch
    static          the same with a static cache, which transformers compiles on CUDA
    continuous      transformers' continuous batching, ``generate_batch``
    demur           Demur's own loop

``static`` and ``continuous`` run by default on CUDA only. Rates are medians over rounds; every round runs
every way once. A way that a device or a version cannot run is named and left out.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    ContinuousBatchingConfig,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

from demur.engines import Sampling
from demur.engines.decoding import CausalModel
from demur.engines.encoding import Decoder
from demur.engines.generating import Endings, Generation
from demur.engines.loading import pick_device, pick_dtype
from demur.engines.sampling import uniforms
from demur.pocket import bundled_model
from engines import SHAPE, SIZES, VOCABULARY

Rows = list[list[int]]
Way = Callable[[Rows, int], Any]
"""Prompts, and how many tokens each is to be given."""

LLAMAS: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
    "30m": dict(zip(SHAPE, SIZES["30m"], strict=True)) | {"vocab_size": VOCABULARY},
    "110m": dict(zip(SHAPE, SIZES["110m"], strict=True)) | {"vocab_size": VOCABULARY},
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
    },
    "3b": {
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 28,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
    },
}
"""Llamas of random weights; 1b and 3b have the shapes of Llama 3.2."""


@dataclass(frozen=True)
class Clock:
    """Seconds of work on a device: processor time where one thread does it all, else time on the wall."""

    device: torch.device

    def __call__(self, work: Callable[[], Any]) -> float:
        """Of one call."""
        self._finish()
        alone = self.device.type == "cpu" and torch.get_num_threads() == 1
        now = time.process_time if alone else time.perf_counter
        start = now()
        work()
        self._finish()
        return now() - start

    def best(self, work: Callable[[], Any], *, times: int = 12) -> float:
        """Of the fastest of some calls, after one that is not timed."""
        work()
        return min(self(work) for _ in range(times))

    def _finish(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second of the best of some matrix products."""
    sides = (512, 1024, 2048) if device.type == "cpu" else (4096, 8192)
    clock, rates = Clock(device), []
    for side in sides:
        left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        rates.append(2 * side**3 / clock.best(lambda a=left, b=right: a @ b, times=8))
    return max(rates)


def bandwidth(device: torch.device, dtype: torch.dtype, size: float) -> float:
    """Bytes a second at which a matrix of about ``size`` bytes is read and multiplied by a vector."""
    side = max(64, int((size / dtype.itemsize) ** 0.5))
    matrix = torch.randn(side, side, device=device, dtype=dtype)
    vector = torch.randn(side, device=device, dtype=dtype)
    repeats = max(1, int(1e7 // matrix.numel()))

    def work() -> None:
        for _ in range(repeats):
            torch.mv(matrix, vector)

    return repeats * matrix.numel() * dtype.itemsize / Clock(device).best(work)


@dataclass(frozen=True)
class Cost:
    """What a Llama must compute and read; biases, norms and rotations are left out as small."""

    weights: int
    """In the layers."""
    head: int
    """Weights from the last layer to the vocabulary."""
    pair: int
    """Operations for each pair of a new and an old token."""
    kept: int
    """Bytes of keys and values of a token."""
    itemsize: int

    @classmethod
    def of(cls, model: Any) -> Cost:
        """Of a model that is open."""
        config = model.config
        size = config.head_dim or config.hidden_size // config.num_attention_heads
        layers = config.num_hidden_layers
        linear = [
            module
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head")
        ]
        return cls(
            weights=sum(module.weight.numel() for module in linear),
            head=config.hidden_size * config.vocab_size,
            pair=4 * layers * config.num_attention_heads * size,
            kept=2 * layers * config.num_key_value_heads * size * model.dtype.itemsize,
            itemsize=model.dtype.itemsize,
        )

    def work(self, tokens: float, *, before: float = 0, heads: float = 1) -> float:
        """Operations to read so many tokens of a row after others, and the logits of ``heads`` of them."""
        pairs = tokens * before + tokens * (tokens + 1) / 2
        return 2 * self.weights * tokens + self.pair * pairs + 2 * self.head * heads

    @property
    def bytes(self) -> int:
        """Of all weights that a step reads."""
        return (self.weights + self.head) * self.itemsize


@dataclass(frozen=True)
class Machine:
    """What the hardware was measured to do: operations and bytes a second."""

    rate: float
    bandwidth: float

    def reading(self, cost: Cost, rows: int, prompt: int) -> float:
        """The least seconds to read prompts and choose the first new token of each."""
        return max(rows * cost.work(prompt) / self.rate, cost.bytes / self.bandwidth)

    def decoding(self, cost: Cost, rows: int, prompt: int, new: int) -> float:
        """The least seconds for all new tokens but the first."""
        return sum(
            max(
                rows * cost.work(1, before=held) / self.rate,
                (cost.bytes + rows * held * cost.kept) / self.bandwidth,
            )
            for held in range(prompt, prompt + new - 1)
        )


def open_model(name: str, device: torch.device, dtype: torch.dtype) -> Any:
    """The pocket model, or a Llama of random weights."""
    if name == "pocket":
        return AutoModelForCausalLM.from_pretrained(bundled_model(), dtype=dtype).to(device).eval()
    torch.manual_seed(0)
    config = LlamaConfig(**LLAMAS[name], max_position_embeddings=8192, tie_word_embeddings=True)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            return LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


class NoText:
    """Stands where a tokenizer does when no text is made."""

    all_special_ids = ()

    def __len__(self) -> int:
        return 0

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        """No tokens."""
        return {"input_ids": []}

    def decode(self, tokens: Sequence[int], **_: Any) -> str:
        """No text."""
        return ""


def demur(model: Any, *, samples: int = 0) -> Way:
    """Demur's loop: one greedy response of each prompt, or so many samples."""
    source, decoder = CausalModel(model), Decoder(NoText())

    @torch.inference_mode()
    def run(prompts: Rows, new: int) -> None:
        sampling = Sampling(max_new_tokens=new, stop=(), greedy=not samples, samples=samples)
        endings = Endings(decoder, stops=(), eos=(), limit=new)
        numbers = [uniforms(str(i), seed=0, samples=samples, steps=new) for i in range(len(prompts))]
        Generation(source, endings, sampling).run(prompts, numbers)

    return run


def generate(model: Any, *, rows: bool, static: bool = False) -> Way:
    """``generate`` on single prompts, or on all of them."""
    more = {"cache_implementation": "static"} if static else {}

    def run(prompts: Rows, new: int) -> None:
        for batch in [prompts] if rows else [[prompt] for prompt in prompts]:
            ids = torch.tensor(batch, device=model.device)
            seen = torch.ones_like(ids)
            made = model.generate(
                ids, attention_mask=seen, max_new_tokens=new, do_sample=False, pad_token_id=0, **more
            )
            check(made.shape[1] - ids.shape[1], new)

    return run


def continuous(model: Any) -> Way:
    """Transformers' continuous batching; on a CPU with no more memory than the rows need."""

    def run(prompts: Rows, new: int) -> None:
        settings = GenerationConfig(max_new_tokens=new, do_sample=False, eos_token_id=-1, pad_token_id=0)
        limits = ContinuousBatchingConfig()
        if model.device.type == "cpu":
            pages = -(-(len(prompts[0]) + new) // limits.page_size)
            limits = ContinuousBatchingConfig(num_blocks=pages * len(prompts) + 1, max_batch_tokens=2048)
        found = model.generate_batch(
            inputs=prompts, generation_config=settings, continuous_batching_config=limits
        )
        check(sum(len(output.generated_tokens) for output in found.values()), new * len(prompts))

    return run


def check(made: int, expected: int) -> None:
    """Libraries may log an error and return less than they were asked for."""
    if made != expected:
        raise RuntimeError(f"{expected} new tokens were asked for, {made} came")


def ways(model: Any, chosen: Sequence[str]) -> dict[str, Way]:
    every: dict[str, Callable[[], Way]] = {
        "one row": lambda: generate(model, rows=False),
        "rows": lambda: generate(model, rows=True),
        "static": lambda: generate(model, rows=True, static=True),
        "continuous": lambda: continuous(model),
        "demur": lambda: demur(model),
    }
    return {name: every[name]() for name in every if name in chosen}


def prompts_of(model: Any, rows: int, length: int) -> Rows:
    """Random tokens."""
    drawn = np.random.default_rng(0).integers(10, model.config.vocab_size - 10, (rows, length))
    return [[int(token) for token in row] for row in drawn]


def reset_peak(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb(device: torch.device) -> float:
    """The most memory since the last reset: the device's, or the process's on a CPU (Linux)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 2**10
    return float("nan")


@dataclass
class Timed:
    """Seconds of reading and of decoding, by round, the rows of it, and the peak memory in MB."""

    rows: int
    reading: list[float]
    decoding: list[float]
    peak: float = 0.0


def measure(
    chosen: dict[str, Way], prompts: Rows, *, new: int, rounds: int, single: int, device: torch.device
) -> dict[str, Timed]:
    """Run every way in turns; one row at a time gets ``single`` of the prompts."""
    clock, found = Clock(device), dict[str, Timed]()
    for number in range(rounds + 1):  # the first one warms up
        for name, run in list(chosen.items()):
            few = prompts[:single] if name == "one row" else prompts
            reset_peak(device)
            try:
                first, whole = (clock(partial(run, few, count)) for count in (1, new))
            except Exception as error:  # what a version or a device cannot do is said, and left out
                print(f"{name}: left out, {type(error).__name__}: {str(error).splitlines()[0][:200]}")
                del chosen[name]
                continue
            if number:
                timed = found.setdefault(name, Timed(len(few), [], []))
                timed.reading.append(first)
                timed.decoding.append(max(whole - first, 1e-9))
                timed.peak = max(timed.peak, peak_mb(device))
    return found


def show(found: dict[str, Timed], cost: Cost, machine: Machine, prompt: int, new: int) -> None:
    """One line for each way, with its share of the ceiling for as many rows as it takes at a time."""
    print("| way | rows | reading, tokens/s | of ceiling | decoding, tokens/s | of ceiling | peak MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, timed in found.items():
        at_once, calls = (1, timed.rows) if name == "one row" else (timed.rows, 1)
        read, decode = (statistics.median(each) for each in (timed.reading, timed.decoding))
        least_read = calls * machine.reading(cost, at_once, prompt)
        least_decode = calls * machine.decoding(cost, at_once, prompt, new)
        print(
            f"| {name} | {at_once} | {timed.rows * prompt / read:,.0f} | {least_read / read:.0%} | "
            f"{timed.rows * (new - 1) / decode:,.0f} | {least_decode / decode:.0%} | {timed.peak:,.0f} |"
        )


def growth(model: Any, cost: Cost, machine: Machine, options: argparse.Namespace) -> None:
    """How speed changes with the length of the prompts and the number of samples."""
    device = model.device
    print("\n| prompt, tokens | reading, tokens/s | of ceiling | decoding, tokens/s | of ceiling |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    way = {"demur": demur(model)}
    for length in options.lengths:
        prompts = prompts_of(model, options.rows, length)
        timed = measure(
            dict(way), prompts, new=options.new, rounds=options.rounds, single=1, device=device
        )["demur"]
        read, decode = (statistics.median(each) for each in (timed.reading, timed.decoding))
        print(
            f"| {length} | {len(prompts) * length / read:,.0f} | "
            f"{machine.reading(cost, len(prompts), length) / read:.0%} | "
            f"{len(prompts) * (options.new - 1) / decode:,.0f} | "
            f"{machine.decoding(cost, len(prompts), length, options.new) / decode:.0%} |"
        )
    print(
        f"\n| samples | prompts/s | new tokens/s |  ({options.prompt} tokens in, {options.new} out, T = 1)"
    )
    print("| ---: | ---: | ---: |")
    for samples in options.samples:
        prompts = prompts_of(model, max(1, options.rows // samples), options.prompt)
        timed = measure(
            {"demur": demur(model, samples=samples)},
            prompts,
            new=options.new,
            rounds=options.rounds,
            single=1,
            device=device,
        )["demur"]
        pairs = zip(timed.reading, timed.decoding, strict=True)
        rate = len(prompts) / statistics.median(a + b for a, b in pairs)
        print(f"| {samples} | {rate:,.2f} | {rate * samples * options.new:,.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["pocket", "110m"], choices=["pocket", *LLAMAS])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--rows", type=int, default=None, help="default: 64, on CUDA 256")
    parser.add_argument("--single", type=int, default=4, help="prompts for one row at a time")
    parser.add_argument("--prompt", type=int, default=64, help="tokens of every prompt")
    parser.add_argument("--new", type=int, default=16, help="new tokens")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ways", nargs="+", default=None)
    parser.add_argument("--lengths", nargs="*", type=int, default=[], help="prompt lengths to compare")
    parser.add_argument("--samples", nargs="*", type=int, default=[], help="numbers of samples to compare")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    device = pick_device(options.device)
    dtype = pick_dtype(options.dtype, device)
    on_gpu = device.type == "cuda"
    options.rows = options.rows or (256 if on_gpu else 64)
    usual = ["one row", "rows", *(["static", "continuous"] if on_gpu else []), "demur"]
    rate = matmul_rate(device, dtype)
    what = torch.cuda.get_device_name() if on_gpu else f"{platform.machine()}, {options.threads} threads"
    load = "" if on_gpu else f", load {os.getloadavg()[0]:.1f}"
    print(
        f"{what}{load}; {dtype}; matrix products {rate / 1e9:,.1f} GFLOP/s; torch {torch.__version__}, ",
        end="",
    )
    print(f"transformers {transformers.__version__}")
    for name in options.models:
        model = open_model(name, device, dtype)
        model.generation_config.eos_token_id = None
        cost = Cost.of(model)
        machine = Machine(rate, bandwidth(device, dtype, cost.bytes))
        print(
            f"\n{name}: {model.num_parameters():,} parameters, {cost.bytes / 2**20:,.1f} MB of weights",
            end=" read at ",
        )
        print(
            f"{machine.bandwidth / 1e9:,.1f} GB/s, prompts of {options.prompt} tokens, {options.new} new\n"
        )
        prompts = prompts_of(model, options.rows, options.prompt)
        found = measure(
            ways(model, options.ways or usual),
            prompts,
            new=options.new,
            rounds=options.rounds,
            single=options.single,
            device=device,
        )
        show(found, cost, machine, options.prompt, options.new)
        if options.lengths or options.samples:
            growth(model, cost, machine, options)
        del model


if __name__ == "__main__":
    main()
