"""The demo over several seeds: a seed redraws world, base model and tuning.

python benchmarks/demo_seeds.py --seeds 5 --out docs/results/demo.md
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

import demur
from demur.core.console import Terminal, quiet_libraries
from demur.pocket import DEMO_CONFIG

SPLITS = ("id/uniform", "id/mixed", "ood/uniform", "ood/mixed", "id", "ood")
SYSTEMS = (
    "base",
    "vanilla",
    "r-tuning",
    "r-tuning-fixed",
    "r-tuning-learned",
    "pretrain-w",
    "base-likelihood",
    "familiarity-only",
)
METRICS = ("accuracy", "coverage", "accuracy_willing", "ap", "auroc", "ece")
RIVALS = ("base-likelihood", "familiarity-only", "vanilla")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, default=Path("runs/demo-seeds"))
    parser.add_argument("--out", type=Path, default=None, help="write the page here as well")
    options = parser.parse_args()
    quiet_libraries()
    results = [run(seed, options.runs) for seed in range(options.seeds)]
    page = "\n".join(lines(results)) + "\n"
    print(page)
    if options.out:
        options.out.write_text(page, encoding="utf-8")


def run(seed: int, folder: Path) -> dict[str, Any]:
    done = demur.run(DEMO_CONFIG, seed=seed, out=folder / str(seed), listener=Terminal())
    found = demur.open_run(done.root)
    return found.metrics | {"threshold": found.system("r-tuning")["threshold"]}


def chosen(result: dict[str, Any]) -> float:
    """The threshold that a run chose."""
    return float(result["threshold"]["value"])


def lines(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "# The demo over seeds\n"
    today = datetime.date.today().isoformat()
    yield f"{today}, {len(results)} seeds, {hardware()}, Demur {demur.__version__}."
    yield "A seed redraws the world, the base model and the tuning. Command:\n"
    command = f"python benchmarks/demo_seeds.py --seeds {len(results)} --out docs/results/demo.md"
    yield f"```bash\n{command}\n```\n"
    values = spread([chosen(result) for result in results])
    yield "Mean ± standard deviation over seeds. R-Tuning answers where *sure* is at least the threshold"
    yield f"with the highest honesty on calibration people, {values};"
    yield "`r-tuning-fixed` gives the same answers by the paper's rule, where *sure* is at least 0.5;"
    yield "`r-tuning-learned` where its combination, fitted on calibration people, is at least 0.5.\n"
    for split in SPLITS:
        yield f"## {split}\n"
        yield "| system | " + " | ".join(METRICS) + " |"
        yield "| --- |" + " --- |" * len(METRICS)
        for system in SYSTEMS:
            cells = [
                spread([r["metrics"][system][split].get(m, {}).get("value") for r in results])
                for m in METRICS
            ]
            yield f"| {system} | " + " | ".join(cells) + " |"
        yield ""
    yield from differences(results)


def differences(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Paired differences in AUROC\n"
    yield "Mean ± standard deviation over seeds, and in how many of them the 95% interval lies above,"
    yield "across or below zero.\n"
    yield "| system | against | split | difference | above | across | below |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for system in ("r-tuning", "r-tuning-learned"):
        for rival in RIVALS:
            for split in SPLITS[:4]:
                rows = [find(r, system, rival, split) for r in results]
                above = sum(row["low"] > 0 for row in rows)
                below = sum(row["high"] < 0 for row in rows)
                value = spread([row["value"] for row in rows], sign="+")
                across = len(rows) - above - below
                yield f"| {system} | {rival} | {split} | {value} | {above} | {across} | {below} |"


def find(result: dict[str, Any], system: str, rival: str, split: str) -> dict[str, Any]:
    wanted = ("auroc", split, system, rival)
    return next(
        row
        for row in result["differences"]
        if (row["metric"], row["split"], row["system"], row["against"]) == wanted
    )


def spread(values: list[float | None], sign: str = "") -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    deviation = statistics.stdev(known) if len(known) > 1 else 0.0
    return f"{statistics.mean(known):{sign}.3f} ± {deviation:.3f}"


def hardware() -> str:
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return f"{psutil.cpu_count()} CPU cores ({threads} threads), no GPU"


if __name__ == "__main__":
    main()
