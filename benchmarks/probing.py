"""Probing speed: Demur's Hugging Face engine beside the loop that the published code runs.

    python benchmarks/probing.py --json

The reference asks one question at a time: ``generate`` up to 15 new tokens, once for a greedy answer and k
times for k samples at temperature 0.7; the text is cut at the first full stop afterwards. Both sides run
in this process, in turns, with the same model, questions, dtype, threads and stopping rule; the slow loop
gets every n-th of the questions.

The headline uses the published rule on both sides: every response runs on to 15 tokens (or the end of
the text) and is cut afterwards. What stopping at the full stop adds is shown as factors of its own, and
as a second pair of ratios with that rule on both sides.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
import transformers
from rich.console import Console
from rich.table import Table

from demur.core.templates import TEMPLATES
from demur.engines import Opening, Sampling
from demur.engines.encoding import first_stop
from demur.engines.generating import Features
from demur.engines.hf import HFEngine

NEW_TOKENS, TEMPERATURE, STOP = 15, 0.7, "."
COMPARED = 64
"""Questions whose greedy answers are compared."""
REFERENCE, REFERENCE_STOPPING = "reference loop", "reference loop, stopping at the full stop"
PUBLISHED, STOPPING = "finished rows leave (published rule)", "stopping at the full stop"


@dataclass(frozen=True)
class Timing:
    """How long a run took and what it gave."""

    seconds: float
    cpu_seconds: float
    """Processor time of all threads: what other jobs on the machine do changes it little."""
    answers: list[list[str]]
    """By question: one greedy answer, or all samples."""


def timed(work: Callable[[], list[list[str]]]) -> Timing:
    start, cpu_start = time.perf_counter(), time.process_time()
    answers = work()
    return Timing(time.perf_counter() - start, time.process_time() - cpu_start, answers)


class Reference:
    """The published loop: one question, one call of ``generate`` per response."""

    def __init__(self, engine: HFEngine, *, stopping: bool) -> None:
        self.model, self.tokenizer = engine.model, engine.tokenizer
        self.ends = [self.tokenizer.eos_token_id]
        if stopping:
            texts = [self.tokenizer.decode([token]) for token in range(len(self.tokenizer))]
            self.ends += [token for token, text in enumerate(texts) if STOP in text]

    @torch.inference_mode()
    def run(self, prompts: Sequence[str], *, samples: int) -> Timing:
        """One greedy answer per question, or samples."""
        torch.manual_seed(0)
        calls = range(max(1, samples))
        return timed(
            lambda: [[self._respond(prompt, sampled=samples > 0) for _ in calls] for prompt in prompts]
        )

    def _respond(self, prompt: str, *, sampled: bool) -> str:
        inputs = self.tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        how = {"do_sample": True, "temperature": TEMPERATURE, "top_k": 0, "top_p": 1.0} if sampled else {}
        output = self.model.generate(
            **inputs.to(self.model.device),
            max_new_tokens=NEW_TOKENS,
            eos_token_id=self.ends,
            pad_token_id=self.ends[0],
            **({"do_sample": False} | how),
        )
        new = output[0, inputs["input_ids"].shape[1] :]
        return cut(self.tokenizer.decode(new, skip_special_tokens=True))


def cut(text: str) -> str:
    """The text up to the first full stop."""
    return text[: first_stop(text, (STOP,))]


def ours(
    engine: HFEngine,
    prompts: Sequence[str],
    *,
    samples: int,
    stopping: bool = False,
    batch_size: int | None = None,
    features: Features | None = None,
    share: bool = True,
) -> Timing:
    """Demur's engine, with parts of it switched off."""
    engine = HFEngine(
        engine.model, engine.tokenizer, batch_size=batch_size or "auto", features=features, format="plain"
    )
    sampling = Sampling(
        max_new_tokens=NEW_TOKENS,
        stop=(STOP,) if stopping else (),
        greedy=samples == 0,
        samples=samples if share else min(samples, 1),
        temperature=TEMPERATURE,
    )
    copies = 1 if share else max(1, samples)
    asked = [prompt for prompt in prompts for _ in range(copies)]
    keys = [f"{index // copies}/{index % copies}" for index in range(len(asked))]

    def work() -> list[list[str]]:
        found = engine.generate(asked, keys=keys, sampling=sampling)
        texts = [
            [cut(response.text) for response in (generated.samples or (generated.greedy,)) if response]
            for generated in found
        ]
        return [list(chain(*texts[i : i + copies])) for i in range(0, len(texts), copies)]

    return timed(work)


Step = tuple[str, Callable[[], Timing]]


def greedy_steps(engine: HFEngine, few: Sequence[str], many: Sequence[str]) -> list[Step]:
    """What is switched on, one thing after another; `PUBLISHED` is the last under the published rule."""
    still = Features(leave=False)
    published, stopping = (Reference(engine, stopping=stops) for stops in (False, True))
    return [
        (REFERENCE, lambda: published.run(few, samples=0)),
        ("own decoding loop", lambda: ours(engine, few, samples=0, batch_size=1)),
        ("batching", lambda: ours(engine, many, samples=0, features=still)),
        (PUBLISHED, lambda: ours(engine, many, samples=0)),
        (STOPPING, lambda: ours(engine, many, samples=0, stopping=True)),
        (REFERENCE_STOPPING, lambda: stopping.run(few, samples=0)),
    ]


def sampling_steps(engine: HFEngine, few: Sequence[str], many: Sequence[str], k: int) -> list[Step]:
    """The same for k samples."""
    neither, still = Features(merge=False, leave=False), Features(leave=False)
    published, stopping = (Reference(engine, stopping=stops) for stops in (False, True))
    return [
        (REFERENCE, lambda: published.run(few, samples=k)),
        ("own decoding loop", lambda: ours(engine, few, samples=k, batch_size=1, share=False)),
        (
            "prompt read once for its samples",
            lambda: ours(engine, few, samples=k, batch_size=1, features=neither),
        ),
        ("batching", lambda: ours(engine, many, samples=k, features=neither)),
        ("equal samples computed once", lambda: ours(engine, many, samples=k, features=still)),
        (PUBLISHED, lambda: ours(engine, many, samples=k)),
        (STOPPING, lambda: ours(engine, many, samples=k, stopping=True)),
        (REFERENCE_STOPPING, lambda: stopping.run(few, samples=k)),
    ]


Rates = dict[str, list[float]]


def rounds(steps: Sequence[Step], count: int) -> tuple[Rates, Rates]:
    """Questions per second and per second of processor time, of every step in every round.

    A round runs all steps, one after another.
    """
    rates: Rates = {name: [] for name, _ in steps}
    cpu_rates: Rates = {name: [] for name, _ in steps}
    for _ in range(count):
        for name, run in steps:
            timing = run()
            rates[name].append(len(timing.answers) / timing.seconds)
            cpu_rates[name].append(len(timing.answers) / timing.cpu_seconds)
    return rates, cpu_rates


def ratio(rates: Rates, name: str, against: str) -> dict[str, float]:
    """Median and range over the rounds of one step's speed over another's."""
    each = sorted(fast / slow for fast, slow in zip(rates[name], rates[against], strict=True))
    return {"ratio": statistics.median(each), "low": each[0], "high": each[-1]}


def factors(rates: Rates) -> list[dict[str, Any]]:
    """Median speed after each step, what the step multiplied it by, and the whole so far."""
    names = [name for name in rates if name != REFERENCE_STOPPING]
    rows: list[dict[str, Any]] = []
    for before, name in zip([None, *names], names, strict=False):
        rows.append(
            {
                "step": name,
                "per_second": statistics.median(rates[name]),
                "factor": ratio(rates, name, before)["ratio"] if before else None,
                "together": ratio(rates, name, REFERENCE)["ratio"],
            }
        )
    return rows


def show(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("switched on, one after another")
    for name in ("questions/s", "factor", "together"):
        table.add_column(name, justify="right")
    for row in rows:
        factor = "" if row["factor"] is None else f"×{row['factor']:.2f}"
        table.add_row(row["step"], f"{row['per_second']:,.1f}", factor, f"×{row['together']:.1f}")
    console.print(table)


def prompts_of(count: int) -> list[str]:
    """Questions of the pocket world in the default template, spread over all its parts."""
    from demur.pocket.world import make_world

    questions = make_world(0).questions()
    step = max(1, len(questions) // count)
    return [TEMPLATES["r-tuning-code"].ask(question.text) for question in questions[::step]][:count]


def open_engine(arguments: argparse.Namespace) -> HFEngine:
    path = arguments.model
    if path is None:
        from demur.pocket import bundled_model

        path = bundled_model()
    return HFEngine.open(Opening(path, format="plain", device=arguments.device, dtype=arguments.dtype))


def measure(engine: HFEngine, arguments: argparse.Namespace) -> dict[str, Any]:
    many, k = prompts_of(arguments.questions), arguments.samples
    few = many[:: max(1, len(many) // arguments.reference)][: arguments.reference]
    fewer = few[:: max(1, len(few) // 4)][:4]  # k calls each
    compared = many[:: max(1, len(many) // COMPARED)][:COMPARED]
    same = identical(engine, compared, many)
    for steps in (greedy_steps(engine, few[:2], many[:64]), sampling_steps(engine, few[:1], many[:64], k)):
        rounds(steps, 1)  # warm up
    both = {
        "greedy": rounds(greedy_steps(engine, few, many), arguments.rounds),
        "sampling": rounds(sampling_steps(engine, fewer, many, k), arguments.rounds),
    }
    rates = {kind: wall for kind, (wall, _) in both.items()}
    published = {kind: ratio(found, PUBLISHED, REFERENCE) for kind, found in rates.items()}
    return {
        "greedy_ratio": published["greedy"]["ratio"],
        "sampling_ratio": published["sampling"]["ratio"],
        "stopping_rule": f"both sides: {NEW_TOKENS} new tokens or end of text, cut at the first {STOP!r}",
        "identical_greedy_answers": same,
        "compared_greedy_answers": len(compared),
        "published_rule": published,
        "both_stopping": {
            kind: ratio(found, STOPPING, REFERENCE_STOPPING) for kind, found in rates.items()
        },
        "published_rule_cpu_time": {
            kind: ratio(cpu, PUBLISHED, REFERENCE) for kind, (_, cpu) in both.items()
        },
        "factors": {kind: factors(found) for kind, found in rates.items()},
        "questions_per_second": rates,
        "questions": len(many),
        "reference_questions": {"greedy": len(few), "sampling": len(fewer)},
        "samples": k,
        "temperature": TEMPERATURE,
        "rounds": arguments.rounds,
    }


def identical(engine: HFEngine, few: Sequence[str], many: Sequence[str]) -> int:
    """How many of the reference's greedy answers the engine gives too, out of its full batches."""
    found = dict(zip(many, ours(engine, many, samples=0).answers, strict=True))
    answers = Reference(engine, stopping=False).run(few, samples=0).answers
    return sum(found[prompt] == answer for prompt, answer in zip(few, answers, strict=True))


def describe(engine: HFEngine) -> dict[str, Any]:
    """The machine and the model."""
    return {
        "model": type(engine.model).__name__,
        "parameters": engine.model.num_parameters(),
        "dtype": str(engine.model.dtype).removeprefix("torch."),
        "device": str(engine.model.device),
        "threads": torch.get_num_threads(),
        "processor": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="model folder or hub name; default: the pocket model")
    parser.add_argument("--questions", type=int, default=512, help="questions for Demur's engine")
    parser.add_argument("--reference", type=int, default=16, help="questions a round for the slow loop")
    parser.add_argument("--samples", type=int, default=10, help="k")
    parser.add_argument("--rounds", type=int, default=5, help="medians over the rounds are reported")
    parser.add_argument("--threads", type=int, default=None, help="torch threads of both sides")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    transformers.utils.logging.set_verbosity_error()
    engine = open_engine(arguments)
    result = measure(engine, arguments) | describe(engine)
    console = Console(width=100)
    for kind, title in (("greedy", "One greedy answer"), ("sampling", f"{result['samples']} samples")):
        show(console, title, result["factors"][kind])
        for rule in ("published_rule", "published_rule_cpu_time", "both_stopping"):
            found = result[rule][kind]
            console.print(
                f"{rule.replace('_', ' ')}: ×{found['ratio']:.1f} "
                f"(rounds {found['low']:.1f} to {found['high']:.1f})"
            )
    console.print(
        f"identical greedy answers: {result['identical_greedy_answers']} of "
        f"{result['compared_greedy_answers']}; "
        f"{result['model']} of {result['parameters']:,} parameters, {result['dtype']}, {result['device']}, "
        f"{result['threads']} threads"
    )
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
