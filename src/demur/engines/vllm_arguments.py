"""What vLLM is opened with: engine arguments from settings and options, and an adapter."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError, ModelError, UnknownNameError
from demur.engines.loading import Source

CPU_CACHE_BYTES = 2**30
"""Keys and values on a CPU, unless an option or ``VLLM_CPU_KVCACHE_SPACE`` says otherwise; vLLM itself
would take most of the machine's memory."""

ADAPTER_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The room for an adapter's rank that vLLM can be opened with."""

RESERVED = {
    "model": "model.path",
    "tokenizer": "model.path",
    "revision": "model.revision",
    "dtype": "model.dtype",
    "trust_remote_code": "model.trust_remote_code",
    "max_num_seqs": "model.batch_size",
    "enable_lora": None,
    "generation_config": None,
    "logprobs_mode": None,
}
"""vLLM's arguments that are not options: the setting each one follows, None where it is fixed."""


def require_vllm() -> None:
    """Raise where the package is not there."""
    if importlib.util.find_spec("vllm") is None:
        raise ConfigError(
            expected="vLLM in this Python environment, since model.engine is vllm",
            found="no package vllm",
            where="model.engine",
            fix="`pip install vllm` where there is a GPU, see docs/engines.md for machines without one; or "
            "set model.engine to hf",
        )
    # Read when vLLM is imported. Errors are what the cause of a failure is found in.
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")


def default_arguments() -> dict[str, Any]:
    """What Demur sets unless an option says otherwise."""
    from vllm.platforms import current_platform

    shared = {"max_model_len": -1}  # the model's context, or as much of it as the memory holds
    if not current_platform.is_cpu():
        return shared
    return {**shared, "enforce_eager": True, "kv_cache_memory_bytes": CPU_CACHE_BYTES}


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if vLLM knows them and no other setting is meant for them.

    Raises:
        UnknownNameError: an argument that vLLM does not have.
        ConfigError: one that has a setting of its own, or must not be changed.
    """
    from vllm import EngineArgs

    known = {field.name for field in dataclasses.fields(EngineArgs)} - RESERVED.keys()
    for name in options:
        if name in RESERVED:
            setting = RESERVED[name]
            raise ConfigError(
                expected="engine arguments of vLLM that have no setting of their own",
                found=name,
                where="model.options",
                fix=f"set {setting} instead" if setting else "take it out: the engine depends on it",
            )
        if name not in known:
            raise UnknownNameError("engine argument of vLLM", name, known, where="model.options")
    return dict(options)


def dtype_name(dtype: str, device: str) -> str:
    """The name of the weights' type, on the one kind of device that vLLM was built for."""
    from vllm.platforms import current_platform

    if device not in ("auto", current_platform.device_type):
        raise ConfigError(
            expected=f"auto or {current_platform.device_type}, for which the installed vLLM was built",
            found=repr(device),
            where="model.device",
            fix="use 'auto'; to choose among several GPUs set CUDA_VISIBLE_DEVICES",
        )
    known = [str(kind).removeprefix("torch.") for kind in current_platform.supported_dtypes]
    if dtype == "auto":
        return "float32" if current_platform.is_cpu() else known[0]
    if dtype not in known:
        raise ConfigError(
            expected=f"auto, {', '.join(known)}", found=repr(dtype), where="model.dtype", fix="use 'auto'"
        )
    return dtype


def room_for(adapter: Path) -> dict[str, Any]:
    """Engine arguments for an adapter of its rank.

    Raises:
        ModelError: it is no adapter that vLLM can apply.
    """
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    rank = max([settings.get("r") or 0, *(settings.get("rank_pattern") or {}).values()])
    room = next((room for room in ADAPTER_RANKS if rank <= room), None)
    if settings.get("peft_type") != "LORA" or room is None:
        raise ModelError(
            expected=f"a LoRA adapter of rank {ADAPTER_RANKS[-1]} or less, which vLLM can apply",
            found=f"{settings.get('peft_type')} of rank {rank}",
            where=str(adapter),
            fix="set model.engine to hf, which merges adapters into the weights",
        )
    return {"enable_lora": True, "max_lora_rank": room}


def loaded_adapter(llm: Any, source: Source) -> Any:
    """The request for a source's adapter, loaded now so that one that does not fit is found now."""
    if source.adapter is None:
        return None
    from vllm.lora.request import LoRARequest

    request = LoRARequest(source.adapter.name, 1, str(source.adapter.resolve()))
    llm.llm_engine.add_lora(request)
    return request
