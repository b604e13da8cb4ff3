"""Speed on a real model: Demur beside the published loop and beside batched ``generate``.

    PARAREL_DIR=/path/to/pararel python benchmarks/real_speed.py --model smollm2

Three ways answer the same questions of R-Tuning's ParaRel files, once greedily and with k samples:

    loop       ``generate`` for one question at a time, once for each response: what the published code runs
    batched    ``generate`` for batches of 32 questions, padded on the left, all samples in one call
    demur      Demur's Hugging Face engine
    NAME       an OpenAI-compatible server with the same model, see `--server`, 16 requests at once

The ways but the servers run in this process with the same model, dtype and threads. Every response runs to
15 new tokens or the end of the text, and is cut at the first full stop afterwards. A round runs every way
once; the loop gets every n-th question, and batched sampling the first batch. Figures are medians over
rounds, ratios are taken within a round; those of processor time change little with other work on the
machine. Of a server only the time of a clock is known. Below stands how much of the machine's rate of
matrix products Demur uses: the operations that cannot be left out (every distinct beginning of a prompt or
response is read once), over the time, over the measured rate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers

import demur
from ceiling import Cost, matmul_rate
from demur.core.config import ServerSettings, TemplateSettings
from demur.engines import Engine, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.openai import OpenAIEngine
from probing import NEW_TOKENS, TEMPERATURE, Reference, Timing, cut, ratio, timed

LOOP, BATCHED, DEMUR = "loop", "batched", "demur"
BATCH = 32
"""Questions of a batch of `Batched`."""
FILE = "ID_test_pararel.json"


class Batched:
    """``generate`` on batches: what a user of transformers writes who has heard of batches."""

    def __init__(self, engine: HFEngine) -> None:
        self.model, self.tokenizer = engine.model, engine.tokenizer
        self.ends = sorted(engine._eos)

    @torch.inference_mode()
    def run(self, texts: Sequence[str], *, samples: int) -> Timing:
        """One greedy answer per question, or samples."""
        torch.manual_seed(0)
        return timed(
            lambda: [
                answers
                for start in range(0, len(texts), BATCH)
                for answers in self._respond(texts[start : start + BATCH], samples)
            ]
        )

    def _respond(self, texts: Sequence[str], samples: int) -> list[list[str]]:
        inputs = self.tokenizer(
            list(texts), return_tensors="pt", padding=True, padding_side="left", return_token_type_ids=False
        )
        many = {"do_sample": True, "temperature": TEMPERATURE, "top_k": 0, "top_p": 1.0}
        how = many | {"num_return_sequences": samples} if samples else {"do_sample": False}
        output = self.model.generate(
            **inputs.to(self.model.device),
            max_new_tokens=NEW_TOKENS,
            eos_token_id=self.ends,
            pad_token_id=self.ends[0],
            **how,
        )
        new = output[:, inputs["input_ids"].shape[1] :]
        found = [cut(text) for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]
        each = max(1, samples)
        return [found[start : start + each] for start in range(0, len(found), each)]


class Ours:
    """A Demur engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, prompts: Sequence[str], *, samples: int) -> Timing:
        """One greedy answer per question, or samples; cut as the others are."""
        found = timed(lambda: self.responses(prompts, samples=samples))
        answers = [[cut(text) for text in texts] for texts in found.answers]
        return Timing(found.seconds, found.cpu_seconds, answers)

    def responses(self, prompts: Sequence[str], *, samples: int) -> list[list[str]]:
        """Whole responses."""
        sampling = Sampling(
            max_new_tokens=NEW_TOKENS,
            stop=(),
            greedy=samples == 0,
            samples=samples,
            temperature=TEMPERATURE,
        )
        generated = self.engine.generate(prompts, keys=prompts, sampling=sampling)
        return [
            [found.text for found in (one.samples or (one.greedy,)) if found is not None]
            for one in generated
        ]


class Served(Ours):
    """Demur's engine for servers; it forgets every reply, so that each round asks anew."""

    def __init__(self, url: str, *, model: str, chat: bool) -> None:
        self.url, self.model, self.format = url, model, "chat" if chat else "plain"

    def run(self, prompts: Sequence[str], *, samples: int) -> Timing:
        """As `Ours.run`, of a server whose abilities are known."""
        with tempfile.TemporaryDirectory() as folder:
            server = ServerSettings(
                base_url=self.url, cache=Path(folder) / "replies.sqlite", concurrency=16
            )
            self.engine = OpenAIEngine.open(Opening(self.model, format=self.format, endpoint=server))
            return super().run(prompts, samples=samples)


@dataclass(frozen=True)
class Asked:
    """The questions as each way takes them."""

    prompts: list[str]
    texts: list[str]
    """The prompts as the model reads them, chat template included."""

    @classmethod
    def of(cls, engine: HFEngine, count: int) -> Asked:
        """Questions spread over the whole file, in the default template."""
        folder = Path(os.environ["PARAREL_DIR"])
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        template = TemplateSettings().template(chat=engine.chat)
        prompts = [template.ask(row[0]) for row in rows[:: max(1, len(rows) // count)][:count]]
        return cls(prompts, [engine.render(prompt) for prompt in prompts])

    def part(self, count: int) -> Asked:
        """Fewer of them, evenly spaced."""
        step = max(1, len(self.prompts) // count)
        return Asked(self.prompts[::step][:count], self.texts[::step][:count])


def needed(engine: HFEngine, asked: Asked, responses: Sequence[Sequence[str]]) -> float:
    """Operations that answering takes: every distinct beginning is read once."""
    cost, total = Cost.of(engine.model), 0.0
    read: set[tuple[int, ...]] = set()
    for prompt, said in zip(asked.prompts, responses, strict=True):
        start = engine.encode(prompt)
        total += 2 * cost.head  # the first new token is chosen after the prompt
        for text in {*said}:
            whole = engine.encode(prompt, text)[: len(start) + NEW_TOKENS - 1]
            for length in range(1, len(whole) + 1):
                beginning = tuple(whole[:length])
                if beginning not in read:
                    read.add(beginning)
                    total += cost.work(1, before=length - 1, heads=int(length > len(start)))
    return total


Work = dict[str, Callable[[], Timing]]


def measure(work: Work, count: int) -> tuple[dict[str, list[float]], dict[str, list[float]], list[str]]:
    """Questions a second of every way in every round, the same of processor time, and the load."""
    rates: dict[str, list[float]] = {name: [] for name in work}
    cpu_rates: dict[str, list[float]] = {name: [] for name in work}
    loads = []
    for number in range(count + 1):  # the first one warms up
        for name, run in work.items():
            timing = run()
            if number:
                rates[name].append(len(timing.answers) / timing.seconds)
                cpu_rates[name].append(len(timing.answers) / timing.cpu_seconds)
        loads.append(f"{os.getloadavg()[0]:.1f}")
    return rates, cpu_rates, loads


def report(engine: HFEngine, asked: Asked, options: argparse.Namespace, samples: int) -> None:
    """Measure and print one kind: greedy answers, or samples."""
    few = asked.part(options.reference if samples == 0 else max(1, options.reference // 4))
    loop, batched, ours = Reference(engine, stopping=False), Batched(engine), Ours(engine)
    others = {
        name: Served(url, model=model, chat=engine.chat)
        for name, url, model in (given.split("=", 2) for given in options.server)
    }
    rates, cpu_rates, loads = measure(
        {
            LOOP: lambda: loop.run(few.texts, samples=samples),
            BATCHED: lambda: batched.run(asked.texts[: None if samples == 0 else BATCH], samples=samples),
            DEMUR: lambda: ours.run(asked.prompts, samples=samples),
            **{
                name: partial(server.run, asked.prompts, samples=samples) for name, server in others.items()
            },
        },
        options.rounds,
    )
    device, dtype = engine.model.device, engine.model.dtype
    products = matmul_rate(device, dtype)
    operations = needed(engine, asked, ours.responses(asked.prompts, samples=samples))
    reached = statistics.median(rates[DEMUR]) * operations / len(asked.prompts)
    print(f"\n{f'{samples} samples' if samples else 'greedy'}: load {', '.join(loads)}")
    print("| way | questions/s | demur / way (rounds) | of processor time |\n| --- | ---: | ---: | ---: |")
    for name in rates:
        wall, cpu = ratio(rates, DEMUR, name), ratio(cpu_rates, DEMUR, name)
        print(
            f"| {name} | {statistics.median(rates[name]):,.2f} | ×{wall['ratio']:.2f} "
            f"({wall['low']:.2f} to {wall['high']:.2f}) | "
            + ("– |" if name in others else f"×{cpu['ratio']:.2f} |")
        )
    print(
        f"matrix products: {products / 1e9:,.0f} GFLOP/s, used by demur {reached / 1e9:,.0f} "
        f"({reached / products:.0%}); {operations / len(asked.prompts) / 1e9:,.1f} GFLOP a question"
    )


def agreement(engine: HFEngine, asked: Asked) -> str:
    """Equal greedy answers."""
    own, batched = Ours(engine).run(asked.prompts, samples=0), Batched(engine).run(asked.texts, samples=0)
    few = asked.part(16)
    answers = Reference(engine, stopping=False).run(few.texts, samples=0).answers
    loop = dict(zip(few.prompts, answers, strict=True))
    found = dict(zip(asked.prompts, own.answers, strict=True))
    with_batched = sum(a == b for a, b in zip(own.answers, batched.answers, strict=True))
    with_loop = sum(found[prompt] == answer for prompt, answer in loop.items())
    return f"{with_batched} of {len(found)} as batched, {with_loop} of {len(loop)} as the loop"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2", help="as `demur run --model`")
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--reference", type=int, default=16, help="questions of the loop; k samples: a 4th")
    parser.add_argument("--samples", type=int, nargs="*", default=[0, 10], help="0 is greedy")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--server", nargs="*", default=[], metavar="NAME=URL=MODEL")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    engine = HFEngine.open(Opening(path_of(options.model), dtype=options.dtype, device=options.device))
    asked = Asked.of(engine, options.questions)
    lengths = [len(engine.encode(prompt)) for prompt in asked.prompts]
    print(
        f"{options.model}, {engine.model.num_parameters():,} parameters, {engine.model.dtype}, "
        f"{engine.model.device}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, {platform.machine()}, Demur {demur.__version__}; "
        f"{len(lengths)} questions of {min(lengths)} to {max(lengths)} tokens"
    )
    print(f"equal greedy answers: {agreement(engine, asked)}")
    for name, url, model in (given.split("=", 2) for given in options.server):
        served = Served(url, model=model, chat=engine.chat).run(asked.prompts, samples=0)
        own = Ours(engine).run(asked.prompts, samples=0)
        same = sum(a == b for a, b in zip(own.answers, served.answers, strict=True))
        print(f"{name}: {same} of {len(own.answers)} as demur")
    for samples in options.samples:
        report(engine, asked, options, samples)


def path_of(model: str) -> str:
    """A model's folder or hub name."""
    from demur.core.config import Config
    from demur.sources import base_model

    return base_model(Config(model={"path": model}), run=Path())


if __name__ == "__main__":
    main()
