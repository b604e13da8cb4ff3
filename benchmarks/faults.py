"""Disturb a run again and again, resume it each time, and compare with an undisturbed run.

    python benchmarks/faults.py --kills 20 --out docs/results/faults.md

Killed with SIGKILL at random moments: so many in each of probe, train, predict and evaluate, the moment
drawn from the time that the stage takes, and as many again in a probe alone, in small units. Killed inside
atomic writes: between writing a file and renaming it, once for every file that a run writes. Stopped with
SIGTERM and SIGINT in every stage. Probing until a small disk is full. Its stored units cut short and
changed. In the end probe, predictions and metrics must be the same bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demur.core.files import delete

STAGES = ("probe", "train", "predict", "evaluate")
STOPS = (signal.SIGTERM, signal.SIGINT)
REDONE = {
    "probe": "probe.parquet",
    "train": "systems/r-tuning/model",
    "predict": "predictions/r-tuning.parquet",
    "evaluate": "metrics.json",
}
"""Without this file or folder a stage is not finished."""
COMPARED = ("questions.parquet", "probe.parquet", "metrics.json", "predictions/*.parquet")

# The child dies between write and rename of the first file that is not in the list of those it died at.
DIE_AT_RENAME = """
import os, signal, sys
from pathlib import Path
import demur.core.files
seen, root, rename = Path(sys.argv[1]), Path(sys.argv[2]), os.replace
def replace(source, target):
    name = str(Path(target).relative_to(root))
    if name not in seen.read_text().splitlines():
        with seen.open("a") as handle:
            handle.write(name + "\\n")
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
demur.core.files.os.replace = replace
sys.argv = ["demur", *sys.argv[3:]]
from demur.cli.main import main
main()
"""


# A disk of its own, in memory: too small at first. 77: no such thing can be made here.
FULL_DISK = """
mount -t tmpfs -o size={small}k none {disk} || exit 77
code=0; {line} 2>&1 || code=$?
[ $code = 2 ] || {{ echo "exit code $code"; exit 1; }}
(cd {disk}/run && ls work/probe) | sed -n 's/.*parquet$/stored: &/p'
mount -o remount,size=64m {disk}
{line} > /dev/null 2>&1
cp -r {disk}/run {kept}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="kills at random moments, spread over stages")
    parser.add_argument("--stops", type=int, default=8, help="stops at random moments, spread over stages")
    parser.add_argument("--limit", type=int, default=100, help="questions of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writes", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--only", choices=("runs", "probe"), help="disturb whole runs, or a probe only")
    parser.add_argument("--runs", type=Path, default=Path("runs/faults"))
    parser.add_argument("--program", default=None, help="to run in place of `python -m demur`")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    options.runs = options.runs.resolve()
    for folder in options.runs.glob("*"):
        delete(folder)  # what an earlier try left is no run to begin with
    report = [f"{datetime.date.today().isoformat()}, {os.cpu_count()} CPU cores, seed {options.seed}.", ""]

    if options.only != "probe":
        report += disturbed_runs(options)
    if options.only != "runs":
        report += disturbed_probes(options)
    text = "\n".join(report)
    print(text)
    if options.out:
        title = "# Faults\n\nA run disturbed, resumed, and compared with an undisturbed one."
        command = f"python benchmarks/faults.py --kills {options.kills} --out docs/results/faults.md"
        ran = f"```bash\n{command}\n```"
        options.out.write_text(f"{title}\n\n{ran}\n\n{text}\n", encoding="utf-8")
    if "DIFFERS" in text:
        sys.exit(1)


def disturbed_runs(options: argparse.Namespace) -> list[str]:
    """Whole runs, killed and stopped."""
    calm, run = options.runs / "calm", Command(options)
    quietly(run.demo(calm))
    seconds, rng = durations(calm), random.Random(options.seed)

    times = dict.fromkeys(STAGES, -(-options.kills // len(STAGES)))
    out = options.runs / "random"
    disturb(partial(run.demo, out), out, times, seconds, rng, [signal.SIGKILL])
    lines = [f"- kills at random moments: {times}", differing(calm, out)]

    times, out = dict.fromkeys(STAGES, -(-options.stops // len(STAGES))), options.runs / "stopped"
    codes = disturb(partial(run.demo, out), out, times, seconds, rng, STOPS)
    lines += [f"- stopped with SIGTERM and SIGINT in turn, in every stage, exit codes: {codes}"]
    lines += [differing(calm, out)]
    if options.writes:
        names = kill_inside_writes(options, run)
        lines += [f"- kills inside atomic writes: {len(names)}, once for each of:"]
        lines += [f"    - `{name}`" for name in names]
        lines += [differing(calm, options.runs / "writes")]
    return lines


def disturbed_probes(options: argparse.Namespace) -> list[str]:
    """A probe alone, in small units: killed, its stored units damaged, the disk full."""
    calm, out, run = options.runs / "calm-probe", options.runs / "killed-probe", Command(options)
    quietly(run.probe(calm))
    seconds, rng = durations(calm), random.Random(options.seed + 1)
    disturb(partial(run.probe, out), out, {"probe": options.kills}, seconds, rng, [signal.SIGKILL])
    lines = [f"- kills of a probe in units of 8, at random moments: {options.kills}", differing(calm, out)]

    out = options.runs / "damaged"
    named = damage(partial(run.probe, out), out)
    lines += [f"- one stored unit cut short and one changed by a byte; said to be damaged: {named} of 2"]
    # A byte may decide nothing; what counts is that no row changes
    lines += [differing(calm, out) if named else "- DIFFERS: damage that nobody noticed"]
    return lines + full_disk(options, run, calm)


@dataclass(frozen=True, slots=True)
class Command:
    """The command lines of what is disturbed."""

    options: argparse.Namespace

    def demo(self, out: Path) -> list[str]:
        """The demo on fewer questions, in small units and with checkpoints: there is much to lose."""
        return self._of("demo", out, {"probe.unit": 128, "training.save_steps": 5})

    def probe(self, out: Path) -> list[str]:
        """A probe alone, in units so small that there are many."""
        return self._of("probe", out, {"probe.unit": 8})

    def arguments(self, line: Sequence[str]) -> list[str]:
        """What `demur` is told by a command line."""
        return list(line[len(self._program) :])

    @property
    def _program(self) -> list[str]:
        chosen = self.options.program
        return [sys.executable, "-m", "demur"] if chosen is None else [chosen]

    def _of(self, name: str, out: Path, settings: Mapping[str, int]) -> list[str]:
        given = {"out": out, "data.limit": self.options.limit, **settings}
        flags = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        return [*self._program, name, *flags]


def quietly(line: list[str]) -> None:
    """Carry out a run to its end."""
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def durations(run: Path) -> dict[str, float]:
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    return {
        name: sum(v["seconds"] for k, v in stages.items() if k.split("/")[0] == name) for name in STAGES
    }


def disturb(
    again: Callable[[], list[str]],
    out: Path,
    times: Mapping[str, int],
    seconds: Mapping[str, float],
    rng: random.Random,
    signals: Sequence[signal.Signals],
) -> list[int]:
    """Send every stage its share of signals, each run going on where the last one ended; the exit codes."""
    codes: list[int] = []
    for stage, count in times.items():
        for _ in range(count):
            sent = signals[len(codes) % len(signals)]
            longest = 0.8 * seconds[stage]
            while (code := end_in(stage, again(), sent, rng.uniform(0, longest))) == 0:
                delete(out / REDONE[stage])  # too late: that stage once more, and sooner
                longest /= 2
            codes.append(code)
            expected = -sent if sent is signal.SIGKILL else 128 + sent
            assert code == expected, f"exit code {code} after {sent.name} in {stage}"
    quietly(again())
    return codes


def end_in(stage: str, line: list[str], sent: signal.Signals, wait: float) -> int:
    """Start the run, wait until it is in the stage and then a while, and send the signal; the exit code."""
    process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    heard = []
    for said in process.stderr:
        heard.append(said)
        if said.strip() == f"stage {stage}":
            break
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    process.send_signal(sent)
    rest = "".join(heard) + process.communicate()[1]
    assert "Traceback" not in rest, rest
    assert process.returncode <= 0 or "to go on: demur" in rest, rest
    return process.returncode


def damage(again: Callable[[], list[str]], out: Path) -> int:
    """Kill a probe when it has some units, cut one short, change another; of how many it says so."""
    process = subprocess.Popen(again(), stderr=subprocess.PIPE)
    while len(stored := sorted((out / "work/probe").glob("*.parquet"))) < 4 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    first, *_, last = stored
    os.truncate(last, last.stat().st_size // 2)
    content = bytearray(first.read_bytes())
    content[len(content) // 4] ^= 1
    first.write_bytes(content)
    done = subprocess.run(again(), check=True, capture_output=True, text=True)
    return sum(f"{path.name} is damaged" in done.stderr for path in (first, last))


def full_disk(options: argparse.Namespace, run: Command, calm: Path) -> list[str]:
    """Probe on a disk that is too small, give it room, go on.

    Always by `python -m demur`: a process that ran before does not see a disk that is mounted here.
    """
    disk, kept = options.runs / "disk", options.runs / "full"
    disk.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    needed = 64 + sum(-(-path.stat().st_size // 4096) * 4 for path in calm.glob("*.*"))
    line = shlex.join([sys.executable, "-m", "demur", *run.arguments(run.probe(disk / "run"))])
    script = FULL_DISK.format(disk=disk, small=needed, line=line, kept=kept)
    done = subprocess.run(
        ["unshare", "-Urm", "bash", "-ec", script], check=False, capture_output=True, text=True
    )
    if done.returncode == 77:
        return ["- a full disk: not tried, since no small disk can be mounted here"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no space left" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    stored = done.stdout.count("stored: ")
    return [f"- the disk full after {stored} units, then larger", differing(calm, kept)]


def kill_inside_writes(options: argparse.Namespace, run: Command) -> list[str]:
    """Die once inside the write of every file, then finish."""
    out, seen = options.runs / "writes", options.runs / "killed.txt"
    seen.parent.mkdir(parents=True, exist_ok=True)
    seen.write_text("")
    told = run.arguments(run.demo(out))
    line = [sys.executable, "-c", DIE_AT_RENAME, str(seen), str(out), *told]
    while subprocess.run(line, check=False, stderr=subprocess.DEVNULL).returncode == -signal.SIGKILL:
        pass
    return seen.read_text().splitlines()


def differing(calm: Path, disturbed: Path) -> str:
    files = [path for pattern in COMPARED for path in sorted(calm.glob(pattern))]
    names = [str(path.relative_to(calm)) for path in files]
    bad = [name for name in names if (calm / name).read_bytes() != (disturbed / name).read_bytes()]
    return f"- DIFFERS: {', '.join(bad)}" if bad else f"- the same bytes: {', '.join(names)}"


if __name__ == "__main__":
    main()
