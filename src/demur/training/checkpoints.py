"""Checkpoints that are used only when they were written to the end, and what happens after each step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from demur.core.stopping import asked_to_stop

MARK = "complete"

Progress = Callable[[int], None]
"""Called with the number of optimiser steps done since the last call."""


class MarkComplete(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once every process has finished writing its part of it."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after the last file of a checkpoint."""
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).touch()


class StopWhenAsked(TrainerCallback):  # type: ignore[misc]
    """Ends training with a checkpoint after the step in hand, where somebody asks to stop.

    Of several processes all stop after the same step, whichever of them was asked.

    Args:
        asked: whether somebody has asked; a signal by default.
    """

    def __init__(self, asked: Callable[[], bool] = asked_to_stop) -> None:
        self._asked = asked
        self.stopped = False
        """Whether training was ended so."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after each optimiser step."""
        if _any_process(self._asked(), args.device) and state.global_step < state.max_steps:
            self.stopped = control.should_save = control.should_training_stop = True


class Report(TrainerCallback):  # type: ignore[misc]
    """Passes each step on to a progress bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._seen = progress, 0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after each optimiser step."""
        self._progress(state.global_step - self._seen)
        self._seen = state.global_step


def last_complete(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; unfinished ones are deleted."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / MARK).exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint, ignore_errors=True)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _any_process(value: bool, device: torch.device) -> bool:
    """Whether it is so in any of the processes that train together."""
    if not torch.distributed.is_initialized():
        return value
    flag = torch.tensor(int(value), device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag)
