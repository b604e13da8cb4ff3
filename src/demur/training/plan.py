"""What a training run will do, counted before it starts, and refused where it would do nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from demur.core.config import TrainingSettings
from demur.core.errors import ConfigError, TrainingDataError


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedRow:
    """One row as the trainer sees it."""

    input_ids: list[int]
    completion_mask: list[int]
    """1 where the loss falls; as long as ``input_ids``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """Size of a training stage."""

    rows: int
    steps: int
    """Optimiser updates."""
    tokens: int
    """Tokens read in one pass over the rows."""
    supervised_tokens: int
    """Of these, the ones on which loss falls."""
    unsupervised_rows: int = 0
    """Rows without any of them: they teach nothing, such as those whose completion is cut off."""

    def sentence(self) -> str:
        """The plan in words."""
        left = (
            f"; {self.unsupervised_rows:,} rows have no supervised token" if self.unsupervised_rows else ""
        )
        return (
            f"{self.rows:,} rows, {self.steps:,} steps, {self.tokens:,} tokens a pass, "
            f"{self.supervised_tokens:,} of them supervised{left}"
        )


def plan_training(rows: Sequence[TokenisedRow], settings: TrainingSettings, *, where: str) -> TrainingPlan:
    """Count what would be trained, after rows are cut to ``max_length`` tokens.

    Raises:
        TrainingDataError: no rows, no supervised token, or less than one optimiser step.
    """
    per_step = settings.batch_size * settings.accumulate
    updates = settings.epochs * len(rows) / per_step
    of_rows = [sum(row.completion_mask[: settings.max_length]) for row in rows]
    supervised = sum(of_rows)
    if not rows or not supervised or (settings.max_steps is None and updates < 1):
        raise TrainingDataError(
            expected="at least one optimiser step on at least one supervised token",
            found=f"{len(rows)} rows, {supervised} supervised tokens, and {settings.epochs:g} epochs of "
            f"{per_step} rows a step: {updates:.2f} steps",
            where=where,
            fix="train for more epochs, on more rows or with a smaller batch (training.epochs, "
            "training.batch_size, training.accumulate); training.max_length may cut completions off",
        )
    return TrainingPlan(
        rows=len(rows),
        steps=count_steps(len(rows), settings),
        tokens=sum(len(row.input_ids[: settings.max_length]) for row in rows),
        supervised_tokens=supervised,
        unsupervised_rows=of_rows.count(0),
    )


def count_steps(rows: int, settings: TrainingSettings) -> int:
    """Optimiser updates; the last one of a pass takes what rows are left."""
    per_pass = math.ceil(rows / (settings.batch_size * settings.accumulate))
    return settings.max_steps or math.ceil(settings.epochs * max(per_pass, 1))


def divide(settings: TrainingSettings, processes: int) -> tuple[int, int]:
    """Rows that each process reads at once, and how often before an update.

    An update takes the same rows in however many processes; none reads more than ``batch_size`` at once.

    Raises:
        ConfigError: the rows of an update cannot be divided evenly.
    """
    together = settings.batch_size * settings.accumulate
    own, left = divmod(together, processes)
    if left:
        raise ConfigError(
            expected=f"an update's rows to divide evenly among {processes} processes",
            found=f"{together} rows (training.batch_size {settings.batch_size} x training.accumulate "
            f"{settings.accumulate})",
            where="training.batch_size",
            fix=f"choose a multiple of {processes}, such as {together + processes - left} rows; an update "
            "takes as many in all processes together",
        )
    at_once = max(size for size in range(1, settings.batch_size + 1) if own % size == 0)
    return at_once, own // at_once
