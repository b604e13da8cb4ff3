"""The output head over many rows: as models call it, folded into one product, and as Demur calls it.

    python benchmarks/head.py                                 # 49k and 262k vocabularies
    python benchmarks/head.py --vocabularies 49152 --rows 64

A model hands its head the last position of every row, a slice that is not contiguous. Where the head's
weight needs no gradient (an adapter that was merged, frozen or quantized weights), torch then copies the
whole weight for every row. Ways:

    sliced      the slice, a weight that needs no gradient: what a merged adapter runs without Demur
    folded      the slice made contiguous first: the least that can be done
    demur       one step of Demur's own decoder on a model with one small layer and this head

Each way runs in a process of its own, so that its peak of memory is its own. Seconds are medians over
rounds; memory is the growth of the process's peak over what stood before the first product.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

WAYS = ("sliced", "folded", "demur")
LAYER = {"intermediate_size": 64, "num_hidden_layers": 1, "max_position_embeddings": 64}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vocabularies", type=int, nargs="+", default=[49_152, 262_144])
    parser.add_argument("--hidden", type=int, nargs="+", default=[576, 640], help="one per vocabulary")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(alone(**json.loads(options.alone))))
        return
    print(
        f"{platform.machine()}, torch {torch.__version__}, {options.threads} threads, {options.rows} rows\n"
    )
    print("| vocabulary | width | dtype | way | s | memory, MB |\n| --- | --- | --- | --- | --- | --- |")
    for vocabulary, hidden in zip(options.vocabularies, options.hidden, strict=False):
        for dtype in options.dtypes:
            for way in options.ways:
                case = {"vocabulary": vocabulary, "hidden": hidden, "dtype": dtype, "way": way}
                shared = {"rows": options.rows, "rounds": options.rounds, "threads": options.threads}
                found = in_a_process(case | shared)
                print(
                    f"| {vocabulary:,} | {hidden} | {dtype} | {way} | {found['seconds']:.3f} | "
                    f"{found['megabytes']:,.0f} |",
                    flush=True,
                )


def in_a_process(case: dict[str, Any]) -> dict[str, float]:
    line = [sys.executable, __file__, "--alone", json.dumps(case)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def alone(
    *, vocabulary: int, hidden: int, dtype: str, way: str, rows: int, rounds: int, threads: int
) -> dict[str, float]:
    """Seconds and memory of one way, in this process."""
    torch.set_num_threads(threads)
    step = (demurs if way == "demur" else heads)(vocabulary, hidden, getattr(torch, dtype), rows, way)
    before, times = peak(), []
    with torch.inference_mode():
        for _ in range(rounds):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "megabytes": peak() - before}


def heads(
    vocabulary: int, hidden: int, dtype: torch.dtype, rows: int, way: str
) -> Callable[[], torch.Tensor]:
    """The head alone, on the last of two positions."""
    head = torch.nn.Linear(hidden, vocabulary, bias=False, dtype=dtype).requires_grad_(False)
    last = torch.randn(rows, 2, hidden, dtype=dtype)[:, -1:]
    return lambda: head(last if way == "sliced" else last.contiguous())


def demurs(vocabulary: int, hidden: int, dtype: torch.dtype, rows: int, _: str) -> Callable[[], Any]:
    """A step of Demur's decoder, through a model with one small layer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from demur.engines.decoding import CausalModel

    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=hidden, num_attention_heads=1, num_key_value_heads=1, **LAYER
    )
    model = LlamaForCausalLM(config).eval().to(dtype).requires_grad_(False)
    source, tokens = CausalModel(model), [[1, 2]] * rows
    return lambda: source.read(tokens)


def peak() -> float:
    """The most memory that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
