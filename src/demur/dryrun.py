"""What a run would do, and roughly what it would take, without doing it.

Counts are exact; time and memory are estimates from the model's size and this machine's measured
matrix-product rate, good to a factor of a few.
"""

from __future__ import annotations

import io
import math
import time
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from demur.config import Config
from demur.records import Question

UTILISATION = 0.3
"""Share of the measured matrix-product rate that generation and training reach: a rule of thumb."""
SAMPLE = 200
"""Questions whose tokens are counted."""
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def estimate(config: Config) -> dict[str, Any]:
    """Generations, tokens, steps, and estimated time and memory, as JSON values.

    Raises:
        DemurError: the configuration, the data or the model cannot be used: found before any work.
    """
    from demur.pipeline import Pipeline

    pipeline = Pipeline(config)
    loaded = pipeline.load()
    size = _model_size(pipeline.model_path, config)
    questions = len(loaded.questions)
    train = sum(q.split == "train" and q.answerable for q in loaded.questions)
    prompt = _mean_tokens(pipeline.model_path, config, loaded.questions[:SAMPLE])
    generations = questions * (1 + pipeline.samples) + questions * len(config.systems)
    longest = config.probe.max_new_tokens
    tokens = round(generations * longest + questions * (1 + len(config.systems)) * prompt)
    steps = {method: _steps(config, method, train) for method in config.systems}
    row_tokens = prompt + longest + 25  # the certainty question's own tokens
    trained = sum(
        steps[method] * config.training_for(method).batch_size * config.training_for(method).accumulate
        for method in steps
    )
    flops = 2 * size["parameters"] * tokens + 6 * size["parameters"] * trained * row_tokens
    return {
        "questions": questions,
        "training_questions": train,
        "generations": generations,
        "tokens_at_most": tokens,
        "training_steps": steps,
        "model_parameters": size["parameters"],
        "estimated_minutes": round(flops / (UTILISATION * _matmul_rate(size["device"])) / 60, 2),
        "estimated_memory_gb": round(_memory_bytes(size, config) / 2**30, 2),
        "device": size["device"],
    }


def render(plan: dict[str, Any]) -> str:
    """The plan as text for a person."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    table = Table.grid(padding=(0, 2))
    for name, value in plan.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count:,}" for key, count in value.items())
        else:
            shown = value if isinstance(value, str) else f"{value:,}"
        table.add_row(name.replace("_", " "), shown)
    console.print(table)
    console.print("time and memory are rough estimates; nothing was run or written", markup=False)
    return cast(io.StringIO, console.file).getvalue().rstrip()


def _steps(config: Config, method: str, rows: int) -> int:
    settings = config.training_for(method)
    per_epoch = max(math.ceil(rows / settings.batch_size) // settings.accumulate, 1)
    return settings.max_steps or math.ceil(settings.epochs * per_epoch)


def _model_size(path: str, config: Config) -> dict[str, Any]:
    """Parameters, from the model's configuration alone, and where it would run."""
    import torch
    from transformers import AutoModelForCausalLM

    from demur.engines.hf import load_config as load_model_config
    from demur.engines.hf import pick_device, pick_dtype

    device = pick_device(config.model.device)
    with torch.device("meta"):  # shapes only, no memory
        model = AutoModelForCausalLM.from_config(load_model_config(path))
    dtype = str(pick_dtype(config.model.dtype, device)).removeprefix("torch.")

    return {"parameters": model.num_parameters(), "device": str(device), "bytes": BYTES.get(dtype, 4)}


def _memory_bytes(size: dict[str, Any], config: Config) -> float:
    """Weights; when every weight is tuned also gradients and AdamW's two moments in float32."""
    full = any(not config.training_for(method).lora for method in config.systems)
    weights = float(size["parameters"] * size["bytes"])
    return weights * 1.3 + (size["parameters"] * 12 if full else 0.0)


def _mean_tokens(path: str, config: Config, questions: list[Question]) -> float:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=config.model.trust_remote_code)
    template = config.template.template(chat=False)
    counts = [
        len(ids) for ids in tokenizer([template.ask(question) for question in questions])["input_ids"]
    ]
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
