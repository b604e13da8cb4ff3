"""Every metric of every system on every split, with intervals, tables, degenerate policies, differences."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from demur.core.errors import ConfigError
from demur.core.questions import shared_by
from demur.core.records import Prediction, Question
from demur.metrics.base import DEFAULT_BINS, Floats, Index
from demur.metrics.board import Board, boards
from demur.metrics.bootstrap import Resampling, chunks, group_numbers
from demur.metrics.plan import Difference, Plan, Wanted, plan_split
from demur.metrics.sample import Workspace
from demur.metrics.uncertainty import Cell, Uncertainty

FEWEST_GROUPS = 20
"""With fewer groups than this, an interval over groups means little: questions are drawn by themselves."""

logger = logging.getLogger(__name__)


def splits_of(question: Question, *, by_dataset: bool = False) -> tuple[str, ...]:
    """The rows of the metric table in which a question counts.

    A test question counts in its domain, a calibration question in ``calibration``, each also in
    ``…/GROUP`` where it has a group; any other question in ``DATASET/SPLIT``.

    Args:
        by_dataset: count test questions also in ``DATASET/DOMAIN``: there are several datasets.
    """
    if question.split not in ("test", "calibration"):
        return (f"{question.dataset}/{question.split}" if question.dataset else question.split,)
    name = question.domain if question.split == "test" else "calibration"
    found = (name,) if question.group is None else (name, f"{name}/{question.group}")
    own = by_dataset and question.split == "test" and question.dataset
    return (*found, f"{question.dataset}/{name}") if own else found


def evaluate(
    questions: Sequence[Question],
    predictions: Mapping[str, Sequence[Prediction]],
    *,
    primary: Mapping[str, str],
    reference: str = "base",
    compare: Sequence[tuple[str, str]] | None = None,
    metrics: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    ece_bins: int = DEFAULT_BINS,
    threads: int | None = None,
) -> dict[str, Any]:
    """Compute the content of ``metrics.json``.

    Args:
        questions: all questions that predictions may be about; `splits_of` says where each counts. Those
            that share an entity, document or group (`shared_by`) are drawn together.
        predictions: by system; a system may leave questions out, which then count as unscored in the
            splits where it has any.
        primary: each system's primary signal, whose metrics also stand without a suffix.
        reference: the untuned system, "before" in prudence, over-conservativeness, honesty, newly wrong.
        compare: pairs (system, against) for paired differences; by default each system against the
            reference.
        metrics: names of `METRICS`; by default all. Those marked `headline` are compared between systems.
        level: of the intervals.
        resamples: bootstrap draws; 0 gives values without intervals.
        threads: by default one for each of up to four processors; the result does not depend on it.

    Returns:
        ``schema_version``, ``metrics``, ``tables``, ``no_answer`` (how many of the unscored hold no
        answer: an empty text, or reasoning that never ends), ``policies``, ``differences``, ``groups`` (as
        of `evaluate_boards`) and ``settings``, all JSON values; what is undefined is None, never 0.

    Raises:
        DataError: where a prediction's question is unknown or a question is predicted twice.
        ConfigError: where a system has no primary signal, or a comparison names an unknown system.
    """
    pairs = (
        [(system, reference) for system in predictions if system != reference]
        if compare is None
        else compare
    )
    pairs = [pair for pair in pairs if pair[1] in predictions or compare is not None]
    _check(predictions, primary, pairs, level=level, resamples=resamples, ece_bins=ece_bins)
    every = boards(questions, predictions, reference=reference, bins=ece_bins)
    report = evaluate_boards(
        every,
        _splits(questions),
        wanted(metrics, primary, pairs),
        Resampling(level=level, resamples=resamples, seed=seed, threads=threads),
        clusters=clusters_of(questions),
    )
    settings = {"level": level, "resamples": resamples, "seed": seed, "ece_bins": ece_bins}
    return {"schema_version": 1, **report, "settings": settings}


def wanted(
    metrics: Sequence[str] | None, primary: Mapping[str, str], pairs: Sequence[tuple[str, str]] = ()
) -> Wanted:
    """What is to be computed, with metrics by their names; those marked `headline` are compared."""
    from demur.metrics import METRICS

    if metrics is None:
        chosen = [metric for _, metric in METRICS.items()]
    else:
        chosen = [METRICS.get(name) for name in metrics]
    differing = [metric for metric in chosen if metric.headline]
    return Wanted(metrics=chosen, differing=differing, primary=primary, pairs=pairs)


def evaluate_boards(
    every: Mapping[str, Board],
    splits: Mapping[str, Index],
    wanted: Wanted,
    resampling: Resampling,
    *,
    clusters: Index | None = None,
) -> dict[str, Any]:
    """As `evaluate`, for predictions that are arrays already.

    Args:
        splits: positions of the questions of each split.
        clusters: the number of each question's group; whole groups are drawn as `groups_drawn` says.

    Returns:
        ``metrics``, ``tables``, ``no_answer``, ``policies``, ``differences`` and ``groups``: how many
        groups are drawn in each split where they are.
    """
    plans = [plan_split(split, positions, every, wanted) for split, positions in splits.items()]
    if clusters is not None:
        for plan, positions in zip(plans, splits.values(), strict=True):
            plan.clusters = groups_drawn(clusters[positions])
    _warn(plans)
    drawn = {plan.split: plan.groups for plan in plans if plan.clusters is not None}
    return {**_report(plans, _measured(plans, resampling), list(every)), "groups": drawn}


def _check(
    predictions: Mapping[str, Sequence[Prediction]],
    primary: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    *,
    level: float,
    resamples: int,
    ece_bins: int,
) -> None:
    problems = [f"no primary signal for {system}" for system in predictions if system not in primary]
    named = {system for pair in pairs for system in pair}
    problems += [
        f"a comparison with {system}, which made no predictions"
        for system in sorted(named - {*predictions})
    ]
    problems += [] if 0 < level < 1 else [f"level {level}"]
    problems += [] if resamples >= 0 else [f"resamples {resamples}"]
    problems += [] if ece_bins >= 1 else [f"ece_bins {ece_bins}"]
    if problems:
        raise ConfigError(
            expected="a primary signal for every system, comparisons between systems with predictions, "
            "a level between 0 and 1, resamples of 0 or more, at least one bin",
            found="; ".join(problems),
            where="evaluation settings",
            fix="change these settings",
        )


def _warn(plans: Sequence[Plan]) -> None:
    """Say once for each system which metrics cannot be computed, and why; each metric once."""
    told: set[tuple[str, str]] = set()
    for plan in plans:
        for system, at in plan.metrics.items():
            found: dict[str, list[str]] = {}
            for name, position in at.items():
                obstacle = plan.series[position].obstacle
                if obstacle and (system, name) not in told:
                    told.add((system, name))
                    found.setdefault(obstacle, []).append(name)
            for obstacle, names in found.items():
                logger.warning(
                    "undefined for %s on %s: %s: %s", system, plan.split, ", ".join(names), obstacle
                )


def _splits(questions: Sequence[Question]) -> dict[str, Index]:
    """Positions of the questions of each split."""
    positions: dict[str, list[int]] = {}
    several = len({question.dataset for question in questions}) > 1
    for position, question in enumerate(questions):
        for split in splits_of(question, by_dataset=several):
            positions.setdefault(split, []).append(position)
    return {split: np.array(found, np.intp) for split, found in positions.items()}


def clusters_of(questions: Sequence[Question]) -> Index | None:
    """The number of each question's group (`shared_by`); None where no question has one."""
    shared = [shared_by(question) for question in questions]
    return group_numbers(shared) if any(shared) else None


def groups_drawn(clusters: Index | None) -> Index | None:
    """The groups of a split, numbered from 0, where whole ones are drawn; None where questions are.

    Whole groups are drawn where there are at least `FEWEST_GROUPS` and one has two questions or more.
    """
    if clusters is None:
        return None
    found, numbers = np.unique(clusters, return_inverse=True)
    return numbers if FEWEST_GROUPS <= len(found) < len(clusters) else None


def _measured(plans: Sequence[Plan], resampling: Resampling) -> list[Uncertainty]:
    """Every plan's ranked series over the data and all draws, with what follows from them."""
    tasks = [
        (plan, draws)
        for plan in plans
        if plan.rankings
        for draws in chunks(plan.size, resampling.resamples)
    ]
    workspaces = threading.local()

    def work(task: tuple[Plan, range]) -> Floats:
        plan, draws = task
        if not hasattr(workspaces, "own"):
            workspaces.own = Workspace()
        return plan.compute(draws, seed=resampling.seed, workspace=workspaces.own)

    # Our threads share the processors already; those of BLAS would only be in their way.
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(resampling.threads or min(4, os.cpu_count() or 1)) as pool,
    ):
        done = list(zip(tasks, pool.map(work, tasks), strict=True))
    return [
        Uncertainty(
            plan,
            _joined([part for (owner, _), part in done if owner is plan], resampling),
            resampling,
            len(next(chunks(plan.size, resampling.resamples))),
        )
        for plan in plans
    ]


def _joined(parts: Sequence[Floats], resampling: Resampling) -> Floats:
    return np.concatenate(parts, axis=1) if parts else np.zeros((0, 1 + resampling.resamples))


def _report(
    plans: Sequence[Plan], measured: Sequence[Uncertainty], systems: Sequence[str]
) -> dict[str, Any]:
    """The three tables by system and split, and the differences."""
    report: dict[str, Any] = {
        name: {system: {} for system in systems} for name in ("metrics", "tables", "no_answer", "policies")
    }
    report["differences"] = []
    for plan, found in zip(plans, measured, strict=True):
        with threadpool_limits(1, user_api="blas"):
            cells = found.cells()
        for system, at in plan.metrics.items():
            report["metrics"][system][plan.split] = _named(at, cells)
            report["tables"][system][plan.split] = plan.tables[system]
            report["no_answer"][system][plan.split] = plan.silent[system]
            report["policies"][system][plan.split] = {
                policy: _named(at_policy, cells) for policy, at_policy in plan.policies[system].items()
            }
        report["differences"] += [_difference(plan.split, item, found) for item in plan.differences]
    return report


def _named(at: Mapping[str, int], cells: Sequence[Cell]) -> dict[str, Cell]:
    return {name: dict(cells[position]) for name, position in at.items()}


def _difference(split: str, item: Difference, found: Uncertainty) -> dict[str, Any]:
    """A paired difference: both sides are of the same questions and of the same draws."""
    names = {"metric": item.metric, "split": split, "system": item.system, "against": item.against}
    return {**names, **found.difference(item), "n": item.n}
