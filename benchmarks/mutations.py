"""Damaged copies of the published files: every one must give questions or a clear error.

    python benchmarks/mutations.py FOLDER_OF_SAMPLES [--count 10000] [--page docs/results/mutations.md]

Each mutation is drawn from its own seed, of a small sample of a file's records, so that a failure can be
repeated. An error is clear where it is Demur's own, with what was expected, what was found and what to do.
A mutation that takes longer than `PATIENCE` counts as hanging.
"""

from __future__ import annotations

import argparse
import copy
import csv
import gc
import io
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import DemurError
from demur.datasets import DATASETS

PATIENCE = 20
"""Seconds of processor time for one mutation."""
RECORDS = 12
JUNK: list[Any] = [
    *(None, True, -1, 10**30, float("nan"), "", " ", "\x00", "\ud800", "\u2028", [], {}, [[[]]], [None]),
    *({"a": {"b": [1]}}, ["x"] * 30, [{"text": "x"}]),
]
FILES = {
    "pararel": "r_tuning_data/pararel/training_data.json",
    "pararel facts": "pararel/data/trex_lms_vocab/P103.jsonl",
    "mmlu": "r_tuning_data/MMLU/MMLU_ID_test.json",
    "mmlu csv": "mmlu/data/test/astronomy_test.csv",
    "wice": "wice/data/entailment_retrieval/claim/dev.jsonl",
    "hotpotqa": "hotpotqa/hotpot_dev_distractor_v1.json",
    "hotpotqa rows": "hotpotqa/hf_rows_dev_distractor.json",
    "fever": "fever/paper_dev.jsonl",
    "selfaware": "selfaware/SelfAware.json",
    "halueval": "halueval/generation/qa/qa_one-turn_data.json",
    "falseqa": "falseqa/dataset/valid.csv",
    "nec": "unknownbench/data/NEC/NEC_answerable.json",
    "refunq": "unknownbench/data/RefuNQ/RefuNQ_answerable.json",
    "triviaqa": "triviaqa/qa/web-train.json",
    "triviaqa flat": "triviaqa/flashrag_test.jsonl",
    "nq-open": "nq_open/NQ-open.dev.jsonl",
    "nonambigqa": "alignment_for_honesty/nonambigqa.jsonl",
    "puqa": "alignment_for_honesty/puqa.jsonl",
    "pkqa": "alignment_for_honesty/pkqa_13b.jsonl",
    "asqa": "asqa/ASQA.json",
}
"""A published file of every dataset, in every layout."""


def sampled(path: Path, rng: random.Random) -> str:
    """The text of a file cut down to a few whole records, in its own container."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(text)))
        kept = rows[:1] + rng.sample(rows[1:], min(RECORDS, len(rows) - 1))
        out = io.StringIO()
        csv.writer(out).writerows(kept)
        return out.getvalue()
    lines = text.splitlines()
    if len(lines) > 1 and lines[0].startswith("{") and lines[0].rstrip().endswith("}"):
        return "\n".join(rng.sample(lines, min(RECORDS, len(lines))))
    return json.dumps(_fewer(json.loads(text), rng), ensure_ascii=False)


def _fewer(value: Any, rng: random.Random) -> Any:
    """The same container with fewer records."""
    if isinstance(value, list):
        return rng.sample(value, min(RECORDS, len(value)))
    if isinstance(value, dict) and len(value) > 1 and all(isinstance(v, list) for v in value.values()):
        names = rng.sample(sorted(value), min(3, len(value)))  # subjects, each with its rows
        return {name: value[name][:4] for name in names}
    return {name: _fewer(v, rng) if isinstance(v, list) else v for name, v in value.items()}


def truncation(text: str, rng: random.Random) -> bytes:
    """The file ends in the middle."""
    content = text.encode()
    return content[: rng.randrange(len(content))]


def wrong_encoding(text: str, rng: random.Random) -> bytes:
    """Another encoding than the file says, or bytes of none."""
    changed = text.replace("a", rng.choice(["é", "вещь", "物"]), 3)
    if rng.random() < 0.3:
        content = bytearray(changed.encode())
        for _ in range(rng.randint(1, 20)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content)
    names = ("cp1251", "latin-1", "utf-16-le", "utf-16", "gb18030", "utf-7")
    return changed.encode(rng.choice(names), "replace")


def _edited(text: str, rng: random.Random, change: Callable[[list[Any], random.Random], None]) -> bytes:
    """The file with some of its JSON values or cells changed."""
    try:
        values = [json.loads(text)]
        join = None
    except ValueError:
        try:
            values = [json.loads(line) for line in text.splitlines()]
            join = "\n"
        except ValueError:
            return _edited_csv(text, rng, change)
    for _ in range(rng.randint(1, 4)):
        change(_places(values, rng), rng)
    if join is None:
        return json.dumps(values[0]).encode("utf-8", "surrogatepass")
    return join.join(map(json.dumps, values)).encode("utf-8", "surrogatepass")


def _edited_csv(text: str, rng: random.Random, change: Callable[[list[Any], random.Random], None]) -> bytes:
    rows: list[Any] = list(csv.reader(io.StringIO(text)))
    for _ in range(rng.randint(1, 4)):
        change([rows, rng.randrange(len(rows))] if rng.random() < 0.3 else _places(rows, rng), rng)
    out = io.StringIO()
    for row in rows:
        csv.writer(out).writerow([str(cell) for cell in row] if isinstance(row, list) else [str(row)])
    return out.getvalue().encode("utf-8", "replace")


def _places(value: Any, rng: random.Random) -> list[Any]:
    """A container and a key of it, somewhere inside a value."""
    inside = value
    place = [inside, rng.randrange(len(inside))]
    while rng.random() < 0.85:
        inside = place[0][place[1]]
        if isinstance(inside, dict) and inside:
            place = [inside, rng.choice(sorted(inside))]
        elif isinstance(inside, list) and inside:
            place = [inside, rng.randrange(len(inside))]
        else:
            break
    return place


def _put_junk(place: list[Any], rng: random.Random) -> None:
    place[0][place[1]] = copy.deepcopy(rng.choice(JUNK))


def _remove(place: list[Any], rng: random.Random) -> None:  # noqa: ARG001
    if len(place[0]) > 1:
        del place[0][place[1]]


def _nest(place: list[Any], rng: random.Random) -> None:
    value = place[0][place[1]]
    for _ in range(rng.choice((1, 2, 5, 60))):
        value = [value] if rng.random() < 0.5 else {"x": value}
    place[0][place[1]] = value


def _enlarge(place: list[Any], rng: random.Random) -> None:
    value = place[0][place[1]]
    big = rng.choice((200_000, 1_000_000))
    place[0][place[1]] = "y " * (big // 2) if not isinstance(value, list) else value * 20


KINDS: dict[str, Callable[[str, random.Random], bytes]] = {
    "truncation": truncation,
    "wrong types": lambda text, rng: _edited(text, rng, _put_junk),
    "wrong encoding": wrong_encoding,
    "missing fields": lambda text, rng: _edited(text, rng, _remove),
    "nested junk": lambda text, rng: _edited(text, rng, _nest),
    "huge fields": lambda text, rng: _edited(text, rng, _enlarge),
}


def _lost_patience(*_: object) -> None:
    raise TimeoutError("hangs")


def survive(job: tuple[Path, str, str, int]) -> tuple[str, str, str, float, float]:
    """Kind, dataset and outcome of one mutation (``questions``, ``error``, or what is wrong), two sizes.

    The sizes are the file's and that of the memory that reading it took at its peak, in MiB.
    """
    samples, layout, kind, seed = job
    rng = random.Random(f"{layout}/{kind}/{seed}")
    source, name = samples / FILES[layout], layout.split()[0]
    content = KINDS[kind](sampled(source, rng), rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source.name
        path.write_bytes(content)
        size = len(content) / 2**20
        del content
        before = _resident_mib(reset=True)
        signal.signal(signal.SIGPROF, _lost_patience)
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            raw = DATASETS.get(name).load(path, DataSettings(name=name, path=path), seed=0)
            outcome = "questions" if raw.questions else "nothing"
        except DemurError as error:
            outcome = (
                "error" if error.expected and error.found and error.fix else "an error that says nothing"
            )
        except Exception as error:  # that is what is looked for
            outcome = f"{type(error).__name__}: {str(error)[:80]} (seed {seed})"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        peak = _resident_mib() - before
    return kind, layout, outcome, size, peak


def _resident_mib(*, reset: bool = False) -> float:
    """The peak of this process's memory since the last reset (Linux)."""
    gc.collect()
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Print what came out, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    each = -(-given.count // (len(FILES) * len(KINDS)))
    jobs = [(given.samples, name, kind, n) for name in FILES for kind in KINDS for n in range(each)]
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(survive, jobs, chunksize=20))
    minutes = (time.monotonic() - started) / 60
    size, peak = max(row[3] for row in done), max(row[4] for row in done)
    sizes = f"files of up to {size:.0f} MiB, reading one took {peak:.0f} MiB at most"
    bad = [row for row in done if row[2] not in ("questions", "error", "nothing")]
    for row in bad[:40]:
        print(row)
    counts = Counter((row[0], row[2]) for row in done)
    lines = [
        "| damage | mutations | questions | a clear error | anything else |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in KINDS:
        total = sum(n for (k, _), n in counts.items() if k == kind)
        fine, errors = counts[kind, "questions"], counts[kind, "error"] + counts[kind, "nothing"]
        lines.append(f"| {kind} | {total:,} | {fine:,} | {errors:,} | {total - fine - errors} |")
    print("\n".join(lines), f"\n{len(done):,} mutations, {minutes:.1f} minutes, {sizes}")
    if given.page:
        given.page.write_text(page(len(done), lines, minutes, sizes), encoding="utf-8")


def page(count: int, lines: list[str], minutes: float, sizes: str) -> str:
    """The page."""
    return "\n".join(
        [
            "# Damaged files",
            "",
            f"{count:,} damaged copies of the published files of {len(FILES)} datasets and layouts, each "
            "drawn from its own seed: questions or a clear error must come out, no traceback, no hang "
            f"(more than {PATIENCE} s of processor time), no memory that grows.",
            "",
            "```bash\npython benchmarks/mutations.py FOLDER_OF_SAMPLES\n```",
            "",
            f"{os.cpu_count()} cores, {minutes:.1f} minutes, {sizes}; {time.strftime('%Y-%m-%d')}.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
