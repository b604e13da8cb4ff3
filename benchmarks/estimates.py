"""What `--dry-run` says of a run beside what the run then takes, by stage, as a table.

    python benchmarks/estimates.py run.yaml --model smollm2 --limit 120 --out runs/estimated

The estimate and the run are processes of their own, one after the other. Where other work shares the
processors, seconds of a clock say little: those of the processors (CPU) stand beside them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from demur import open_run
from demur.core.config import load_config
from demur.pipeline.pipeline import Pipeline

FILE = "cpu-seconds.json"
"""Where the run's process leaves the processor seconds of its stages, in the run folder."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--only", choices=("estimate", "run"), help="one of the two, for the other is there"
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        carry_out(options)
        return
    if options.only != "run":
        estimate(options)
    if options.only != "estimate":
        subprocess.run([sys.executable, *sys.argv, "--here"], check=True)
    print("\n".join(table(options.out)))


def settings(options: argparse.Namespace) -> Any:
    found: dict[str, Any] = {
        "model.path": options.model,
        "data.limit": options.limit,
        "out": str(options.out),
    }
    if options.samples is not None:
        found["probe.samples"] = options.samples
    return load_config(options.config, found)


def estimate(options: argparse.Namespace) -> None:
    """The estimate, by the command itself, left beside the run folder."""
    command = [sys.executable, "-m", "demur", "run", str(options.config), "--dry-run", "--json"]
    command += ["--model", options.model, "--limit", str(options.limit), "--out", str(options.out)]
    command += [] if options.samples is None else ["--probe.samples", str(options.samples)]
    load, start = os.getloadavg()[0], time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    plan = json.loads(done.stdout)
    plan |= {"command_seconds": round(time.perf_counter() - start, 1), "load": round(load, 1)}
    estimate_of(options.out).parent.mkdir(parents=True, exist_ok=True)
    estimate_of(options.out).write_text(json.dumps(plan, indent=2))


def estimate_of(out: Path) -> Path:
    return out.with_name(out.name + ".estimate.json")


def carry_out(options: argparse.Namespace) -> None:
    """The run, with the processor seconds of each stage."""
    pipeline = Pipeline(settings(options))
    marks: list[tuple[str, float]] = []
    announce = pipeline.job.listener.stage

    def stage(name: str) -> None:
        marks.append((name, time.process_time()))
        announce(name)

    load = os.getloadavg()[0]
    pipeline.job.listener.stage = stage  # type: ignore[method-assign]  # to look at the clock
    folder = pipeline.run()
    marks.append(("", time.process_time()))
    spent = {name: later - at for (name, at), (_, later) in itertools.pairwise(marks)}
    (folder.root / FILE).write_text(json.dumps({"load": load, "seconds": spent}))


def table(out: Path) -> list[str]:
    plan = json.loads(estimate_of(out).read_text())
    manifest = open_run(out).manifest
    spent = json.loads((out / FILE).read_text())
    rows = [
        "| stage | s: estimate | run | CPU s: estimate | run | MB: estimate | run |",
        "| --- |" + " ---: |" * 6,
    ]
    sums = [0.0] * 4
    for name, found in plan["stages"].items():
        true = manifest["stages"].get(name, {"seconds": 0.0, "peak_memory_mb": 0.0})
        cpu = spent["seconds"].get(name, 0.0)
        values = [found["seconds"], true["seconds"], found["cpu_seconds"], cpu]
        sums = [total + value for total, value in zip(sums, values, strict=True)]
        times = " | ".join(f"{value:,.1f}" for value in values)
        rows.append(f"| {name} | {times} | {found['memory_mb']:,.0f} | {true['peak_memory_mb']:,.0f} |")
    most = max(stage["peak_memory_mb"] for stage in manifest["stages"].values())
    memory = plan["estimated_memory_gb"] * 1024
    rows.append("| all | " + " | ".join(f"{v:,.1f}" for v in sums) + f" | {memory:,.0f} | {most:,.0f} |")
    ratios = f"{sums[0] / sums[1]:.2f} (clock), {sums[2] / sums[3]:.2f} (CPU), {memory / most:.2f} (memory)"
    rows.append(f"\nEstimate / run: {ratios}. Load before: {plan['load']:.1f}, then {spent['load']:.1f}.")
    rows.append(f"The estimate took {plan['command_seconds']} s.")
    return rows


if __name__ == "__main__":
    main()
