"""How the store of finished units and a probe grow: time and memory, measured in fresh processes.

    python benchmarks/store.py [--finished 10000000] [--probe 2000 20000 200000]

The store is filled by the writer that a run uses, unit by unit, with made-up probes of one short response.
Then it is opened in another process, which finds what is missing, does one more unit and looks at a
thousand rows. A probe is that of the pocket model, one new token, on different questions.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from questions import write

UNIT = 256
LOOK = 500
"""Appended units at either end whose time is compared."""


def made_up(places: Sequence[int]) -> list[object]:
    """A probe for each place in the list of questions."""
    from demur.core.records import Probe, Response, Verdict

    return [
        Probe(
            question_id=hashlib.sha256(str(place).encode()).hexdigest()[:16],
            greedy=Response(text=f" Oslo {place % 9973}", token_logprobs=(-0.1, -place / 1e7, -1.5)),
            greedy_verdict=Verdict.CORRECT if place % 3 else Verdict.WRONG,
        )
        for place in places
    ]


def open_store(folder: Path) -> object:
    from demur.core.records import Probe
    from demur.core.units import UnitStore

    return UnitStore(folder, Probe, key="benchmark")


def fill(folder: Path, questions: int) -> dict[str, float]:
    """Append unit after unit; the time of each, and the memory at the first and the last look."""
    store, times, memory = open_store(folder), [], []

    def work(places: Sequence[int]) -> list[object]:
        rows = made_up(places)
        times.append(time.process_time())
        if len(times) in (LOOK, questions // UNIT):
            memory.append(peak_mb())
        return rows

    start = time.perf_counter()
    store.fill(range(questions), work, unit=UNIT)
    spent = [after - before for before, after in itertools.pairwise(times)]
    return {
        "seconds": time.perf_counter() - start,
        "first_ms": 1000 * statistics.fmean(spent[:LOOK]),
        "last_ms": 1000 * statistics.fmean(spent[-LOOK:]),
        "first_mb": memory[0],
        "last_mb": memory[-1],
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "files": len(list(folder.glob("*.parquet"))),
    }


def resume(folder: Path, questions: int) -> dict[str, float]:
    """Open a store that holds all but one more unit, and do that one."""
    import pyarrow.parquet  # noqa: F401 - measured apart

    import demur.core.units  # noqa: F401

    libraries, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
    store, worked = open_store(folder), []

    def work(places: Sequence[int]) -> list[object]:
        worked.append(time.perf_counter() - start)
        return made_up(places)

    rows = store.run(range(questions + UNIT), work, unit=UNIT)
    found = {
        "first_unit_seconds": worked[0],
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "mb": peak_mb(),
        "libraries_mb": libraries,
    }
    assert len(worked) == 1
    places = range(0, len(rows), len(rows) // 1000)
    assert [rows[place].question_id for place in places] == [row.question_id for row in made_up(places)]
    return found


def probe(file: Path, out: Path) -> dict[str, float]:
    """Probe the pocket model; time of the stage alone, memory of the whole process."""
    from demur.core.config import load_config
    from demur.core.console import quiet_libraries
    from demur.pipeline.job import Job
    from demur.pipeline.pipeline import STAGES, Pipeline
    from demur.pipeline.stages import probe as stage

    quiet_libraries()
    found = {}

    def timed(job: Job) -> None:
        assert job.engine is not None  # opening it is not timed
        start, cpu = time.perf_counter(), time.process_time()
        stage.run(job)
        found["seconds"] = time.perf_counter() - start
        found["cpu_seconds"] = time.process_time() - cpu

    given = {"data.path": file, "out": out, "model.path": "pocket", "probe.max_new_tokens": 1}
    with mock.patch.dict(STAGES, probe=timed):
        Pipeline(load_config(None, given)).run(until="probe")
    return found | {"mb": peak_mb()}


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fresh(step: str, *arguments: object) -> dict[str, float]:
    """A step in a process of its own, on one core."""
    command = [sys.executable, __file__, "--step", step, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--finished", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--probe", type=int, nargs="*", default=[2_000, 20_000, 200_000])
    parser.add_argument("--folder", type=Path, default=None, help="where to work; default: a temporary one")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        name, folder, rest = given.step[0], Path(given.step[1]), given.step[2]
        steps = {"fill": fill, "resume": resume}
        found = probe(folder, Path(rest)) if name == "probe" else steps[name](folder, int(rest))
        print(json.dumps(found))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        folder = Path(temporary)
        if given.finished:
            show_store(folder, given.finished)
        if given.probe:
            show_probe(folder, given.probe)


def show_store(folder: Path, sizes: Sequence[int]) -> None:
    print("\n| finished | files | MB on disk | append, first ms | last ms | peak MB, first | last |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    sizes = [-(-size // UNIT) * UNIT for size in sizes]
    for size in sizes:
        at = fresh("fill", folder / str(size), size)
        print(
            f"| {size:,} | {at['files']:,} | {at['bytes'] / 2**20:,.0f} | {at['first_ms']:.1f} | "
            f"{at['last_ms']:.1f} | {at['first_mb']:.0f} | {at['last_mb']:.0f} |",
            flush=True,
        )
    print("\n| finished | first unit begins, s | then done, s | CPU s | peak MB | libraries MB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for size in sizes:
        at = fresh("resume", folder / str(size), size)
        print(
            f"| {size:,} | {at['first_unit_seconds']:.2f} | {at['seconds']:.2f} | "
            f"{at['cpu_seconds']:.2f} | {at['mb']:.0f} | {at['libraries_mb']:.0f} |",
            flush=True,
        )


def show_probe(folder: Path, sizes: Sequence[int]) -> None:
    print("\n| questions probed | CPU s | per question against the first | seconds | peak MB |")
    print("|---:|---:|---:|---:|---:|")
    first = None
    for size in sizes:
        file = folder / f"{size}.jsonl"
        write(file, size)
        at = fresh("probe", file, folder / f"run-{size}")
        each = at["cpu_seconds"] / size
        first = first or each
        print(
            f"| {size:,} | {at['cpu_seconds']:.1f} | ×{each / first:.3f} | {at['seconds']:.1f} | "
            f"{at['mb']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
