"""Supervised tuning: a thin launcher over TRL's SFTTrainer and PEFT's LoRA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from demur.config import TrainingSettings
from demur.errors import TrainingDataError
from demur.stopping import finishing
from demur.training.checkpoints import MarkComplete, StopWhenAsked, last_complete
from demur.training.plan import TokenisedRow

Progress = Callable[[int], None]
"""Called with the number of optimiser steps done since the last call."""


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stages: Mapping[str, Sequence[TokenisedRow]],
    *,
    settings: Mapping[str, TrainingSettings],
    seed: int,
    work: Path,
    progress: Progress | None = None,
) -> PreTrainedModel:
    """Tune a model, stage after stage, and return it (a PEFT model where LoRA is on).

    Args:
        model: the model; changed in place. An adapter that it has is tuned further.
        stages: rows by stage, in the order of training. Loss falls on their completions only.
        settings: by stage.
        work: folder for checkpoints. Where it holds whole ones of the same job, training resumes there.
    """
    for stage, rows in stages.items():
        trainer = SFTTrainer(
            model=model,
            args=_arguments(settings[stage], seed, work / stage, on_cpu=model.device.type == "cpu"),
            train_dataset=_dataset(rows),
            processing_class=tokenizer,
            peft_config=_new_adapter(model, settings[stage]),
            callbacks=[MarkComplete(), StopWhenAsked(), *([_Report(progress)] if progress else [])],
        )
        trainer.remove_callback(PrinterCallback)  # it would print the log where the trainer's bar is off
        checkpoint = last_complete(work / stage)
        with finishing():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        _require_finite(trainer, stage)
        model = trainer.model
    return model


def _dataset(rows: Sequence[TokenisedRow]) -> Dataset:
    return Dataset.from_dict(
        {
            "input_ids": [row.input_ids for row in rows],
            "completion_mask": [row.completion_mask for row in rows],
        }
    )


def _new_adapter(model: PreTrainedModel, settings: TrainingSettings) -> LoraConfig | None:
    """The adapter to put on a model, None where it has one already or every weight is tuned."""
    return _lora(settings) if settings.lora and not hasattr(model, "peft_config") else None


def _lora(settings: TrainingSettings) -> LoraConfig:
    targets: Any = settings.lora_targets
    return LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )


def _arguments(settings: TrainingSettings, seed: int, output: Path, *, on_cpu: bool) -> SFTConfig:
    return SFTConfig(
        output_dir=str(output),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_length=settings.max_length,
        completion_only_loss=True,
        gradient_checkpointing=settings.gradient_checkpointing,
        bf16=False,  # the model's own dtype rules: Demur opens it in the dtype that was asked for
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        report_to=list(settings.report_to) or "none",
        disable_tqdm=True,
        logging_steps=10,
        seed=seed,
        data_seed=seed,
    )


def _require_finite(trainer: SFTTrainer, stage: str) -> None:
    """A loss that is no number has ruined the weights: say so instead of saving them."""
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if any(loss != loss for loss in losses):
        raise TrainingDataError(
            expected="a finite loss at every step",
            found="a loss that is not a number",
            where=f"training stage {stage}",
            fix="lower training.learning_rate, or train in float32 (model.dtype)",
        )


class _Report(TrainerCallback):  # type: ignore[misc]
    """Passes each step on to a progress bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._seen = progress, 0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer after each optimiser step."""
        self._progress(state.global_step - self._seen)
        self._seen = state.global_step
