"""Supervised tuning: a thin launcher over TRL's SFTTrainer and PEFT's LoRA."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import LoraConfig, prepare_model_for_kbit_training
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer
from trl.trainer import utils as trl_utils

from demur.core.config import TrainingSettings
from demur.core.errors import TrainingDataError
from demur.core.stopping import finishing
from demur.training.checkpoints import MarkComplete, last_complete
from demur.training.dividing import DividedTrainer
from demur.training.plan import TokenisedRow, divide

SMALL = 5_000_000
"""Parameters below which a model trains on one thread."""


def prepare(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    *,
    settings: TrainingSettings,
    arguments: SFTConfig,
    callbacks: Sequence[TrainerCallback] = (),
) -> SFTTrainer:
    """A trainer for a model; it holds the tuned one after `fit` (a PEFT model where LoRA is on).

    Args:
        model: changed in place. An adapter that it has is tuned further.
        rows: with the fields of `TokenisedRow`; the loss falls on their completions only.
        arguments: of `arguments`.
    """
    if settings.quantize != "none" and not hasattr(model, "peft_config"):
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=settings.gradient_checkpointing
        )
    trainer = (DividedTrainer if arguments.world_size > 1 else SFTTrainer)(
        model=model,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=_new_adapter(model, settings),
        callbacks=[MarkComplete(), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)  # it would print the log where the trainer's bar is off
    return trainer


def fit(trainer: SFTTrainer) -> None:
    """Train, from the last whole checkpoint of the same job on.

    Raises:
        TrainingDataError: the loss became no number.
        Stopped: somebody asked to stop; a checkpoint was made.
    """
    with PartialState().main_process_first():  # unfinished ones are deleted
        checkpoint = last_complete(Path(trainer.args.output_dir))
    with finishing(), _head_where_loss_falls(), _few_threads(trainer.model):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _require_finite(trainer)


@contextlib.contextmanager
def _few_threads(model: torch.nn.Module) -> Iterator[None]:
    """One thread for a model so small that more gain it nothing.

    They only wait for each other then, and far longer where another process has one of the cores: on four
    busy ones the pocket model was seen to train six times slower than with one.
    """
    threads = torch.get_num_threads()
    if sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def dataset(rows: Sequence[TokenisedRow]) -> Dataset:
    """The rows as the trainer takes them."""
    return Dataset.from_dict(
        {
            "input_ids": [row.input_ids for row in rows],
            "completion_mask": [row.completion_mask for row in rows],
        }
    )


def arguments(
    settings: TrainingSettings,
    *,
    seed: int,
    output: Path,
    on_cpu: bool,
    processes: int = 1,
    bf16: bool = False,
) -> SFTConfig:
    """TRL's arguments.

    Where this is one of several processes, making them joins the others: to be done before the model is
    opened, since FSDP and DeepSpeed look at it then.

    Args:
        output: folder for checkpoints.
        processes: how many train together.
        bf16: left off, the model's own dtype rules: Demur opens it in the dtype that was asked for.
    """
    at_once, accumulate = (
        (settings.batch_size, settings.accumulate) if processes == 1 else divide(settings, processes)
    )
    return SFTConfig(
        output_dir=str(output),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_length=settings.max_length,
        completion_only_loss=True,
        gradient_checkpointing=settings.gradient_checkpointing,
        bf16=bf16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        ddp_find_unused_parameters=False if processes > 1 else None,  # every row goes through every weight
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        report_to=list(settings.report_to) or "none",
        disable_tqdm=True,
        logging_steps=10,
        seed=seed,
        data_seed=seed,
    )


@contextlib.contextmanager
def _head_where_loss_falls() -> Iterator[None]:
    """Let TRL compute the output layer on a CPU, too, only where loss falls.

    It does so where Triton runs, and elsewhere at every position, for compilers that want equal shapes. The
    result is the same; with a large vocabulary and loss on one word of a row, most of the work is saved.
    """
    before = trl_utils._use_triton
    trl_utils._use_triton = lambda device: device.type == "cpu" or before(device)
    try:
        yield
    finally:
        trl_utils._use_triton = before


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


def _require_finite(trainer: SFTTrainer) -> None:
    """A loss that is no number has ruined the weights: say so instead of saving them."""
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if any(loss != loss for loss in losses):
        raise TrainingDataError(
            expected="a finite loss at every step",
            found="a loss that is not a number",
            where=f"training stage {Path(trainer.args.output_dir).name}",
            fix="lower training.learning_rate, or train in float32 (model.dtype)",
        )
