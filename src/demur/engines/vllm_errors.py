"""Failures inside vLLM, told to the user: its processes print the cause and die."""

from __future__ import annotations

import os
import re
from typing import IO

from demur.core.errors import DemurError, ModelError, ResourceError

NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|available memory on node|free memory on device"
    r"|no available memory for the cache|larger than the available kv cache|kv cache is needed",
    re.IGNORECASE,
)


def explained(error: Exception, printed: IO[bytes] | None, *, where: str) -> DemurError:
    """The error that tells the user what went wrong inside vLLM.

    Args:
        error: what vLLM raised.
        printed: the file that its processes print into.
        where: the model.
    """
    if isinstance(error, DemurError):
        return error
    causes = _printed_errors(printed) or [f"{type(error).__name__}: {str(error).strip()}"]
    text = "\n".join([str(error), *causes])
    if NO_MEMORY.search(text):
        found = next((cause for cause in causes if NO_MEMORY.search(cause)), causes[-1])
        return ResourceError(
            expected="memory for the model and for the keys and values of its context",
            found=found,
            where=where,
            fix="in model.options set max_model_len lower, or kv_cache_memory_bytes (on a CPU), or "
            "gpu_memory_utilization, or share the model with tensor_parallel_size; or take a smaller model",
        )
    if "are not supported for now" in text or "has no vLLM implementation" in text:
        expected, fix = "a model that vLLM can run", "set model.engine to hf"
    else:
        expected = "vLLM to start and to run the model"
        fix = "correct what it names, check model.options, or set model.engine to hf"
    return ModelError(expected=expected, found=causes[0], where=where, fix=fix)


def _printed_errors(printed: IO[bytes] | None) -> list[str]:
    """The exceptions that vLLM's processes printed, without what vLLM puts before each line."""
    if printed is None:
        return []
    size = os.fstat(printed.fileno()).st_size
    text = os.pread(printed.fileno(), size, 0).decode("utf-8", errors="replace")
    found = re.findall(
        r"(?:\] |^)((?:[a-zA-Z_]\w*\.)*[A-Z]\w*(?:Error|Exception): .+)$", text, re.MULTILINE
    )
    return [line.strip() for line in found if "Engine core initialization failed" not in line]
