"""Opening the engine that the settings name, on a base model or on what was tuned from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import ModelSettings
from demur.engines import ENGINES, Engine


def open_engine(
    settings: ModelSettings,
    *,
    base: str,
    tuned: Path | None = None,
    engine: str | None = None,
    **more: Any,
) -> Engine:
    """Open the base model, or a tuned one.

    Args:
        base: the base model's folder, hub name, or name at its server.
        tuned: folder of an adapter to put on it, or of whole weights in its place; None for the base model.
            An engine that asks a server takes no notice: there the name says which model is meant.
        engine: another engine than that of the settings, whose options are then not its own.
        more: what only that engine's `open` takes.

    Raises:
        ModelError: it cannot be opened; the message says why and what to do.
    """
    kind = ENGINES.get(engine or settings.engine)
    tuned = tuned if kind.local else None
    adapter = tuned if tuned and (tuned / "adapter_config.json").exists() else None
    path = str(tuned) if tuned and not adapter else base
    options: Mapping[str, Any] = settings.options if engine in (None, settings.engine) else {}
    return kind.open(
        path,
        adapter=adapter,
        dtype=settings.dtype,
        device=settings.device,
        format=settings.format,
        batch_size=settings.batch_size,
        revision=settings.revision if path == base else None,
        trust_remote_code=settings.trust_remote_code,
        endpoint=settings.endpoint,
        options=options,
        **more,
    )
