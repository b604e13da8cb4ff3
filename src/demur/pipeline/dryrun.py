"""What a run would do, and roughly what it would take, without doing it.

Counts are exact; time and memory are estimates from the model's size and this machine's measured
matrix-product rate, good to a factor of a few.
"""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from demur.core.config import Config, DataSettings
from demur.core.errors import ConfigError, DemurError
from demur.core.records import Question
from demur.engines import ENGINES, Opening
from demur.engines.encoding import load_tokenizer
from demur.pipeline.job import Job
from demur.pipeline.prompts import with_examples
from demur.training.plan import count_steps

UTILISATION = 0.3
"""Share of the measured matrix-product rate that generation and training reach: a rule of thumb."""
SAMPLE = 200
"""Questions whose tokens are counted."""
CERTAINTY_TOKENS = 25
"""Tokens of the certainty question."""
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a model without opening it; public figures of its configuration."""

    hidden: int
    layers: int
    feed_forward: int
    vocabulary: int
    key_values: float = 1.0
    """Width of keys and values over that of queries (grouped-query attention)."""

    @property
    def parameters(self) -> int:
        """Weights of a Llama-shaped model with untied embeddings, norms left out."""
        attention = 2 * self.hidden**2 * (1 + self.key_values)
        block = attention + 3 * self.hidden * self.feed_forward
        return round(self.layers * block + 2 * self.vocabulary * self.hidden)


SHAPES = {
    "openlm-research/open_llama_3b": Shape(3200, 26, 8640, 32000),
    "huggyllama/llama-7b": Shape(4096, 32, 11008, 32000),
    "huggyllama/llama-13b": Shape(5120, 40, 13824, 32000),
    "meta-llama/Llama-2-7b-chat-hf": Shape(4096, 32, 11008, 32000),
    "meta-llama/Llama-2-13b-chat-hf": Shape(5120, 40, 13824, 32000),
    "meta-llama/Llama-2-70b-chat-hf": Shape(8192, 80, 28672, 32000, 0.125),
    "mistralai/Mistral-7B-Instruct-v0.2": Shape(4096, 32, 14336, 32000, 0.25),
}
"""The papers' models, for where their files are not at hand."""


@dataclass(frozen=True, slots=True)
class Size:
    """A dataset's published size, for where its files are not at hand."""

    train: int
    rest: int
    """Questions of every other part."""
    tokens: int
    """Tokens of a usual prompt, rounded up."""


SIZES = {
    "pararel": Size(5575, 5584 + 13974, 25),
    "mmlu": Size(2448, 2439 + 9155, 700),
    "wice": Size(3470, 958, 300),
    "hotpotqa": Size(10000, 7405, 1300),
    "fever": Size(10000, 9999, 120),
    "halueval": Size(0, 10000, 120),
    "selfaware": Size(0, 3369, 25),
    "falseqa": Size(0, 4730, 25),
    "nec": Size(0, 4150, 25),
    "triviaqa": Size(8000, 9960, 60),
    "nonambigqa": Size(0, 5325, 60),
    "puqa": Size(0, 1000, 70),
    "pkqa": Size(0, 1000, 60),
    "asqa": Size(8000, 1400, 250),
}


def estimate(config: Config) -> dict[str, Any]:
    """Generations, tokens, steps, and estimated time and memory, as JSON values.

    Where the model or the data are not at hand, public figures stand for them; ``assumed`` says which.

    Raises:
        DemurError: the configuration, the data or the model cannot be used: found before any work.
    """
    job, assumed = Job(config), list[str]()
    size = _model(job, config, assumed)
    data = _data(job, config, assumed)
    questions, train, prompt = data.train + data.rest, data.train, data.tokens
    samples = job.samples
    asked = [1 + (samples if job.info(s).samples else 0) for s in config.systems]
    generations = questions * (1 + samples) + questions * sum(asked)
    longest = config.probe.max_new_tokens
    tokens = round(generations * longest + questions * (1 + len(asked)) * prompt)
    steps = {system: _steps(job, system, train) for system in job.tuned}
    row_tokens = prompt + longest + CERTAINTY_TOKENS
    rows = sum(_rows_seen(config, system, count) for system, count in steps.items())
    flops = 2 * size["parameters"] * tokens + 6 * size["parameters"] * rows * row_tokens
    return {
        "questions": questions,
        "training_questions": train,
        "generations": generations,
        "tokens_at_most": tokens,
        "training_steps": steps,
        "model_parameters": size["parameters"],
        "estimated_minutes": round(flops / (UTILISATION * _matmul_rate(size["device"])) / 60, 2),
        "estimated_memory_gb": round(_memory_bytes(size, job) / 2**30, 2),
        "device": size["device"],
        "assumed": assumed,
    }


def render(plan: dict[str, Any]) -> str:
    """The plan as text for a person."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    table = Table.grid(padding=(0, 2))
    for name, value in plan.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count:,}" for key, count in value.items())
        elif isinstance(value, list):
            shown = "; ".join(value) or "nothing"
        else:
            shown = value if isinstance(value, str) else f"{value:,}"
        table.add_row(name.replace("_", " "), shown)
    console.print(table)
    console.print("time and memory are rough estimates; nothing was run or written", markup=False)
    return cast(io.StringIO, console.file).getvalue().rstrip()


def _steps(job: Job, system: str, questions: int) -> int:
    """Optimiser steps of all stages and rounds."""
    config, info = job.config, job.info(system)
    own = config.for_system(system)
    rows = questions * (job.samples if info.row_per_sample else 1)
    total = 0
    for stage in info.stages:
        settings = config.training_for(system, stage)
        count = min(rows, own.us_tuning.review_rows) if stage == "stage2" else rows
        total += count_steps(count, settings)
    return total * (own.rounds or info.rounds)


def _rows_seen(config: Config, system: str, steps: int) -> int:
    settings = config.training_for(system)
    return steps * settings.batch_size * settings.accumulate


def _data(job: Job, config: Config, assumed: list[str]) -> Size:
    """The run's questions where its files are at hand, else the datasets' published sizes."""
    try:
        loaded = job.load()
    except DemurError:
        published = [_published(part) for part in _parts(config.data)]
        if None in published:
            raise
        sizes = [size for size in published if size is not None]
        assumed.append("the datasets' published sizes: their files are not at hand")
        return Size(
            sum(size.train for size in sizes),
            sum(size.rest for size in sizes),
            max(size.tokens for size in sizes),
        )
    config, loaded = with_examples(config, loaded)
    if config.template.trial:
        assumed.append("the prompt without examples: a run tries several")
    train = loaded.questions.counts().get("train", 0)
    tokens = _mean_tokens(job, config, loaded.questions[:SAMPLE], assumed)
    return Size(train, len(loaded.questions) - train, math.ceil(tokens))


def _parts(data: DataSettings) -> list[tuple[str, str, float | None]]:
    """Name, use and limit of each dataset of a run."""
    entries = data.mixture or ({"name": data.name, "limit": data.limit},)
    return [(str(e.get("name")), str(e.get("use", "all")), e.get("limit")) for e in entries]


def _published(part: tuple[str, str, float | None]) -> Size | None:
    name, use, limit = part
    size = SIZES.get(name)
    if size is None:
        return None
    train = 0 if use == "test" else size.train
    most = int(limit) if limit else max(train, size.rest)
    return Size(min(train, most), min(0 if use == "train" else size.rest, 3 * most), size.tokens)


def _model(job: Job, config: Config, assumed: list[str]) -> dict[str, Any]:
    """Parameters, device and bytes a parameter: of the model itself, else of its public shape."""
    path = config.model.path
    if not ENGINES.get(config.model.engine).local:
        raise ConfigError(
            expected="a model whose weights this machine reads, to say what a run takes",
            found=f"the engine {config.model.engine!r}, whose server does the work",
            where="model.engine",
            fix="leave --dry-run out, and set data.limit for a trial",
        )
    try:
        return _model_size(job.opening)
    except DemurError:
        shape = SHAPES.get(path)
        if shape is None:
            raise
        assumed.append(f"the public shape of {path}: its files are not at hand")
        dtype = {"auto": 2}.get(config.model.dtype, BYTES.get(config.model.dtype, 4))
        return {"parameters": shape.parameters, "device": "cpu", "bytes": dtype}


def _model_size(opening: Opening) -> dict[str, Any]:
    """Parameters, from the model's configuration alone, and where it would run."""
    import torch
    from transformers import AutoModelForCausalLM

    from demur.engines.loading import load_config, pick_device, pick_dtype

    device = pick_device(opening.device)
    with torch.device("meta"):  # shapes only, no memory
        model = AutoModelForCausalLM.from_config(
            load_config(opening), trust_remote_code=opening.trust_remote_code
        )
    dtype = str(pick_dtype(opening.dtype, device)).removeprefix("torch.")

    return {"parameters": model.num_parameters(), "device": str(device), "bytes": BYTES.get(dtype, 4)}


def _memory_bytes(size: dict[str, Any], job: Job) -> float:
    """Weights; when every weight is tuned also gradients and AdamW's two moments in float32."""
    full = any(not job.config.training_for(system).lora for system in job.tuned)
    weights = float(size["parameters"] * size["bytes"])
    return weights * 1.3 + (size["parameters"] * 12 if full else 0.0)


def _mean_tokens(job: Job, config: Config, questions: list[Question], assumed: list[str]) -> float:
    """Mean prompt length; without the model's tokenizer four thirds of its words."""
    template = config.template.template(chat=False)
    prompts = [template.ask(question) for question in questions]
    try:
        tokenizer = load_tokenizer(job.opening)
    except (OSError, ValueError):
        assumed.append("four tokens for three words: the tokenizer is not at hand")
        return sum(len(prompt.split()) * 4 / 3 for prompt in prompts) / len(prompts)
    counts = [len(ids) for ids in tokenizer(prompts)["input_ids"]]
    return sum(counts) / len(counts)


def _matmul_rate(device: str, size: int = 1024, seconds: float = 0.2) -> float:
    """Floating-point operations a second of a square matrix product on the device."""
    import torch

    matrix = torch.randn(size, size, device=device)
    torch.mm(matrix, matrix)  # warm up
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        torch.mm(matrix, matrix)[0, 0].item()  # reading one number waits for the device
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - start)
