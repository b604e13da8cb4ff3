"""R-Tuning's ParaRel protocol with a pocket base model, as a page beside the paper's figures.

PARAREL_DIR=/path/to/pararel python benchmarks/pararel.py --out docs/results/pararel.md
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

import demur
from demur.cli.init import build_pocket
from demur.core.console import Terminal, quiet_libraries
from demur.report import headline

CONFIG = Path(__file__).parents[1] / "examples/pararel.yaml"
SPLITS = {"id": "In domain (15 relations)", "ood": "Out of domain (16 other relations)"}
METRICS = (
    "accuracy",
    "coverage",
    "accuracy_willing",
    "ap",
    "ap_sure",
    "ap_likelihood",
    "auroc",
    "auroc_sure",
    "ece",
)
PAPER = """## The paper's figures

R-Tuning (arXiv 2311.09677), AP in %, R-Tuning / Vanilla, fully tuned models of 3, 7 and 13 billion
parameters on the full files: in domain 93.23 / 92.89, 93.64 / 93.32 and 94.44 / 94.00; out of domain
69.41 / 68.42, 74.61 / 78.08 and 77.30 / 64.12. The paper gives no seeds and no intervals. Figures here
and there cannot be compared in size: the base models know different shares of the facts, and the chance
level of AP is the accuracy. What can be compared is the direction.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=Path("runs/pararel-base"))
    parser.add_argument("--run", type=Path, default=Path("runs/pararel"))
    parser.add_argument("--out", type=Path, default=None, help="write the page here as well")
    options = parser.parse_args()
    quiet_libraries()
    if not options.base.exists():
        facts = f"pararel:{os.environ['PARAREL_DIR']}"
        print(build_pocket(options.base, seed=0, facts=[facts], listener=Terminal()))
    folder = demur.run(CONFIG, model={"path": str(options.base)}, out=options.run, listener=Terminal())
    about = json.loads((options.base / "pocket.json").read_text(encoding="utf-8"))
    metrics, manifest = (
        json.loads(path.read_text(encoding="utf-8")) for path in (folder.metrics, folder.manifest)
    )
    page = "\n".join(lines(metrics, manifest, about)) + "\n"
    print(page)
    if options.out:
        options.out.write_text(page, encoding="utf-8")


def lines(metrics: dict[str, Any], manifest: dict[str, Any], about: dict[str, Any]) -> Iterator[str]:
    yield "# ParaRel\n"
    yield f"{datetime.date.today().isoformat()}, {psutil.cpu_count()} CPU cores, no GPU, Demur"
    yield f"{demur.__version__}, seed {manifest['seed']}. Commands:\n"
    yield "```bash\nexport PARAREL_DIR=/path/to/pararel"
    yield "demur pocket build --facts pararel:$PARAREL_DIR --out runs/pararel-base"
    yield "demur run examples/pararel.yaml\n```\n"
    yield "**The base model is a pocket one**, not a large language model: a Llama of 2.7 million"
    yield "parameters that has read these very facts 0, 1, 3 or 8 times an epoch. So the boundary is real"
    yield "and known, on the questions of R-Tuning's published files (every second test record).\n"
    yield "Accuracy of the base model by reads an epoch: " + by_reads(about) + ".\n"
    report = manifest["stages"]["data"]["report"]
    leaks = report["leaks"]
    yield f"Questions: {', '.join(f'{count:,} {part}' for part, count in report['counts'].items())}. The"
    yield f"published split leaks: {leaks['rows']} test rows ask what training asks; they are dropped.\n"
    yield "R-Tuning declines by its paper's fixed rule: *sure* below 0.5 (`r_tuning.threshold: 0.5`).\n"
    for split, title in SPLITS.items():
        yield f"## {title}\n"
        yield "| system | " + " | ".join(METRICS) + " |"
        yield "| --- |" + " --- |" * len(METRICS)
        for system, cells in metrics["metrics"].items():
            shown = [cell(cells[split].get(name, {})) for name in METRICS]
            yield f"| {system} | " + " | ".join(shown) + " |"
        yield ""
    yield "Brackets hold 95% intervals over questions, for this one seed.\n"
    yield "## In words\n"
    yield from (f"- {sentence}" for sentence in headline(without_groups(metrics), manifest))
    yield f"\n{PAPER}"


def cell(estimate: dict[str, Any]) -> str:
    if estimate.get("value") is None:
        return "–"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def by_reads(about: dict[str, Any]) -> str:
    return ", ".join(f"{tier['reads']}: {tier['accuracy']:.1%}" for tier in about["accuracy"])


def without_groups(metrics: dict[str, Any]) -> dict[str, Any]:
    """The 31 relations would make each sentence a list of 31 clauses."""
    kept = {
        system: {split: cells for split, cells in splits.items() if split in SPLITS}
        for system, splits in metrics["metrics"].items()
    }
    return {**metrics, "metrics": kept}


if __name__ == "__main__":
    main()
