"""Build the shipped pocket models again and compare their accuracy with what is shipped.

    python benchmarks/pocket.py --page docs/results/pocket.md

Seed and recipe are those that a shipped model records. Another machine or thread count rounds otherwise,
and training carries that on, so accuracies are compared within a margin and weights are not compared.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from demur.pocket import POCKET_MODELS, bundled_model
from demur.pocket.build import build_model
from demur.pocket.measuring import TierAccuracy, accuracy_by_reads
from demur.pocket.world import make_world

SHIPPED = tuple(name for name, model in POCKET_MODELS.items() if model.bundled)
MARGIN, READ_ONCE = 0.05, 0.12
"""Largest difference of an accuracy, and for what was read once an epoch, which leaves most to chance."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", nargs="+", choices=SHIPPED, default=["pocket"], help="models to build")
    parser.add_argument("--page", type=Path, default=None)
    options = parser.parse_args()
    rows = [row for name in options.names for row in compared(name)]
    bad = [row for row in rows if row["difference"] > row["margin"]]
    text = "\n".join(table(rows))
    print(text)
    if options.page:
        title = (
            "# The shipped pocket models, built again\n\nAccuracy by how often a fact was read an epoch."
        )
        command = f"python benchmarks/pocket.py --names {' '.join(options.names)}"
        told = f"{datetime.date.today().isoformat()}, {os.cpu_count()} CPU cores, {platform.machine()}."
        page = f"{title}\n\n```bash\n{command}\n```\n\n{told}\n\n{text}\n"
        options.page.write_text(page, encoding="utf-8")
    sys.exit(1 if bad else 0)


def compared(name: str) -> list[dict[str, Any]]:
    """The accuracies of a shipped model and of one built again, by reads an epoch."""
    recorded, model = json.loads((bundled_model(name) / "pocket.json").read_text()), POCKET_MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        built = build_model(
            Path(folder) / "model",
            seed=recorded["build_seed"],
            world=make_world(recorded["seed"], model.world),
            settings=model.settings,
        )
    assert built.steps == recorded["steps"], f"{built.steps} steps, {recorded['steps']} recorded"
    shipped = accuracy_by_reads(tier(cell) for cell in recorded["accuracy"])
    return [
        {
            "name": name,
            "reads": reads,
            "shipped": shipped[reads],
            "built": accuracy,
            "difference": abs(accuracy - shipped[reads]),
            "margin": READ_ONCE if reads == 1 else MARGIN,
        }
        for reads, accuracy in built.accuracy_by_reads.items()
    ]


def tier(cell: dict[str, Any]) -> TierAccuracy:
    """An accuracy as it is recorded."""
    return TierAccuracy(**{field: cell[field] for field in ("group", "reads", "correct", "n")})


def table(rows: list[dict[str, Any]]) -> list[str]:
    """One line for each model and number of reads."""
    lines = ["| model | reads an epoch | shipped | built again | largest difference allowed |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    return lines + [
        f"| {row['name']} | {row['reads']} | {row['shipped']:.1%} | {row['built']:.1%} | "
        f"{row['margin']:.0%} |"
        for row in rows
    ]


if __name__ == "__main__":
    main()
