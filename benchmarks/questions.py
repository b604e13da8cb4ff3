"""Rows a second and memory of reading, loading and checking a large file of questions.

    python benchmarks/questions.py [--rows 2000000 200000]

Each measurement is a process of its own on one core. Memory is the peak of the process less what it holds
once the libraries are imported; rows a second are of CPU time, which others on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = ("river", "city", "capital", "scientist", "country", "mountain", "painter", "novel", "island")
STEPS = ("read", "load", "check")


def write(path: Path, rows: int) -> None:
    """A file of different questions of even length, each with one answer."""
    rng = random.Random(0)
    with path.open("w") as handle:
        for number in range(rows):
            one, other, last = rng.sample(WORDS, 3)
            year = rng.randint(1500, 2000)
            text = f"Which {one} did the {other} of {last.title()} {number:07} know in {year}?"
            answer = f"{rng.choice(WORDS).title()} {rng.randint(1, 9999)}"
            handle.write(json.dumps({"question": text, "answer": answer}) + "\n")


def measure(step: str, path: Path) -> dict[str, float]:
    """One step, in this process."""
    import pyarrow.compute
    import pyarrow.json
    import pyarrow.parquet  # noqa: F401

    from demur.core.config import DataSettings
    from demur.datasets import load_questions
    from demur.datasets.inspection import check_file
    from demur.datasets.user_file import load_file

    work = {
        "read": lambda: load_file(path, DataSettings(path=path), seed=0),
        "load": lambda: load_questions(DataSettings(path=path)),
        "check": lambda: check_file(path),
    }[step]
    before, start, wall = _peak_mb(), time.process_time(), time.perf_counter()
    work()
    return {
        "cpu_seconds": time.process_time() - start,
        "seconds": time.perf_counter() - wall,
        "mb": _peak_mb() - before,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--measure", nargs=2, metavar=("STEP", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure[0], Path(given.measure[1]))))
        return
    print("| rows | step | rows / CPU second | seconds | peak MB beyond the libraries |")
    print("|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for rows in given.rows:
            path = Path(folder) / f"{rows}.jsonl"
            write(path, rows)
            for step in STEPS:
                command = [sys.executable, __file__, "--measure", step, str(path)]
                environment = os.environ | {"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
                found = json.loads(done.stdout)
                rate = rows / found["cpu_seconds"]
                print(f"| {rows:,} | {step} | {rate:,.0f} | {found['seconds']:.1f} | {found['mb']:.0f} |")


if __name__ == "__main__":
    main()
