"""A few training steps with the run's own trainer and settings, on rows that it would train on.

The trainer is the real one; it saves nothing, and what it needs a folder for lies in a temporary one.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.config import TrainingSettings
from demur.core.records import Example
from demur.pipeline.dryrun.spent import Seconds, Spent, busy, spending
from demur.training.launch import tokenise
from demur.training.plan import TokenisedRow

MOST_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """What one training stage takes."""

    rows: float
    """Training rows per training question."""
    start: Spent
    """Everything before the first step, with what the libraries load the first time."""
    step: Seconds
    """Of an update."""
    steps: int
    """How many were timed."""
    peak: float
    """Bytes, on the longest rows."""


def rehearse_steps(
    engine: Any,
    examples: Sequence[Example],
    settings: TrainingSettings,
    *,
    seed: int,
    questions: int,
    budget: float,
) -> StageCost:
    """Train for a few steps: once on the longest rows, for their memory, then on rows as they come.

    Args:
        engine: an `HFEngine`, whose model is changed.
        settings: of the stage.
        questions: from which the examples were built.
        budget: seconds for the steps that are timed; one is timed in any case.
    """
    rows = tokenise(engine, examples)
    at_once = settings.batch_size
    longest = sorted(rows, key=lambda row: -len(row.input_ids))[:at_once]
    with spending() as first:
        model, _ = _train(engine.model, engine, longest, settings, seed=seed, budget=0.0)
    with spending() as second:
        model, steps = _train(model, engine, rows, settings, seed=seed, budget=budget)
    engine.model = model
    step = _mean(steps)
    return StageCost(
        rows=len(rows) / questions,
        start=Spent(first.seconds.less(step), first.peak),
        step=step * settings.accumulate,
        steps=len(steps),
        peak=max(first.peak, second.peak),
    )


def _train(
    model: Any,
    engine: Any,
    rows: Sequence[TokenisedRow],
    settings: TrainingSettings,
    *,
    seed: int,
    budget: float,
) -> tuple[Any, list[Seconds]]:
    """Take steps of one batch each until the budget is used; returns the model and what each took."""
    from demur.training.sft import arguments, dataset, fit, prepare

    count = 1 if budget == 0 else MOST_STEPS
    enough = list(itertools.islice(itertools.cycle(rows), count * settings.batch_size))
    changes = {"max_steps": count, "accumulate": 1, "report_to": (), "epochs": 1.0}
    watch = _step_clock(budget)
    with tempfile.TemporaryDirectory() as folder:
        chosen = arguments(
            settings.model_copy(update=changes),
            seed=seed,
            output=Path(folder),
            on_cpu=model.device.type == "cpu",
        )
        chosen.save_strategy = "no"
        trainer = prepare(
            model, engine.tokenizer, dataset(enough), settings=settings, arguments=chosen, callbacks=[watch]
        )
        fit(trainer)
    return trainer.model, watch.steps


def _step_clock(budget: float) -> Any:
    """A callback that times steps, and ends training when a budget in seconds is used."""
    from transformers import TrainerCallback

    class StepClock(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.steps: list[Seconds] = []
            self._before = Seconds.now()

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if not self.steps:
                self._before = Seconds.now()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            now = Seconds.now()
            self.steps.append(now.less(self._before))
            self._before = now
            if sum(busy(step) for step in self.steps) >= budget:
                control.should_training_stop = True

    return StepClock()


def _mean(steps: Sequence[Seconds]) -> Seconds:
    return sum(steps, Seconds()) * (1 / len(steps))
