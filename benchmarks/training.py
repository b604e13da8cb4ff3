"""Training: Demur's path beside a bare TRL script, and what R-Tuning's three losses cost.

    python benchmarks/training.py
    python benchmarks/training.py --json training.json

Both sides tune LoRA matrices on the same rows with the same settings, from rows to a saved adapter, on the
pocket model and on a Llama of random weights with a vocabulary of 128,256, where the output layer is most
of the work. Every figure comes from a process of its own, in turns, round by round; medians over the rounds
and the range of ratios within a round are given. Demur's side also tokenises; the bare script gets token
ids.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VOCABULARY = 128_256
LOSSES = ("certainty", "answer+certainty", "all")
SIDES = ("bare TRL", "demur")
SETTINGS: dict[str, Any] = {"batch_size": 4, "epochs": 1, "learning_rate": 1e-4}


def large_vocabulary(folder: Path) -> Path:
    """Two narrow layers between wide embeddings; the tokenizer is the pocket model's."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from demur.pocket import bundled_model

    tokenizer = AutoTokenizer.from_pretrained(bundled_model())
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=4,
        vocab_size=VOCABULARY,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_rows(folder: Path, loss: str) -> Path:
    """R-Tuning's training rows for the pocket world, as a run builds them."""
    from demur.core.config import load_config
    from demur.pipeline.pipeline import Pipeline

    settings = {"out": folder / loss, "baselines": "", "r_tuning.loss": loss}
    run = Pipeline(load_config(None, settings)).run(until="build")
    return run.training("r-tuning") / "sft.jsonl"


def by_demur(engine: Any, examples: list[Any], out: Path) -> None:
    from demur.core.config import TrainingSettings
    from demur.training.launch import InThisProcess, launch

    def bar(*_: object) -> Any:
        import contextlib

        return contextlib.nullcontext(lambda _: None)

    launch(
        engine,
        [{"sft": examples}],
        tuner=InThisProcess(engine, seed=0),
        count=1,
        settings=lambda _: TrainingSettings(**SETTINGS),
        work=out / "work",
        out=out / "model",
        card={},
        note=lambda _: None,
        bar=bar,
        title="benchmark",
    )


def by_trl(engine: Any, rows: list[Any], out: Path) -> None:
    """What a user of TRL would write, on the same token ids."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    columns = ("input_ids", "completion_mask")
    trainer = SFTTrainer(
        model=engine.model,
        args=SFTConfig(
            output_dir=str(out / "work"),
            num_train_epochs=SETTINGS["epochs"],
            per_device_train_batch_size=SETTINGS["batch_size"],
            learning_rate=SETTINGS["learning_rate"],
            lr_scheduler_type="linear",
            warmup_steps=0.05,
            max_length=None,
            completion_only_loss=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=engine.model.device.type == "cpu",
            dataloader_pin_memory=engine.model.device.type != "cpu",
            report_to="none",
            disable_tqdm=True,
            save_total_limit=2,
            seed=0,
        ),
        train_dataset=Dataset.from_dict({name: [getattr(row, name) for row in rows] for name in columns}),
        processing_class=engine.tokenizer,
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    trainer.train()
    trainer.save_model(str(out / "model"))


def measure_one(side: str, model: Path, rows: Path, count: int) -> dict[str, float]:
    """From rows to a saved adapter, in this process."""
    import torch

    from demur.core.console import quiet_libraries
    from demur.core.records import Example, read_jsonl
    from demur.engines import Opening
    from demur.engines.hf import HFEngine
    from demur.pocket import bundled_model
    from demur.training.launch import tokenise

    quiet_libraries()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    work: Callable[[Any, list[Any], Path], None] = by_demur if side == "demur" else by_trl

    def carry_out(path: Path, count: int) -> tuple[float, float, list[Any]]:
        engine = HFEngine.open(Opening(path, format="plain"))
        examples = list(read_jsonl(rows, Example))[:count]
        tokens = tokenise(engine, examples)
        with tempfile.TemporaryDirectory() as folder:
            wall, processor = time.perf_counter(), time.process_time()
            work(engine, examples if side == "demur" else tokens, Path(folder))
            return time.perf_counter() - wall, time.process_time() - processor, tokens

    carry_out(bundled_model(), 2 * SETTINGS["batch_size"])  # imports and first calls are nobody's time
    wall, processor, tokens = carry_out(model, count)
    total = sum(len(row.input_ids) for row in tokens)
    return {
        "tokens_per_second": total / wall,
        "tokens_per_cpu_second": total / processor,
        "supervised": sum(sum(row.completion_mask) for row in tokens),
        "tokens": total,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(side: str, model: Path, rows: Path, count: int, threads: int) -> dict[str, float]:
    """`measure_one` in a fresh process."""
    command = [sys.executable, __file__, "--one", side, str(model), str(rows), str(count)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(
    name: str, model: Path, rows: dict[str, Path], count: int, *, rounds: int, threads: int
) -> list[dict[str, Any]]:
    """Every loss by both sides, in turns."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(rounds):
        for loss, path in rows.items():
            for side in SIDES if number % 2 else reversed(SIDES):
                made = measure(side, model, path, count, threads)
                found.setdefault((loss, side), []).append(made)
                print(f"{name}, {loss}, {side}: {made['tokens_per_second']:,.0f} tokens/s", file=sys.stderr)
    return [summary(name, loss, *(found[loss, side] for side in SIDES)) for loss in rows]


def summary(
    name: str, loss: str, bare: list[dict[str, float]], ours: list[dict[str, float]]
) -> dict[str, Any]:
    """Medians of both sides, and of the ratios within a round."""

    def median(side: list[dict[str, float]], what: str) -> float:
        return statistics.median(made[what] for made in side)

    def ratios(what: str) -> list[float]:
        return sorted(b[what] / a[what] for a, b in zip(bare, ours, strict=True))

    wall, processor = ratios("tokens_per_second"), ratios("tokens_per_cpu_second")
    return {
        "model": name,
        "loss": loss,
        "tokens": ours[0]["tokens"],
        "supervised": ours[0]["supervised"],
        **{
            f"{side}_{what}": median(made, what)
            for side, made in (("trl", bare), ("demur", ours))
            for what in ("tokens_per_second", "tokens_per_cpu_second", "peak_mb")
        },
        "ratio": statistics.median(wall),
        "ratio_range": [wall[0], wall[-1]],
        "cpu_ratio": statistics.median(processor),
        "cpu_ratio_range": [processor[0], processor[-1]],
        "peak_ratio": statistics.median(ratios("peak_mb")),
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| model | loss on | tokens, supervised | TRL, tokens/s | demur, tokens/s | ratio | in CPU time "
        "| TRL, peak MB | demur, peak MB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        low, high = row["ratio_range"]
        lines.append(
            f"| {row['model']} | {row['loss']} | {row['tokens']:,.0f}, {row['supervised']:,.0f} "
            f"| {row['trl_tokens_per_second']:,.0f} | {row['demur_tokens_per_second']:,.0f} "
            f"| ×{row['ratio']:.2f} ({low:.2f} to {high:.2f}) | ×{row['cpu_ratio']:.2f} "
            f"| {row['trl_peak_mb']:,.0f} | {row['demur_peak_mb']:,.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        side, model, rows, count = sys.argv[2:]
        print(json.dumps(measure_one(side, Path(model), Path(rows), int(count))))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="medians over them are reported")
    parser.add_argument("--rows", type=int, default=960, help="for the pocket model")
    parser.add_argument("--fewer", type=int, default=32, help="for the large vocabulary")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--only", choices=("pocket", "large"), help="one of the two models")
    parser.add_argument("--json", type=Path, help="also keep the figures there")
    arguments = parser.parse_args()
    from demur.core.console import quiet_libraries
    from demur.core.files import write_json
    from demur.pocket import bundled_model

    quiet_libraries()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {loss: make_rows(folder, loss) for loss in LOSSES}
        options = {"rounds": arguments.rounds, "threads": arguments.threads}
        found = []
        if arguments.only != "large":
            found += compare("pocket", bundled_model(), rows, arguments.rows, **options)
        if arguments.only != "pocket":
            large = large_vocabulary(folder / "large")
            found += compare("vocabulary of 128,256", large, rows, arguments.fewer, **options)
    print(table(found))
    if arguments.json:
        machine = platform.processor() or platform.machine()
        write_json(arguments.json, {"rows": found, "options": options, "machine": machine})


if __name__ == "__main__":
    main()
