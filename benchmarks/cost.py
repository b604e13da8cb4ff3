"""Time, memory and price of a run by model, machine and method, from stated formulas, as a page.

    python benchmarks/cost.py --out docs/cost.md
    python benchmarks/cost.py --measure smollm2

The page is computed: the same input gives the same page. ``--measure`` says which share of a machine's
matrix-product rate a model reaches here; the shares below were found so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.config import TrainingSettings
from demur.methods import METHODS, MethodInfo
from demur.pipeline.dryrun import formulas
from demur.pipeline.dryrun.shapes import Shape

GB = 1e9
TEMPLATE = Path(__file__).with_suffix(".md")
"""The page's text, written by hand, and what was measured by `benchmarks/estimates.py`."""

MODELS = {
    "0.5B": Shape(896, 24, 4864, 151_936, 1 / 7, tied=True),  # Qwen2.5-0.5B
    "1B": Shape(2048, 16, 8192, 128_256, 0.25, tied=True),  # Llama 3.2 1B
    "3B": Shape(3072, 28, 8192, 128_256, 1 / 3, tied=True),  # Llama 3.2 3B
    "8B": Shape(4096, 32, 14_336, 128_256, 0.25),  # Llama 3.1 8B
    "70B": Shape(8192, 80, 28_672, 128_256, 0.125),  # Llama 3.1 70B
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine can do, and what an hour of it is taken to cost."""

    name: str
    rate: float
    """Operations a second of a large matrix product in bfloat16."""
    bandwidth: float
    """Bytes a second from memory."""
    memory: float
    """Bytes that a run may use."""
    reading: float
    """Share of ``rate`` that reading prompts and generating in large batches reaches."""
    training: float
    """Share of ``rate`` that training reaches."""
    streaming: float = 0.6
    """Share of ``bandwidth`` at which weights are read for each generated token."""
    step: float = 0.0
    """Seconds that each step of generating or training takes in any case, to start its kernels."""
    price: float | None = None
    """US dollars an hour, an assumption; None where nothing is rented."""


STEP = 0.03
"""Of a GPU, *assumed*: hundreds of kernels, started one after another from Python."""
CORE_RATE, CORES = 195e9, 8
"""Operations a second of a core, *measured* here in bfloat16, and the cores of a laptop."""
MACHINES = (
    Machine(
        name="laptop CPU",
        rate=CORES * CORE_RATE,
        bandwidth=76.8e9,
        memory=32 * GB,
        reading=0.5,
        training=0.4,
    ),
    Machine(
        name="24 GB GPU",
        rate=125e12,
        bandwidth=600e9,
        memory=24 * GB,
        reading=0.3,
        training=0.3,
        step=STEP,
        price=0.75,
    ),
    Machine(
        name="80 GB GPU",
        rate=312e12,
        bandwidth=2039e9,
        memory=80 * GB,
        reading=0.3,
        training=0.3,
        step=STEP,
        price=2.0,
    ),
    Machine(
        name="four 80 GB GPUs",
        rate=4 * 312e12,
        bandwidth=4 * 2039e9,
        memory=320 * GB,
        reading=0.2,
        training=0.2,
        step=2 * STEP,
        price=8.0,
    ),
)
HEADROOM = 0.9
"""Share of a machine's memory that a run may use."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much a run has to do."""

    questions: int = 5000
    train: int = 2500
    prompt: int = 60
    """Tokens that a prompt adds to what all prompts begin with."""
    answer: int = 10
    """Tokens of a response."""
    certainty: int = 25
    """Tokens of the certainty question and its answer."""
    samples: int = 10
    rows: int = 256
    """Responses that are generated at the same time."""


WORK = Work()
LARGE = ("8B", "70B")
"""Models that several GPUs are shown for."""
CHOSEN = (
    "pretrain-t",
    "probe",
    "r-tuning",
    "demur",
    "self-consistency",
    "multisample",
    "vanilla-c",
)
WAYS = {
    "LoRA": TrainingSettings(batch_size=8),
    "QLoRA": TrainingSettings(batch_size=8, quantize="4bit"),
    "full": TrainingSettings(batch_size=8, lora=False),
}


def answer_seconds(
    model: Shape, machine: Machine, questions: int, responses: int, work: Work = WORK
) -> float:
    """Reading prompts once, then generating: bound by operations or by reading the weights at each step."""
    size = model.parameters
    rate = machine.rate * machine.reading
    reading = formulas.READ * size * questions * work.prompt / rate
    generated = questions * responses * work.answer
    steps = generated / work.rows
    streamed = steps * size * 2 / (machine.bandwidth * machine.streaming)
    return reading + max(formulas.READ * size * generated / rate, streamed, steps * machine.step)


def training_seconds(
    model: Shape, machine: Machine, rows: int, settings: TrainingSettings, work: Work = WORK
) -> float:
    """One pass over the rows."""
    tokens = rows * row_tokens(work)
    operations = formulas.training_operations(settings) * model.parameters * tokens
    least = rows / settings.batch_size * 3 * machine.step  # forward, backward, update
    return max(operations / (machine.rate * machine.training), least)


def row_tokens(work: Work = WORK) -> int:
    return work.prompt + work.answer + work.certainty


def owner_of(name: str) -> MethodInfo:
    """The method whose weights a method asks."""
    info = METHODS.get(name).info
    return METHODS.get(info.weights).info if info.weights not in (None, "base") else info


def run_seconds(
    name: str, model: Shape, machine: Machine, settings: TrainingSettings, work: Work = WORK
) -> float:
    """A run of one method without baselines: probe, training, answers of the tuned model."""
    info, owner = METHODS.get(name).info, owner_of(name)
    sampled = info.samples or "samples" in info.needs or "samples" in owner.needs or owner.row_per_sample
    probe = answer_seconds(model, machine, work.questions, 1 + work.samples * sampled, work)
    trained = 0.0
    if owner.trained:
        rows = work.train * (work.samples if owner.row_per_sample else 1)
        rows = rows // 2 if owner.fits else rows  # the other half decides, and is fitted to
        trained = training_seconds(model, machine, rows, settings, work) * owner.rounds
    predict = answer_seconds(model, machine, work.questions, 1 + work.samples * info.samples, work)
    labelled = (
        work.train * 3 // 2 if owner.trained else work.train
    )  # half by the tuned model, all by the other
    fitted = answer_seconds(model, machine, labelled, 1, work) if info.fits else 0.0
    return probe + trained + fitted + predict


def answering_bytes(model: Shape, work: Work = WORK) -> float:
    """Weights in bfloat16, and a batch's keys, values and float32 scores."""
    tokens = work.rows * (work.prompt + work.answer)
    width = model.hidden * model.key_values
    cache = formulas.cache_bytes(tokens, layers=model.layers, width=width, value_bytes=2)
    return formulas.generation_bytes(model.parameters, 2, cache + work.rows * model.vocabulary * 4 * 5)


def tuning_bytes(model: Shape, settings: TrainingSettings, work: Work = WORK) -> float:
    """Weights, gradients and moments of those that are tuned, and the activations of a batch."""
    activations = formulas.activation_bytes(
        settings.batch_size * row_tokens(work), layers=model.layers, hidden=model.hidden, value_bytes=2
    )
    return formulas.training_bytes(model.parameters, 2, settings, activations)


def fits(model: Shape, machine: Machine, settings: TrainingSettings | None) -> bool:
    """Whether a run fits: answering always, tuning where there is any."""
    room = machine.memory * HEADROOM
    tuning = 0.0 if settings is None else tuning_bytes(model, settings)
    return max(answering_bytes(model), tuning) <= room


def fits_best(model: Shape, machine: Machine, tuned: bool) -> TrainingSettings | None:
    """LoRA where it fits, else QLoRA; None where a run does not fit."""
    ways = [WAYS["LoRA"], WAYS["QLoRA"]] if tuned else [WAYS["LoRA"]]
    return next((way for way in ways if fits(model, machine, way if tuned else None)), None)


# -- the page ----------------------------------------------------------------------------------


def lines() -> list[str]:
    """The page: its template with each ``<name>`` replaced."""
    page = TEMPLATE.read_text(encoding="utf-8").rstrip()
    values = {name: f"{getattr(WORK, name):,}" for name in Work.__dataclass_fields__}
    values |= {
        "row": f"{row_tokens():,}",
        "core": f"{CORE_RATE / 1e9:,.0f}",
        "machines": "\n".join(machine_table()),
        "memory": "\n".join(memory_table()),
        "times": "\n".join(line for machine in MACHINES for line in time_section(machine)).strip(),
    }
    for name, value in values.items():
        page = page.replace(f"<{name}>", value)
    return page.splitlines()


def machine_table() -> Iterator[str]:
    yield "| machine | operations/s | memory | bytes/s | reading | training | $/h |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for machine in MACHINES:
        cells = [
            machine.name,
            f"{machine.rate / 1e12:,.1f} T",
            f"{machine.memory / GB:.0f} GB",
            f"{machine.bandwidth / GB:,.0f} G",
            f"{machine.reading:.0%}",
            f"{machine.training:.0%}",
            "–" if machine.price is None else f"{machine.price:.2f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def time_section(machine: Machine) -> Iterator[str]:
    yield f"\n## Time{' and price' if machine.price else ''}: {machine.name}\n"
    yield from time_table(machine)


def memory_table() -> Iterator[str]:
    yield "All rows *computed*, in GB (10⁹ bytes), without what the libraries take (about 0.5 GB).\n"
    yield "| model | weights, bfloat16 | answering | " + " | ".join(f"{way} tuning" for way in WAYS) + " |"
    yield "| --- |" + " ---: |" * (2 + len(WAYS))
    for name, model in MODELS.items():
        bytes_ = [model.parameters * 2, answering_bytes(model)]
        bytes_ += [tuning_bytes(model, way) for way in WAYS.values()]
        yield f"| {name} | " + " | ".join(f"{count / GB:,.1f}" for count in bytes_) + " |"


def time_table(machine: Machine) -> Iterator[str]:
    yield "*Computed.* LoRA; Q: QLoRA, since LoRA does not fit; –: does not fit.\n"
    yield "| model | " + " | ".join(f"`{name}`" for name in CHOSEN) + " | `r-tuning`, full |"
    yield "| --- |" + " ---: |" * (len(CHOSEN) + 1)
    for name, model in MODELS.items():
        if machine.memory > 100 * GB and name not in LARGE:
            continue
        cells = [cell(method, model, machine) for method in CHOSEN]
        full = WAYS["full"] if fits(model, machine, WAYS["full"]) else None
        cells.append(shown("r-tuning", model, machine, full))
        yield f"| {name} | " + " | ".join(cells) + " |"


def cell(method: str, model: Shape, machine: Machine) -> str:
    tuned = owner_of(method).trained
    return shown(method, model, machine, fits_best(model, machine, tuned))


def shown(method: str, model: Shape, machine: Machine, way: TrainingSettings | None) -> str:
    if way is None:
        return "–"
    seconds = run_seconds(method, model, machine, way)
    price = "" if machine.price is None else f", ${seconds / 3600 * machine.price:,.2f}"
    return duration(seconds) + price + (" Q" if way.quantize != "none" else "")


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min" if seconds < 600 else f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"


# -- the efficiencies --------------------------------------------------------------------------


def measure(name: str) -> None:
    """Shares of the matrix-product rate that a model reaches here, all in processor seconds.

    The product, the answers and the steps take turns, so that other work on the machine slows all of them.
    """
    import torch

    from demur.core.config import load_config
    from demur.core.records import Example
    from demur.engines import Sampling
    from demur.pipeline.dryrun.steps import rehearse_steps
    from demur.pipeline.job import Job

    job = Job(load_config(None, {"model.path": name, "model.dtype": "bfloat16", "model.format": "plain"}))
    engine: Any = job.engine
    size = engine.model.num_parameters()
    words = [f"the {a} of {b} and {c}" for a in WORDS for b in WORDS for c in WORDS]
    prompts = [" ".join(words[i * 3 : i * 3 + 12]) for i in range(64)]
    read = sum(len(engine.encode(prompt)) for prompt in prompts)
    sampling = Sampling(max_new_tokens=15, stop=())

    def answers() -> float:
        said = engine.generate(prompts, keys=prompts, sampling=sampling)
        generated = sum(len(item.greedy.token_logprobs) for item in said)
        return formulas.READ * size * (read + generated)

    def product() -> float:
        matrix = torch.randn(1024, 1024, dtype=torch.bfloat16)
        for _ in range(20):
            torch.mm(matrix, matrix)
        return 20 * 2 * 1024**3

    rates: dict[str, list[float]] = {"product": [], "answers": []}
    for _ in range(3):
        for title, work in (("product", product), ("answers", answers)):
            rates[title].append(rate_of(work))
    settings = TrainingSettings(batch_size=8)
    rows = [Example(prompt=p, completion=" yes", question_id=p, certain=True) for p in prompts]
    tokens = read / len(prompts) + 1
    cost = rehearse_steps(engine, rows, settings, seed=0, questions=len(rows), budget=10)
    operations = formulas.training_operations(settings) * size * settings.batch_size * tokens
    best = max(rates["product"])
    print(f"{name}: {size:,} parameters, {torch.get_num_threads()} threads, {tokens:.0f} tokens a row")
    print(f"product {best / 1e9:.1f} G operations a processor second")
    print(f"answers {max(rates['answers']) / best:.2f}, training {operations / cost.step.cpu / best:.2f}")


WORDS = ("river", "stone", "seven", "garden", "window", "letter")


def rate_of(work: Callable[[], float]) -> float:
    """Operations a processor second."""
    start = time.process_time()
    operations = work()
    return operations / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", metavar="MODEL")
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    page = "\n".join(lines()) + "\n"
    if options.out:
        options.out.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
