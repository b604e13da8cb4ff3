"""Speed of the engines: Demur's Hugging Face engine beside vLLM, on the same model and questions.

    make bench-engines

Both engines run in turns, round by round, with the same prompts, dtype and number of threads, on a model
given by ``--model`` or on two: the pocket model, and a Llama of random weights (``--size``). Responses stop
at the full stop, or run on to 15 tokens as those of the published loop do.

A random model hardly ever says the same twice, so what the Hugging Face engine saves on equal samples is
small there; a pocket model that is sure of itself is the other extreme.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

TEMPERATURE, NEW_TOKENS, STOP = 0.7, 15, "."
SHAPE = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
SIZES = {"30m": (384, 1024, 8, 6), "110m": (768, 2048, 12, 12)}
VOCABULARY = 32_000


def random_llama(folder: Path, size: str) -> Path:
    """A Llama of random weights whose tokenizer is the pocket model's: its other tokens are never read."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from demur.pocket import bundled_model

    tokenizer = AutoTokenizer.from_pretrained(bundled_model())
    torch.manual_seed(0)
    config = LlamaConfig(
        **dict(zip(SHAPE, SIZES[size], strict=True)),
        vocab_size=VOCABULARY,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def prompts_of(count: int) -> list[str]:
    """Questions of the pocket world in the default template, spread over all its parts."""
    from demur.core.templates import TEMPLATES
    from demur.pocket.world import make_world

    questions = make_world(0).questions()
    chosen = questions[:: max(1, len(questions) // count)][:count]
    return [TEMPLATES["r-tuning-code"].ask(question.text) for question in chosen]


def task(engine: Any, prompts: list[str], *, samples: int, stop: tuple[str, ...]) -> Callable[[], Any]:
    from demur.engines import Sampling

    sampling = Sampling(
        max_new_tokens=NEW_TOKENS, stop=stop, greedy=not samples, samples=samples, temperature=TEMPERATURE
    )
    return lambda: engine.generate(prompts, keys=prompts, sampling=sampling)


def tasks(engine: Any, prompts: list[str], k: int) -> dict[str, Callable[[], Any]]:
    """What is timed, by name."""
    options = [[" sure", " unsure"]] * len(prompts)
    return {
        "greedy, stopping": task(engine, prompts, samples=0, stop=(STOP,)),
        "greedy, 15 tokens": task(engine, prompts, samples=0, stop=()),
        f"{k} samples, stopping": task(engine, prompts, samples=k, stop=(STOP,)),
        f"{k} samples, 15 tokens": task(engine, prompts, samples=k, stop=()),
        "two options scored": lambda: engine.score(prompts, options),
    }


def measure(
    path: Path, prompts: list[str], *, k: int, rounds: int
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Questions per second of both engines, their ratio round by round, and how well they agree."""
    from demur.engines import ENGINES, Opening

    engines = {name: ENGINES.get(name).open(Opening(str(path), format="plain")) for name in ("hf", "vllm")}
    work = {name: tasks(engine, prompts, k) for name, engine in engines.items()}
    agreed = agreement(engines, prompts)
    rates: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in engines} for kind in work["hf"]}
    for number in range(rounds + 1):  # the first one warms up
        for kind, found in rates.items():
            for name in engines:
                start = time.perf_counter()
                work[name][kind]()
                if number:
                    found[name].append(len(prompts) / (time.perf_counter() - start))
    return [row(kind, found) for kind, found in rates.items()], agreed


def agreement(engines: dict[str, Any], prompts: list[str]) -> dict[str, float]:
    """Share of greedy answers with the same text, and the largest differences of log-probabilities."""
    options = [[" sure", " unsure", " I don't know"]] * len(prompts)
    said = [
        [item.greedy for item in task(engine, prompts, samples=0, stop=(STOP,))()]
        for engine in engines.values()
    ]
    scores = [engine.score(prompts, options) for engine in engines.values()]
    pairs = list(zip(*said, strict=True))
    return {
        "same greedy answers": statistics.mean(a.text == b.text for a, b in pairs),
        "largest difference of a token": max(
            largest(a.token_logprobs, b.token_logprobs) for a, b in pairs if a.text == b.text
        ),
        "largest difference of a continuation": max(map(largest, *scores)),
    }


def largest(first: Iterable[float], second: Iterable[float]) -> float:
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def row(kind: str, found: dict[str, list[float]]) -> dict[str, Any]:
    ratios = sorted(b / a for a, b in zip(found["hf"], found["vllm"], strict=True))
    return {
        "what": kind,
        "hf": statistics.median(found["hf"]),
        "vllm": statistics.median(found["vllm"]),
        "ratio": statistics.median(ratios),
        "low": ratios[0],
        "high": ratios[-1],
    }


def parameters(path: Path) -> int:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        return int(AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path)).num_parameters())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="model folder; default: the pocket and a random model")
    parser.add_argument("--size", default="110m", choices=SIZES, help="of the random model")
    parser.add_argument("--questions", type=int, default=512, help="for the pocket model or --model")
    parser.add_argument("--fewer", type=int, default=64, help="questions for the random model")
    parser.add_argument("--samples", type=int, default=10, help="k")
    parser.add_argument("--rounds", type=int, default=3, help="medians over the rounds are reported")
    parser.add_argument("--threads", type=int, default=1, help="of each engine, on a CPU")
    arguments = parser.parse_args()
    # vLLM takes all cores but one unless it is told otherwise
    os.environ |= {"OMP_NUM_THREADS": str(arguments.threads), "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    import torch

    from demur.pocket import bundled_model

    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        models = (
            [(arguments.model, arguments.questions)]
            if arguments.model
            else [
                (bundled_model(), arguments.questions),
                (random_llama(Path(folder) / "llama", arguments.size), arguments.fewer),
            ]
        )
        for path, count in models:
            rows, agreed = measure(path, prompts_of(count), k=arguments.samples, rounds=arguments.rounds)
            print(f"\n{path.name}: {parameters(path):,} parameters, {count} questions, ", end="")
            print(f"{arguments.threads} threads, {arguments.rounds} rounds; ", end="")
            print("; ".join(f"{name}: {value:.4g}" for name, value in agreed.items()) + "\n")
            print("| questions/s | hf | vllm | vllm / hf (rounds) |\n| --- | ---: | ---: | ---: |")
            for found in rows:
                print(
                    f"| {found['what']} | {found['hf']:,.1f} | {found['vllm']:,.1f} | "
                    f"×{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f}) |"
                )
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    print(json.dumps(versions | {"machine": platform.processor() or platform.machine()}))


if __name__ == "__main__":
    main()
