"""Damage the files of a run in 5,000 ways and read them with every command: the right result, or an error.

    python benchmarks/damage.py --cases 5000 --page docs/results/damage.md

A finished demo run is calibrated and analysed, and every command's result is kept. Then, again and again,
a file of a copy is damaged (`damages.py`) and one command that reads it is run. Some runs are recorded anew
after the damage (`resealed`), as somebody who forges a run would do, so that the digests say nothing; and
40 hostile run folders (`hostile.py`) are read by every command. A command must end with exit code 0 or 2,
without a traceback, and without changing a file outside the run. With exit code 0 and without a resealed
manifest, it must have printed what it prints for the run as it was, or have said which file it leaves out.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from commands import run_demur, succeeded  # noqa: E402
from damages import DAMAGES  # noqa: E402
from demur.core.errors import DemurError  # noqa: E402
from demur.runfolder.manifest import accept  # noqa: E402
from hostile import HOSTILE  # noqa: E402

MODEL = "systems/r-tuning/model"
COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "RUN", "--json"),
    "status": ("status", "RUN", "--json"),
    "trust": ("trust", "RUN", "--json"),
    "compare": ("compare", "RUN", "--json"),
    "report": ("report", "RUN", "--csv", "OUT"),
    "calibrate": ("calibrate", "RUN", "--max-error", "0.2", "--recalibrate", "platt", "--json"),
    "analyse": ("analyse", "RUN", "--json"),
    "ask": ("ask", "RUN", "Where was Dora Pomash born?", "--json"),
    "ask base": ("ask", "RUN", "Where was Dora Pomash born?", "--system", "base", "--json"),
    "ask model": ("ask", f"RUN/{MODEL}", "Where was Dora Pomash born?", "--json"),
    "card": ("card", "RUN", "--json"),
    "export": ("export", "RUN", "--format", "trl", "--out", "OUT"),
    "run": ("run", "RUN/config.yaml", "--out", "RUN"),
}
"""RUN is the damaged run, OUT a folder beside it."""
READERS: dict[str, tuple[str, ...]] = {
    "config.yaml": tuple(COMMANDS),
    "manifest.json": tuple(COMMANDS),
    "questions.parquet": ("verify", "compare", "report", "calibrate", "analyse", "ask", "card", "run"),
    "probe.parquet": ("verify", "compare", "report", "analyse", "run"),
    "predictions/base.parquet": ("verify", "compare", "report", "analyse", "run"),
    "predictions/r-tuning.parquet": ("verify", "compare", "report", "calibrate", "analyse", "ask", "run"),
    "metrics.json": ("verify", "compare", "report", "card", "ask", "run"),
    "guarantee.json": ("verify", "report", "ask", "analyse", "card"),
    "analysis.json": ("verify", "report", "card"),
    "signature.json": ("verify", "trust", "ask", "status"),
    "systems/r-tuning/training/sft.jsonl": ("verify", "export", "run"),
    f"{MODEL}/demur.json": ("verify", "trust", "ask", "ask model", "card", "report", "calibrate", "run"),
    f"{MODEL}/adapter_config.json": ("verify", "ask", "ask model", "card", "calibrate", "run"),
    f"{MODEL}/adapter_model.safetensors": ("verify", "ask", "ask model", "card", "calibrate", "run"),
    f"{MODEL}/tokenizer.json": ("verify", "ask", "ask model", "card", "run"),
    f"{MODEL}/tokenizer_config.json": ("verify", "ask", "ask model", "card", "run"),
}
"""The commands that read each kind of file."""
SELDOM = {"run": 0.1}
"""Commands that take long are drawn less often."""
RESEALED = 0.35
"""Share of the damages after which the run is recorded anew."""
SECONDS = 120
SAID = ("is not used", "carried out again")
"""In the notes on findings that are left out of a result, and on stages that make a changed file anew."""
FINDINGS = ("guarantee.json", "analysis.json")
"""Deleting one is how a user goes back to a run without it."""


@dataclass(slots=True)
class Tally:
    """What came of the cases."""

    ends: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Bench:
    """A run to damage, and what every command says of it while it is whole."""

    def __init__(self, whole: Path, place: Path) -> None:
        self.whole, self.place = whole, place
        self.run, self.out = place / "run", place / "out"
        self.outside = place / "outside.txt"
        self.outside.write_text("nobody may write here")
        self.right = {name: self._said(name)[1] for name in COMMANDS}

    def case(self, file: str, damage: str, command: str, seed: int, *, resealed: bool) -> tuple[str, str]:
        """How a command ended on a damaged file, and what was wrong with that (or nothing)."""
        self._restore()
        rng = random.Random(seed)
        what = DAMAGES[damage](self.run / file, rng)
        if resealed:
            try:
                accept(self.run)
            except (DemurError, OSError):  # a manifest or a link that no reader takes
                resealed = False
        about = f"{file}, {damage} ({what}){', resealed' if resealed else ''}, {command}, seed {seed}"
        taken_back = file in FINDINGS and damage == "deleted"
        return self._judged(command, about, compared=not resealed and not taken_back)

    def hostile(self, name: str, command: str) -> tuple[str, str]:
        """The same for a hostile run folder."""
        self._restore()
        HOSTILE[name](self.run)
        return self._judged(command, f"hostile folder {name!r}, {command}", compared=False)

    def _judged(self, command: str, about: str, *, compared: bool) -> tuple[str, str]:
        before = self._around()
        code, said, errors = self._command(command)
        problem = ""
        if code not in (0, 2) or "Traceback" in errors:
            problem = f"exit code {code}: {errors.strip().splitlines()[-1:]}"
        elif code == 2 and command != "verify" and "demur: " not in errors:
            problem = f"no error is named: {errors.strip()[-200:]}"
        elif any(ord(mark) < 32 and mark != "\n" for mark in said + errors):
            problem = "a control character reached the terminal"
        elif self._around() != before:
            problem = "a file outside the run was changed"
        elif (
            code == 0
            and compared
            and said != self.right[command]
            and not any(t in said + errors for t in SAID)
        ):
            problem = "another result without an error"
        return str(code), f"{about}: {problem}" if problem else ""

    def _said(self, name: str) -> tuple[str, str]:
        self._restore()
        code, said, errors = self._command(name)
        assert code == 0, (name, errors)
        return str(code), said

    def _command(self, name: str) -> tuple[int | str, str, str]:
        """Exit code, result and errors of a command; a report's result is its tables."""
        words = [w.replace("RUN", str(self.run)).replace("OUT", str(self.out)) for w in COMMANDS[name]]
        try:
            ended = run_demur(*words, cwd=self.place, timeout=SECONDS, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "never", "", ""
        said = ended.stdout
        if name in ("report", "export"):
            said += _digests(self.out)
        if name == "run" and ended.returncode == 0:
            said = _digests(self.run, ("predictions/*.parquet", "probe.parquet", "questions.parquet"))
        if name in ("verify", "trust"):  # whether it is signed is no result of the run
            said = json.dumps({k: v for k, v in json.loads(said or "{}").items() if k != "signed"})
        return ended.returncode, said, ended.stderr

    def _restore(self) -> None:
        """The run as it was, by other names of the same files: commands replace files, they change none."""
        for folder in (self.run, self.out):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.whole, self.run, copy_function=os.link)

    def _around(self) -> tuple[str, ...]:
        names = sorted(path.name for path in self.place.iterdir() if path not in (self.run, self.out))
        return (*names, self.outside.read_text())


def _digests(folder: Path, patterns: Sequence[str] = ("**/*",)) -> str:
    files = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    return " ".join(hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files)


def whole_run(folder: Path) -> Path:
    """A finished run of few questions, calibrated and analysed."""
    few = ("--data.limit", "96", "--evaluation.resamples", "20")
    succeeded("demo", "--out", folder, *few)
    succeeded("calibrate", folder, "--max-error", "0.2", "--recalibrate", "platt")
    succeeded("analyse", folder)
    succeeded("report", folder)
    return folder


def drawn(cases: int, seed: int) -> Iterator[tuple[str, str, str, int, bool]]:
    """File, damage, command, seed and whether it is resealed, of each case."""
    rng = random.Random(seed)
    files, damages = list(READERS), list(DAMAGES)
    for number in range(cases):
        file = files[number % len(files)]
        names = READERS[file]
        [command] = rng.choices(names, [SELDOM.get(name, 1.0) for name in names])
        yield file, rng.choice(damages), command, rng.randrange(2**31), rng.random() < RESEALED


def carry_out(bench: Bench, cases: int, seed: int, hostile: float = 1.0) -> Tally:
    """A share of the hostile folders with every command, and every case until Ctrl-C."""
    tally, rng = Tally(), random.Random(seed)
    for name in HOSTILE:
        for command in COMMANDS:
            if rng.random() < hostile * SELDOM.get(command, 1.0):
                _count(tally, *bench.hostile(name, command), ("hostile", name))
    try:
        for number, (file, damage, command, own, resealed) in enumerate(drawn(cases, seed), start=1):
            code, problem = bench.case(file, damage, command, own, resealed=resealed)
            _count(tally, code, problem, ("resealed" if resealed else "damaged", damage))
            if number % 100 == 0:
                print(f"{number} cases, {len(tally.faults)} faults", flush=True)
    except KeyboardInterrupt:  # the page has what was done until then
        print(f"stopped after {number - 1} of {cases} cases", flush=True)
    return tally


def _count(tally: Tally, code: str, problem: str, kind: tuple[str, str]) -> None:
    tally.ends[code] += 1
    tally.by_kind[kind] += 1
    if problem:
        tally.faults.append(problem)
        print(problem, flush=True)


def page(tally: Tally, command: str, seed: int, seconds: float) -> str:
    """The page of the results."""
    by_group = Counter(group for group, _ in tally.by_kind.elements())
    damages = Counter(name for group, name in tally.by_kind.elements() if group != "hostile")
    folders = sum(group == "hostile" for group, _ in tally.by_kind)
    lines = [
        "# Damaged and hostile run folders",
        "",
        f"```bash\n{command}\n```",
        "",
        f"{datetime.datetime.now(datetime.UTC).date()}, {os.cpu_count()} CPU cores, no GPU, seed {seed}, "
        f"{seconds:,.0f} seconds in one process after another.",
        "",
        "| | cases |",
        "| --- | ---: |",
        f"| a file damaged | {by_group['damaged']:,} |",
        f"| a file damaged and the run recorded anew, so that no digest tells | {by_group['resealed']:,} |",
        f"| {folders} hostile run folders, each read by several commands | {by_group['hostile']:,} |",
        f"| the right result (exit code 0) | {tally.ends['0']:,} |",
        f"| an error that says what is wrong (exit code 2) | {tally.ends['2']:,} |",
        f"| **traceback, changed file outside the run, silently changed result, no end** | "
        f"**{len(tally.faults):,}** |",
        "",
        "Where the run was recorded anew, a changed value can be a result like any other: there exit code 0"
        " means that the command ended without harm.",
        "",
        "| damage | cases |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in sorted(damages.items())),
        "",
        f"Files: {', '.join(f'`{name}`' for name in READERS)}. Commands: "
        f"{', '.join(f'`demur {name}`' for name in COMMANDS)}.",
    ]
    if tally.faults:
        lines += ["", "## Faults", "", *(f"- {text}" for text in tally.faults)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--hostile", type=float, default=1.0, help="share of hostile folder x command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="demur-damage-") as folder:
        os.environ["XDG_DATA_HOME"] = str(Path(folder) / "data")
        place = Path(folder) / "place"
        place.mkdir()
        bench = Bench(whole_run(Path(folder) / "whole"), place)
        started = time.monotonic()
        tally = carry_out(bench, arguments.cases, arguments.seed, arguments.hostile)
    said = " ".join(["python benchmarks/damage.py", *sys.argv[1:]])
    text = page(tally, said, arguments.seed, time.monotonic() - started)
    print(text)
    if arguments.page:
        arguments.page.write_text(text, encoding="utf-8")
    sys.exit(bool(tally.faults))


if __name__ == "__main__":
    main()
