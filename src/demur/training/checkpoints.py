"""Trainer checkpoints that are used only when they were written to the end."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from demur.stopping import asked_to_stop

MARK = "complete"


class MarkComplete(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once the trainer has finished writing it."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after the last file of a checkpoint."""
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).touch()


class StopWhenAsked(TrainerCallback):  # type: ignore[misc]
    """Ends training with a checkpoint after the step in hand, where somebody asks to stop."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after each optimiser step."""
        if asked_to_stop():
            control.should_save = control.should_training_stop = True


def last_complete(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; unfinished ones are deleted."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / MARK).exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint, ignore_errors=True)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
