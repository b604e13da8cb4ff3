"""Speed of R-Tuning at inference, an answer and its certainty: Demur beside the loop of the published code.

    python benchmarks/inference.py

The reference asks one question at a time: ``generate`` runs five new tokens, the text is cut at the first
full stop, and a second ``generate`` of one token reads everything anew, certainty question included, to
compare the label words. Both sides run in this process, in turns, with the same model, questions, dtype and
threads; the slow loop gets every n-th of the questions. The headline uses the published stopping rule on
both sides: every answer runs on to five tokens, or the end of the text. Demur compares the label words as
whole continuations, so it reads one token more than the reference does.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from scipy.special import expit

from ceiling import Cost, matmul_rate
from demur.core.templates import TEMPLATES
from demur.engines import Asked, Sampling
from demur.engines.hf import HFEngine
from demur.pocket.world import make_world
from probing import (
    REFERENCE,
    REFERENCE_STOPPING,
    STOP,
    Rates,
    Reference,
    Step,
    Timing,
    cut,
    factors,
    open_engine,
    ratio,
    rounds,
    timed,
)

NEW_TOKENS = 5
TEMPLATE = TEMPLATES["r-tuning-code"]
OPTIONS = (TEMPLATE.label(True), TEMPLATE.label(False))
APART = "own decoding loop, certainty read anew"
CACHED = "certainty from the cache"
BATCHED, STOPPING = "batching (published rule)", "stopping at the full stop"


class TwoCalls(Reference):
    """The published loop: one question, one call for the answer and one for the certainty."""

    @torch.inference_mode()
    def both(self, prompts: Sequence[str]) -> Timing:
        """By question: the answer and P(sure)."""
        labels = [self.tokenizer(word).input_ids[0] for word in (TEMPLATE.sure, TEMPLATE.unsure)]
        return timed(lambda: [self._both(prompt, labels) for prompt in prompts])

    def _both(self, prompt: str, labels: list[int]) -> list[str]:
        read, made = self._generate(prompt, NEW_TOKENS)
        answer = cut(self.tokenizer.decode(made.sequences[0, read:], skip_special_tokens=True))
        _, asked = self._generate(prompt + TEMPLATE.certainty(answer.strip()), 1)
        chances = torch.softmax(asked.scores[0][0].float(), dim=0)[labels]
        return [answer, f"{float(chances[0] / chances.sum()):.6f}"]

    def _generate(self, text: str, new_tokens: int) -> tuple[int, Any]:
        inputs = self.tokenizer(text, return_tensors="pt", return_token_type_ids=False).to(
            self.model.device
        )
        made = self.model.generate(
            **inputs,
            max_new_tokens=new_tokens,
            do_sample=False,
            eos_token_id=self.ends,
            pad_token_id=self.ends[0],
            output_scores=True,
            return_dict_in_generate=True,
        )
        return inputs["input_ids"].shape[1], made


def ours(
    engine: HFEngine, prompts: Sequence[str], *, one_by_one: bool = False, stopping: bool = False
) -> Timing:
    """Answers and certainties from one reading of the prompt."""
    sampling = Sampling(max_new_tokens=NEW_TOKENS, stop=(STOP,) if stopping else ())
    sized = HFEngine(engine.model, engine.tokenizer, batch_size=1 if one_by_one else "auto", format="plain")

    def work() -> list[list[str]]:
        asked = sized.ask(
            prompts,
            sampling=sampling,
            follow_up=lambda _, text: TEMPLATE.certainty(cut(text).strip()),
            options=OPTIONS,
        )
        return [_shown(item) for item in asked]

    return timed(work)


def _shown(item: Asked) -> list[str]:
    sure, unsure = item.option_logprobs
    return [cut(item.response.text), f"{expit(sure - unsure):.6f}"]


def read_anew(engine: HFEngine, prompts: Sequence[str]) -> Timing:
    """One question at a time, and the prompt read a second time for its certainty."""
    single = HFEngine(engine.model, engine.tokenizer, batch_size=1, format="plain")
    sampling = Sampling(max_new_tokens=NEW_TOKENS, stop=())

    def one(prompt: str) -> list[str]:
        (found,) = single.generate([prompt], keys=[prompt], sampling=sampling)
        assert found.greedy is not None
        answer = cut(found.greedy.text)
        ((sure, unsure),) = single.score([prompt + TEMPLATE.certainty(answer.strip())], [OPTIONS])
        return [answer, f"{expit(sure - unsure):.6f}"]

    return timed(lambda: [one(prompt) for prompt in prompts])


def steps(engine: HFEngine, few: Sequence[str], many: Sequence[str]) -> list[Step]:
    """What is switched on, one thing after another."""
    published, stopping = (TwoCalls(engine, stopping=stops) for stops in (False, True))
    return [
        (REFERENCE, lambda: published.both(few)),
        (APART, lambda: read_anew(engine, few)),
        (CACHED, lambda: ours(engine, few, one_by_one=True)),
        (BATCHED, lambda: ours(engine, many)),
        (STOPPING, lambda: ours(engine, many, stopping=True)),
        (REFERENCE_STOPPING, lambda: stopping.both(few)),
    ]


def agreement(engine: HFEngine, few: Sequence[str], many: Sequence[str]) -> tuple[int, float]:
    """Equal answers of the questions that both sides get, and the largest difference in P(sure)."""
    theirs = TwoCalls(engine, stopping=False).both(few).answers
    found = dict(zip(many, ours(engine, many).answers, strict=True))
    pairs = [(found[prompt], answer) for prompt, answer in zip(few, theirs, strict=True)]
    same = [(mine, other) for mine, other in pairs if mine[0] == other[0]]
    return len(same), max((abs(float(a[1]) - float(b[1])) for a, b in same), default=0.0)


def ceiling(engine: HFEngine, prompts: Sequence[str]) -> float:
    """Questions a second if nothing but matrix products and attention took time: every token read once."""
    cost, needed = Cost.of(engine.model), []
    for prompt, (answer, _) in zip(prompts, ours(engine, prompts).answers, strict=True):
        asked = prompt + TEMPLATE.certainty(answer.strip())
        options = [engine.encode(asked, option) for option in OPTIONS]
        alone = len(engine.encode(asked))
        chosen = len(engine.encode(prompt, answer)) - len(engine.encode(prompt)) + 1  # and what ends it
        more = sum(cost.work(len(ids) - 1 - alone, before=alone, heads=0) for ids in options)
        needed.append(cost.work(alone, heads=chosen + len(OPTIONS)) + more)
    return matmul_rate(engine.model.device, engine.model.dtype) / statistics.mean(needed)


def show(name: str, rates: Rates, pairs: Sequence[tuple[str, str, str]]) -> None:
    print(
        f"\n| switched on, one after another | {name} | factor | together |\n| --- | ---: | ---: | ---: |"
    )
    for row in factors(rates):
        factor = "" if row["factor"] is None else f"×{row['factor']:.2f}"
        print(f"| {row['step']} | {row['per_second']:,.1f} | {factor} | ×{row['together']:.1f} |")
    print()
    for title, fast, slow in pairs:
        found = ratio(rates, fast, slow)
        print(f"{title}: ×{found['ratio']:.1f} (rounds {found['low']:.1f} to {found['high']:.1f})")


def questions_of(count: int) -> list[str]:
    """Prompts of different questions of the pocket world."""
    asked = [TEMPLATE.ask(question.text) for question in make_world(0).questions()]
    return list(dict.fromkeys(asked))[:: max(1, len(asked) // count)][:count]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=None, help="folder; default: the pocket model")
    parser.add_argument("--questions", type=int, default=512)
    parser.add_argument("--reference", type=int, default=32, help="questions for what runs one by one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    engine = open_engine(options)
    many = questions_of(options.questions)
    few = many[:: max(1, len(many) // options.reference)][: options.reference]
    same, apart = agreement(engine, few, many)
    rounds(steps(engine, few[:2], many[:64]), 1)  # warm up
    wall, cpu = rounds(steps(engine, few, many), options.rounds)
    pairs = [
        ("published stopping rule", BATCHED, REFERENCE),
        ("both stopping at the full stop", STOPPING, REFERENCE_STOPPING),
    ]
    show("questions/s of processor time", cpu, pairs)
    show("questions/s", wall, pairs)
    highest = ceiling(engine, few)
    slow, fast = (statistics.median(cpu[name]) for name in (REFERENCE, BATCHED))
    print(f"\nat most {highest:,.0f} questions/s, ×{highest / slow:.0f}; reached: {fast / highest:.0%}")
    lengths = statistics.mean(len(engine.encode(prompt)) for prompt in many)
    print(
        f"\nsame answers: {same} of {len(few)}, largest difference in P(sure) {apart:.4f}; "
        f"{len(many)} questions of {lengths:.1f} tokens, {options.threads} threads, {engine.model.device}"
    )


if __name__ == "__main__":
    main()
