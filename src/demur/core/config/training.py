"""How a model is tuned."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from demur.core.config.section import Names, Positive, Section, Share, unknown

STRATEGIES = ("ddp", "fsdp", "deepspeed", "deepspeed-zero3")
"""Ways to train in several processes; each is an accelerate configuration in `training/accelerate/`."""


class LaunchSettings(Section):
    """Whether the training stages run in several processes, and how; accelerate starts them."""

    strategy: str | None = Field(
        None,
        description="ddp, fsdp (FSDP2), deepspeed (ZeRO-2), deepspeed-zero3, or the path of an accelerate "
        "configuration; left out: one process",
    )
    processes: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="how many; left out: as the configuration says, else one for each device",
    )

    @pydantic.field_validator("strategy")
    @classmethod
    def _known_or_a_file(cls, value: str | None) -> str | None:
        if value is not None and value not in STRATEGIES and not value.endswith((".yaml", ".yml", ".json")):
            raise ValueError(unknown("strategy or accelerate configuration (.yaml)", value, STRATEGIES))
        return value

    @pydantic.model_validator(mode="after")
    def _processes_need_a_strategy(self) -> LaunchSettings:
        if self.processes is not None and self.strategy is None:
            raise ValueError("processes need a strategy beside them, such as ddp")
        return self


class TrainingSettings(Section):
    """How a model is tuned (TRL's SFTTrainer, PEFT's LoRA)."""

    launch: LaunchSettings = LaunchSettings()
    """In several processes, where a strategy is named."""
    lora: bool = Field(True, description="LoRA; off means every weight is tuned")
    lora_rank: Positive = Field(8, description="rank of the LoRA matrices")
    lora_alpha: Positive = Field(16, description="scale of the LoRA update")
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="dropout inside LoRA")
    lora_targets: tuple[str, ...] | Literal["all-linear"] = Field(
        "all-linear", description="modules that get LoRA matrices"
    )
    quantize: Literal["none", "4bit", "8bit"] = Field(
        "none",
        description="QLoRA: hold frozen weights in 4 or 8 bits while the adapter is tuned (bitsandbytes)",
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-4, description="highest learning rate")
    scheduler: str = Field("linear", description="shape of the learning rate, a name transformers knows")
    warmup: Share = Field(0.05, description="share of the steps over which the learning rate rises")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="AdamW's weight decay")
    epochs: Annotated[float, Field(gt=0)] = Field(1.0, description="passes over the training rows")
    max_steps: Annotated[int, Field(gt=0)] | None = Field(None, description="stop after so many steps")
    batch_size: Positive = Field(
        4, description="rows that a process reads at once; with accumulate, the rows of an update"
    )
    accumulate: Positive = Field(
        1,
        description="an update takes batch_size x accumulate rows, in all processes together",
    )
    max_length: Positive | None = Field(None, description="cut rows to so many tokens; none by default")
    gradient_checkpointing: bool = Field(False, description="less memory for more time")
    save_steps: Positive = Field(500, description="steps between checkpoints to resume from")
    report_to: Names = Field((), description="trackers: wandb, tensorboard, mlflow, …")

    @pydantic.model_validator(mode="after")
    def _quantised_weights_stay_frozen(self) -> TrainingSettings:
        if self.quantize != "none" and not self.lora:
            raise ValueError("quantize needs lora: weights in few bits cannot be tuned themselves")
        return self
