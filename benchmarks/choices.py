"""Speed of five-shot multiple choice: the engine beside one call of ``generate`` for each answer.

    python benchmarks/choices.py [--rounds 5] [--threads 1]

The published code rebuilds and tokenises the whole prompt for every answer and calls ``generate`` for one
new token: once for the greedy answer, once for each sample at temperature 0.7. Both sides give one token
for each answer, in one process, in turns, with the same model, prompts and number of threads: worked
examples of the pocket world before each question. The engine is also run without reading once what the
prompts share, which splits the ratio into its factors.

The ceiling is what no engine that reads every question's own tokens can pass: their products and attention
at the measured rate of matrix products, and all else for nothing. Tokenising, which is no work of the
model's, is timed by itself.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from ceiling import Cost, matmul_rate
from demur.core.templates import TEMPLATES
from demur.engines import Opening, Sampling, batches, decoding
from demur.engines.encoding import common_prefix
from demur.engines.hf import HFEngine
from demur.pocket import bundled_model
from demur.pocket.spec import POCKET_2
from demur.pocket.tasks import choice_questions
from demur.pocket.world import make_world

QUESTIONS, EVERY = 256, 16
"""The slow loop gets every 16th question."""
NEVER = 10**9


@dataclass(frozen=True)
class Round:
    """Questions a second, and the greedy answers."""

    rate: float
    answers: list[str]


def prompts(shots: int) -> tuple[list[str], list[str]]:
    """Prompts with their worked examples, and ids."""
    questions = choice_questions(make_world(0, POCKET_2))
    ask = TEMPLATES["r-tuning-code"].ask
    examples = questions[QUESTIONS : QUESTIONS + shots]
    before = "".join(f"{ask(question)} {question.answers[0]}.\n" for question in examples)
    asked = questions[:QUESTIONS]
    return [before + ask(question) for question in asked], [question.id for question in asked]


def timed(work: Callable[[], list[str]]) -> Round:
    """Processor time where one thread does it all, else time on the wall."""
    now = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = now()
    answers = work()
    return Round(len(answers) / (now() - start), answers)


def ours(engine: HFEngine, texts: list[str], keys: list[str], samples: int, *, share: bool = True) -> Round:
    least = decoding.LEAST_SHARED
    decoding.LEAST_SHARED = batches.LEAST_SHARED = least if share else NEVER
    sampling = Sampling(max_new_tokens=1, stop=(), samples=samples, temperature=0.7)
    try:
        return timed(lambda: [g.greedy.text for g in engine.generate(texts, keys=keys, sampling=sampling)])
    finally:
        decoding.LEAST_SHARED = batches.LEAST_SHARED = least


@torch.inference_mode()
def reference(engine: HFEngine, texts: list[str], samples: int) -> Round:
    def one(text: str, **call: object) -> str:
        ids = engine.tokenizer(text, return_tensors="pt").input_ids
        found = engine.model.generate(ids, max_new_tokens=1, pad_token_id=0, **call)
        return engine.tokenizer.decode(found[0, ids.shape[1] :])

    def answer(text: str) -> str:
        for _ in range(samples):
            one(text, do_sample=True, temperature=0.7)
        return one(text, do_sample=False)

    return timed(lambda: [answer(text) for text in texts])


def ceiling(engine: HFEngine, texts: Sequence[str]) -> tuple[float, float, str]:
    """Questions a second that matrix products allow, those that tokenising allows, and how it was found."""
    tokens = sorted(engine.encode(text) for text in texts)
    shared = common_prefix(tokens[0], tokens[-1])
    own = statistics.mean(map(len, tokens)) - shared
    needed = Cost.of(engine.model).work(own, before=shared)
    rate = matmul_rate(engine.model.device, engine.model.dtype)
    timed(lambda: engine.encoder.encode_all([(text, "") for text in texts]) and [])
    read = timed(lambda: [str(ids) for ids in engine.encoder.encode_all([(text, "") for text in texts])])
    how = (
        f"{shared + own:.0f} tokens a prompt, {own:.1f} of its own; {needed / 1e6:.1f} MFLOP for those at "
        f"{rate / 1e9:.0f} GFLOP/s"
    )
    return rate / needed, read.rate, how


def compare(engine: HFEngine, options: argparse.Namespace) -> None:
    """The engine beside the reference and beside the ceiling."""
    texts, keys = prompts(options.shots)
    highest, tokenising, how = ceiling(engine, texts)
    print(f"{len(texts)} questions of {how}: at most {highest:,.0f} questions/s; ", end="")
    print(f"tokenising alone {tokenising:,.0f}; {options.threads} threads, load {os.getloadavg()[0]:.1f}\n")
    print(
        "| answers | reference | nothing shared | engine | ratio (rounds) | at most | of ceiling | same |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for samples in (0, 10):
        ours(engine, texts, keys, samples)
        table = []
        for _ in range(options.rounds):
            slow = reference(engine, texts[::EVERY], samples)
            apart, fast = (ours(engine, texts, keys, samples, share=share) for share in (False, True))
            same = sum(a == b for a, b in zip(fast.answers[::EVERY], slow.answers, strict=True))
            table.append((slow.rate, apart.rate, fast.rate, fast.rate / slow.rate, same))
        slow_rate, apart_rate, rate, ratio, agree = (
            statistics.median(column) for column in zip(*table, strict=True)
        )
        ratios = sorted(row[3] for row in table)
        what = "greedy" if not samples else f"greedy and {samples} samples"
        print(
            f"| {what} | {slow_rate:.1f} | {apart_rate:.1f} | {rate:.1f} | "
            f"×{ratio:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}) | ×{highest / slow_rate:.0f} | "
            f"{rate / highest:.0%} | {agree:.0f} of {len(texts[::EVERY])} |"
        )


def growth(engine: HFEngine, rounds: int) -> None:
    """Questions a second by the number of worked examples, and by the number of samples."""
    counts = (0, 1, 10, 40)
    print("\n| worked examples | tokens | " + " | ".join(f"{k} samples" for k in counts) + " |")
    print("|---:|---:|" + "---:|" * len(counts))
    for shots in (0, 1, 5, 12):
        texts, keys = prompts(shots)
        rates = []
        for samples in counts:
            ours(engine, texts, keys, samples)
            found = [ours(engine, texts, keys, samples).rate for _ in range(rounds)]
            rates.append(f"{statistics.median(found):,.0f}")
        print(f"| {shots} | {len(engine.encode(texts[0]))} | " + " | ".join(rates) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="by worked examples and samples, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    engine = HFEngine.open(Opening(bundled_model("pocket-2"), format="plain"))
    compare(engine, options)
    if options.growth:
        growth(engine, options.rounds)


if __name__ == "__main__":
    main()
