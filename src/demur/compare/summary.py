"""Runs that differ in their seed only, put together: means, intervals over seeds, paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from demur.compare.collect import POLICIES, Cell, RunCells
from demur.compare.columns import COLUMNS
from demur.metrics.multiple import holm
from demur.report.paired import AT_COVERAGE, SAME_COVERAGE

LEVEL = 0.95
RIVALS = ("base", "base-likelihood")
DIFFERENT = ("accuracy", "accuracy_willing", "ap", "auroc", "honesty", "auroc_truth", "honesty_truth")
"""Columns whose differences are reported."""


def summarise(runs: Sequence[RunCells], *, against: str | None = None) -> dict[str, Any]:
    """All runs as JSON values.

    Args:
        against: one more system that all others are compared with.

    Returns:
        ``schema_version``, ``runs``, and by group of comparable runs (``datasets``) its ``splits`` (by
        split, system and column: mean, low, high, n and the values by seed), ``differences`` and ``truth``.
        Of several seeds the intervals are Student's over seeds; of one they are the run's own.
    """
    groups: dict[tuple[str, str], list[RunCells]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.settings), []).append(run)
    return {
        "schema_version": 1,
        "level": LEVEL,
        "runs": [{"path": str(r.path), "dataset": r.dataset, "seed": r.seed} for r in runs],
        "datasets": {
            name: _group(members, against)
            for name, members in zip(_names(list(groups)), groups.values(), strict=True)
        },
    }


def over_seeds(values: Sequence[float | None], level: float = LEVEL) -> dict[str, Any]:
    """Mean of the values that are there, with Student's interval over them; None where undefined."""
    found = [value for value in values if value is not None]
    mean = float(np.mean(found)) if found else None
    low = high = None
    if mean is not None and len(found) > 1:
        half = stats.t.ppf((1 + level) / 2, len(found) - 1) * np.std(found, ddof=1) / math.sqrt(len(found))
        low, high = mean - float(half), mean + float(half)
    return {"mean": mean, "low": low, "high": high, "n": len(found), "values": list(values)}


def _group(runs: Sequence[RunCells], against: str | None) -> dict[str, Any]:
    runs = sorted(runs, key=lambda run: run.seed)
    systems = list(dict.fromkeys(system for run in runs for system in run.systems))
    splits = list(dict.fromkeys(split for run in runs for split in run.cells))
    rivals = list(dict.fromkeys([*RIVALS, *([against] if against else [])]))
    return {
        "seeds": [run.seed for run in runs],
        "method": runs[0].method,
        "systems": systems,
        "splits": {
            split: {
                system: {
                    column: _cells([_at(run, split, system, column) for run in runs]) for column in COLUMNS
                }
                for system in (*systems, *POLICIES)
            }
            for split in splits
        },
        "differences": [
            difference
            for split in splits
            for column in DIFFERENT
            for rival in rivals
            if rival in systems
            for difference in _differences(runs, split, column, rival, systems)
        ],
        "truth": {
            "known_share": over_seeds([run.known_share for run in runs]),
            "reads": {system: _reads([run.reads.get(system, {}) for run in runs]) for system in systems},
        },
    }


def _cells(cells: Sequence[Cell]) -> dict[str, Any]:
    found = over_seeds([cell["value"] for cell in cells])
    if len(cells) == 1:
        found |= {"low": cells[0]["low"], "high": cells[0]["high"]}
    return found


def _at(run: RunCells, split: str, system: str, column: str) -> Cell:
    empty: Cell = {"value": None, "low": None, "high": None}
    return dict(run.cells.get(split, {}).get(system, {}).get(column, empty))


def _differences(
    runs: Sequence[RunCells], split: str, column: str, rival: str, systems: Sequence[str]
) -> list[dict[str, Any]]:
    """Each system minus the rival, seed by seed; p values of paired t tests, corrected by Holm together.

    Accuracies when answering are no fair comparison, and have no p value, where the coverages differ.
    """
    others = [system for system in systems if system != rival]
    found, p_values, fair = [], [], []
    for system in others:
        pairs = [
            (_at(run, split, system, column)["value"], _at(run, split, rival, column)["value"])
            for run in runs
        ]
        gaps = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
        found.append(over_seeds(gaps))
        fair.append(
            column not in AT_COVERAGE or all(_same_coverage(run, split, system, rival) for run in runs)
        )
        p_values.append(_p_value(gaps) if fair[-1] else None)
    return [
        {
            "split": split,
            "metric": column,
            "system": system,
            "against": rival,
            **gap,
            "p_holm": p,
            "fair": ok,
        }
        for system, gap, p, ok in zip(others, found, holm(p_values), fair, strict=True)
    ]


def _same_coverage(run: RunCells, split: str, system: str, rival: str) -> bool:
    ours, theirs = (_at(run, split, name, "coverage")["value"] for name in (system, rival))
    return ours is not None and theirs is not None and abs(ours - theirs) < SAME_COVERAGE


def _p_value(gaps: Sequence[float]) -> float | None:
    if len(gaps) < 2 or np.ptp(gaps) == 0:
        return None
    return float(stats.ttest_1samp(gaps, 0.0).pvalue)


def _reads(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = sorted({name for table in tables for name in table})
    return {
        name: {
            key: over_seeds([table.get(name, {}).get(key) for table in tables])
            for key in ("n", "answered", "accuracy_willing")
        }
        for name in names
    }


def _names(groups: Sequence[tuple[str, str]]) -> list[str]:
    """A name for each group: its dataset's, numbered where several groups share it."""
    names = [dataset for dataset, _ in groups]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})"
        for i, name in enumerate(names)
    ]
