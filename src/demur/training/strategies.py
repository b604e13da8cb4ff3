"""Ways to train in several processes: accelerate's configurations, checked before the work and after.

Where a device lacks the strategy asked for, accelerate takes another without a word (FSDP on a CPU becomes
DDP). So what a strategy needs is asked beforehand, and what really ran is looked up in the trainer.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from demur.core.config import STRATEGIES, LaunchSettings, TrainingSettings
from demur.core.errors import ConfigError, TrainingError
from demur.engines.loading import check_quantize
from demur.training.plan import divide

FOLDER = Path(__file__).parent / "accelerate"
KINDS = {"FSDP": "fsdp", "DEEPSPEED": "deepspeed"}
"""accelerate's types by our names; those that begin with MULTI_ are ``ddp``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How training is divided among processes."""

    kind: str
    """``ddp``, ``fsdp`` or ``deepspeed``."""
    config: Path
    """accelerate's configuration."""
    processes: int


def find_strategy(settings: LaunchSettings, device: torch.device) -> Strategy | None:
    """The strategy that settings name, None for one process.

    Raises:
        ConfigError: this machine or the configuration cannot carry it out.
    """
    if settings.strategy is None:
        return None
    shipped = settings.strategy in STRATEGIES
    config = FOLDER / f"{settings.strategy}.yaml" if shipped else Path(settings.strategy).expanduser()
    values = read_accelerate(config)
    kind = _kind(values, config)
    _check_device(kind, device)
    count = settings.processes or (values.num_processes if values.num_processes > 0 else None)
    return Strategy(kind=kind, config=config, processes=_processes(count, device))


def check(stages: Mapping[str, TrainingSettings], device: torch.device) -> Strategy | None:
    """Look, before any work, whether a system's stages can be trained as their settings say.

    Returns:
        How they are divided among processes, None for one process.

    Raises:
        ConfigError: they cannot.
    """
    _require_equal(stages)
    strategy = None
    for settings in stages.values():
        check_quantize(settings.quantize)
        strategy = find_strategy(settings.launch, device)
        if strategy is not None:
            divide(settings, strategy.processes)
            if settings.quantize != "none" and strategy.kind != "ddp":
                raise ConfigError(
                    expected="quantized weights in one process, or in several with ddp",
                    found=f"training.quantize {settings.quantize} with {strategy.kind}, which divides them",
                    where="training.launch.strategy",
                    fix="use ddp, or leave out training.quantize",
                )
    return strategy


def _require_equal(stages: Mapping[str, TrainingSettings]) -> None:
    """One stage goes on from what another has tuned, so some settings hold for all of them."""
    for name in ("launch", "lora", "quantize"):
        values = {stage: getattr(settings, name) for stage, settings in stages.items()}
        if len(set(map(str, values.values()))) > 1:
            raise ConfigError(
                expected=f"one value of training.{name} for all stages of a system",
                found=", ".join(f"{stage}: {value}" for stage, value in values.items()),
                where="stages",
                fix=f"set training.{name} once, for the whole system (overrides), not by stage",
            )


def read_accelerate(path: Path) -> Any:
    """An accelerate configuration, by accelerate's own parser.

    Raises:
        ConfigError: it is none.
    """
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        return load_config_from_file(str(path))
    except Exception as error:  # accelerate raises whatever the file leads it to
        raise ConfigError(
            expected="a configuration that accelerate reads (`accelerate config` asks for one)",
            found=str(error) or type(error).__name__,
            where=str(path),
            fix=f"correct the file, or use one of: {', '.join(STRATEGIES)}",
        ) from error


def what_ran(trainer: Any) -> dict[str, Any]:
    """What a trainer that has begun really does: kind, accelerate's type, wrapper, processes, backend."""
    wrapped = trainer.model_wrapped
    accelerator = trainer.accelerator
    distributed = torch.distributed.is_initialized()
    plugin = getattr(accelerator.state, "deepspeed_plugin", None)
    return {
        "kind": _kind_of(wrapped, accelerator.distributed_type.value),
        "distributed_type": accelerator.distributed_type.value,
        "wrapped_by": type(wrapped).__name__,
        "zero_stage": None if plugin is None else plugin.zero_stage,
        "processes": torch.distributed.get_world_size() if distributed else 1,
        "backend": torch.distributed.get_backend() if distributed else None,
        "device": accelerator.device.type,
    }


def require_ran(asked: Strategy, found: dict[str, Any]) -> None:
    """Refuse training that is not what was asked for.

    Raises:
        TrainingError: it is something else.
    """
    if (found["kind"], found["processes"]) != (asked.kind, asked.processes):
        raise TrainingError(
            expected=f"training by {asked.kind} in {asked.processes} processes",
            found=f"{found['kind'] or 'no distribution'} in {found['processes']} processes "
            f"({found['distributed_type']}, the model is a {found['wrapped_by']})",
            where=str(asked.config),
            fix="choose a strategy that these devices have: ddp runs everywhere",
        )


def _kind_of(wrapped: Any, distributed_type: str) -> str | None:
    """The strategy by the object that holds the model, whatever its name says."""
    from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel
    from torch.nn.parallel import DistributedDataParallel

    if isinstance(wrapped, DistributedDataParallel):
        return "ddp"
    if isinstance(wrapped, FSDPModule | FullyShardedDataParallel):
        return "fsdp"
    engine = type(wrapped).__module__.startswith("deepspeed")
    return "deepspeed" if engine and distributed_type == "DEEPSPEED" else None


def _kind(values: Any, path: Path) -> str:
    """Our name of a configuration's strategy; refuses what Demur does not divide by."""
    name = values.distributed_type.value
    kind = "ddp" if name.startswith("MULTI_") else KINDS.get(name)
    problems = []
    if kind is None:
        problems.append(f"distributed_type {name}")
    if values.num_machines > 1:
        problems.append(f"num_machines {values.num_machines}")
    if values.parallelism_config:
        problems.append("parallelism_config")
    if problems or kind is None:
        raise ConfigError(
            expected="one machine, and rows divided among its processes (MULTI_GPU, FSDP or DEEPSPEED)",
            found=", ".join(problems),
            where=str(path),
            fix=f"take one of: {', '.join(STRATEGIES)}; or export the training data for another trainer "
            "with `demur export`",
        )
    return kind


def _check_device(kind: str, device: torch.device) -> None:
    if device.type == "mps" or (device.type == "cpu" and kind != "ddp"):
        raise ConfigError(
            expected=f"devices on which accelerate knows {kind}",
            found=f"{device.type}, where it would quietly do something else",
            where="training.launch.strategy",
            fix="train in one process" if device.type == "mps" else "use ddp on a CPU",
        )
    if device.index:
        raise ConfigError(
            expected="no device by number beside several processes, which take one each",
            found=str(device),
            where="model.device",
            fix="leave model.device at auto; CUDA_VISIBLE_DEVICES says which devices may be used",
        )
    if kind == "deepspeed" and importlib.util.find_spec("deepspeed") is None:
        raise ConfigError(
            expected="the package deepspeed",
            found="it is not installed",
            where="training.launch.strategy",
            fix="pip install deepspeed, or use fsdp, which needs nothing more",
        )


def _processes(count: int | None, device: torch.device) -> int:
    """How many processes: as said, else one a device; never more than there are devices."""
    devices = torch.cuda.device_count() if device.type == "cuda" else None
    count = count or devices
    if count is None or count < 2 or (devices is not None and count > devices):
        raise ConfigError(
            expected="two or more processes, at most one for each device",
            found="no number of them"
            if count is None
            else f"{count} processes"
            if devices is None or count > devices
            else f"{devices} device",
            where="training.launch.processes",
            fix="say how many (--processes 2), or leave the strategy out for one process",
        )
    return count
