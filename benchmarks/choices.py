"""Speed of five-shot multiple choice: the engine beside one call of ``generate`` for each answer.

    python benchmarks/choices.py [--rounds 5]

Both sides give one token for each answer, in one process and on one thread, in turns, with the same model
and prompts: five worked examples of the pocket world before each question. The engine is also run without
reading once what the prompts share, which splits the ratio into its factors.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from demur.engines import Sampling, decoding, hf
from demur.engines.hf import HFEngine
from demur.pocket import bundled_model
from demur.pocket.tasks import choice_questions
from demur.pocket.world import POCKET_2, make_world
from demur.templates import TEMPLATES

QUESTIONS, SHOTS, EVERY = 256, 5, 16
"""The slow loop gets every 16th question."""
NEVER = 10**9


@dataclass(frozen=True)
class Round:
    """Questions a second of processor time, and the greedy answers."""

    rate: float
    answers: list[str]


def prompts() -> tuple[list[str], list[str]]:
    """Prompts with their worked examples, and ids."""
    questions = choice_questions(make_world(0, POCKET_2))
    ask = TEMPLATES["r-tuning-code"].ask
    examples = questions[QUESTIONS : QUESTIONS + SHOTS]
    before = "".join(f"{ask(question)} {question.answers[0]}.\n" for question in examples)
    asked = questions[:QUESTIONS]
    return [before + ask(question) for question in asked], [question.id for question in asked]


def timed(work: Callable[[], list[str]]) -> Round:
    start = time.process_time()
    answers = work()
    return Round(len(answers) / (time.process_time() - start), answers)


def ours(engine: HFEngine, texts: list[str], keys: list[str], samples: int, *, share: bool = True) -> Round:
    least = decoding.LEAST_SHARED
    decoding.LEAST_SHARED = hf.LEAST_SHARED = least if share else NEVER
    sampling = Sampling(max_new_tokens=1, stop=(), samples=samples, temperature=0.7)
    try:
        return timed(lambda: [g.greedy.text for g in engine.generate(texts, keys=keys, sampling=sampling)])
    finally:
        decoding.LEAST_SHARED = hf.LEAST_SHARED = least


@torch.inference_mode()
def reference(engine: HFEngine, texts: list[str], samples: int) -> Round:
    def answer(text: str) -> str:
        ids = engine.tokenizer(text, return_tensors="pt").input_ids
        calls = [{"do_sample": False}] + [{"do_sample": True, "temperature": 0.7}] * samples
        found = [engine.model.generate(ids, max_new_tokens=1, pad_token_id=0, **call) for call in calls]
        return engine.tokenizer.decode(found[0][0, ids.shape[1] :])

    return timed(lambda: [answer(text) for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    engine = HFEngine.open(bundled_model("pocket-2"), format="plain")
    texts, keys = prompts()
    print(f"{len(texts)} questions, {len(engine.encode(texts[0]))} tokens the first\n")
    print("| answers | reference | engine, nothing shared | engine | ratio | by sharing | same answers |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for samples in (0, 10):
        ours(engine, texts, keys, samples)
        table = []
        for _ in range(rounds):
            slow = reference(engine, texts[::EVERY], samples)
            apart, fast = (ours(engine, texts, keys, samples, share=share) for share in (False, True))
            same = sum(a == b for a, b in zip(fast.answers[::EVERY], slow.answers, strict=True))
            table.append(
                (slow.rate, apart.rate, fast.rate, fast.rate / slow.rate, fast.rate / apart.rate, same)
            )
        medians = [statistics.median(column) for column in zip(*table, strict=True)]
        slow_rate, apart_rate, rate, ratio, sharing, agree = medians
        what = "greedy" if not samples else f"greedy and {samples} samples"
        shown = f"×{ratio:.1f} | ×{sharing:.1f} | {agree:.0f} of {len(texts[::EVERY])}"
        print(f"| {what} | {slow_rate:.1f} | {apart_rate:.1f} | {rate:.1f} | {shown} |")


if __name__ == "__main__":
    main()
