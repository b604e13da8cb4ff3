"""Kill a run with SIGKILL, again and again, resume it each time, and compare with an undisturbed run.

    python benchmarks/faults.py --kills 20 --out docs/results/faults.md

Two kinds of kills. At random moments: so many in each of probe, train, predict and evaluate, the moment
drawn from the time that the stage takes. Inside atomic writes: between writing a file and renaming it,
once for every file that a run writes. In the end probe, predictions and metrics must be the same bytes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

STAGES = ("probe", "train", "predict", "evaluate")
REDONE = {
    "probe": "probe.parquet",
    "train": "systems/r-tuning/model/demur.json",
    "predict": "predictions/r-tuning.parquet",
    "evaluate": "metrics.json",
}
"""Without this file a stage is not finished."""
COMPARED = ("questions.parquet", "probe.parquet", "metrics.json", "predictions/*.parquet")

# The child dies between write and rename of the first file that is not in the list of those it died at.
DIE_AT_RENAME = """
import os, signal, sys
from pathlib import Path
import demur.files
seen, root, rename = Path(sys.argv[1]), Path(sys.argv[2]), os.replace
def replace(source, target):
    name = str(Path(target).relative_to(root))
    if name not in seen.read_text().splitlines():
        with seen.open("a") as handle:
            handle.write(name + "\\n")
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
demur.files.os.replace = replace
sys.argv = ["demur", *sys.argv[3:]]
from demur.cli import main
main()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="kills at random moments, spread over stages")
    parser.add_argument("--limit", type=int, default=100, help="questions of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writes", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/faults"))
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    options.runs = options.runs.resolve()
    report = [f"{datetime.date.today().isoformat()}, {os.cpu_count()} CPU cores, seed {options.seed}.", ""]

    calm = options.runs / "calm"
    subprocess.run(command(calm, options.limit), check=True, stderr=subprocess.DEVNULL)
    seconds = durations(calm)

    killed = kill_at_random(options, seconds)
    report += [f"- kills at random moments: {killed}", differing(calm, options.runs / "random")]
    if options.writes:
        names = kill_inside_writes(options)
        report += [f"- kills inside atomic writes: {len(names)}, once for each of:"]
        report += [f"    - `{name}`" for name in names]
        report += [differing(calm, options.runs / "writes")]
    text = "\n".join(report)
    print(text)
    if options.out:
        title = "# Faults\n\nA run killed with `kill -9`, resumed, and compared with an undisturbed one."
        ran = f"```\npython benchmarks/faults.py --kills {options.kills} --out docs/results/faults.md\n```"
        options.out.write_text(f"{title}\n\n{ran}\n\n{text}\n", encoding="utf-8")
    if "DIFFERS" in text:
        sys.exit(1)


def command(out: Path, limit: int) -> list[str]:
    """The demo on fewer questions, in small units and with checkpoints, so that there is much to lose."""
    settings = {"out": out, "data.limit": limit, "probe.unit": 128, "training.save_steps": 5}
    flags = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    return [sys.executable, "-m", "demur", "demo", *flags]


def durations(run: Path) -> dict[str, float]:
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    return {
        name: sum(v["seconds"] for k, v in stages.items() if k.split("/")[0] == name) for name in STAGES
    }


def kill_at_random(options: argparse.Namespace, seconds: dict[str, float]) -> dict[str, int]:
    """Kill every stage its share of times, each run going on where the last one died."""
    rng, out = random.Random(options.seed), options.runs / "random"
    counts = dict.fromkeys(STAGES, 0)
    for stage in STAGES:
        for _ in range(-(-options.kills // len(STAGES))):
            while not kill_in(stage, out, options.limit, wait=rng.uniform(0, 0.8 * seconds[stage])):
                (out / REDONE[stage]).unlink(missing_ok=True)  # too late: that stage once more
            counts[stage] += 1
    subprocess.run(command(out, options.limit), check=True, stderr=subprocess.DEVNULL)
    return counts


def kill_in(stage: str, out: Path, limit: int, *, wait: float) -> bool:
    """Start the run, wait until it is in the stage and then a while, and kill it."""
    process = subprocess.Popen(
        command(out, limit), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == f"stage {stage}":
            break
    time.sleep(wait)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def kill_inside_writes(options: argparse.Namespace) -> list[str]:
    """Die once inside the write of every file, then finish."""
    out, seen = options.runs / "writes", options.runs / "killed.txt"
    seen.parent.mkdir(parents=True, exist_ok=True)
    seen.write_text("")
    arguments = [sys.executable, "-c", DIE_AT_RENAME, str(seen), str(out), *command(out, options.limit)[3:]]
    while subprocess.run(arguments, check=False, stderr=subprocess.DEVNULL).returncode == -signal.SIGKILL:
        pass
    return seen.read_text().splitlines()


def differing(calm: Path, disturbed: Path) -> str:
    files = [path for pattern in COMPARED for path in sorted(calm.glob(pattern))]
    names = [str(path.relative_to(calm)) for path in files]
    bad = [name for name in names if (calm / name).read_bytes() != (disturbed / name).read_bytes()]
    return f"- DIFFERS: {', '.join(bad)}" if bad else f"- the same bytes: {', '.join(names)}"


if __name__ == "__main__":
    main()
