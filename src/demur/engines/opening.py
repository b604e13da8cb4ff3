"""Opening the engine that the settings name, on a base model or on what was tuned from it."""

from __future__ import annotations

from pathlib import Path

from demur.core.config import ModelSettings
from demur.engines import ENGINES, Engine, Opening
from demur.engines.precision import Precision, automatic, count_parameters


def opening_of(
    settings: ModelSettings,
    *,
    base: str,
    tuned: Path | None = None,
    engine: str | None = None,
    quantize: str = "none",
) -> Opening:
    """What the settings of a model say of opening it.

    All code that opens a model of a run, or a part of one such as its tokenizer, goes through here: nothing
    else gives code that comes with a model the permission to run.

    Args:
        base: the base model's folder, hub name, or name at its server.
        tuned: folder of an adapter to put on it, or of whole weights in its place; None for the base model.
            An engine that asks a server takes no notice: there the name says which model is meant.
        engine: another engine than that of the settings, whose options are then not its own.
        quantize: see `Opening`.
    """
    if tuned is not None and not ENGINES.get(engine or settings.engine).local:
        tuned = None
    adapter = tuned if tuned and (tuned / "adapter_config.json").exists() else None
    path = str(tuned) if tuned and not adapter else base
    return Opening(
        path,
        adapter=adapter,
        dtype=settings.dtype,
        device=settings.device,
        format=settings.format,
        batch_size=settings.batch_size,
        revision=settings.revision if path == base else None,
        trust_remote_code=settings.trust_remote_code,
        endpoint=settings.endpoint,
        options=settings.options if engine in (None, settings.engine) else {},
        quantize=quantize,
    )


def open_engine(
    settings: ModelSettings,
    *,
    base: str,
    tuned: Path | None = None,
    engine: str | None = None,
    quantize: str = "none",
) -> Engine:
    """Open the base model, or a tuned one; the arguments are those of `opening_of`.

    Raises:
        ModelError: it cannot be opened; the message says why and what to do.
        ConfigError: a setting that the engine cannot follow.
    """
    kind = ENGINES.get(engine or settings.engine)
    return kind.open(opening_of(settings, base=base, tuned=tuned, engine=engine, quantize=quantize))


def settle_dtype(settings: ModelSettings, *, base: str) -> Precision | None:
    """What ``dtype: auto`` means for the base model on this machine.

    Returns:
        None where another dtype is set, or whoever computes decides: another engine than transformers, or
        workers on other machines.

    Raises:
        ModelError: the model's configuration cannot be read.
        ConfigError: a device that does not exist here.
    """
    here = settings.identity()["engine"] == "hf" and "address" not in settings.options
    if settings.dtype != "auto" or not here:
        return None
    from demur.engines.loading import load_config, pick_device

    opening = opening_of(settings, base=base)
    parameters = count_parameters(load_config(opening), opening)
    return automatic(pick_device(opening.device), parameters=parameters)


def check_engine(settings: ModelSettings, *, base: str) -> None:
    """Look whether the base model can be opened, without reading its weights.

    Raises:
        ModelError: it cannot; the message says why.
        ConfigError: a setting that the engine cannot follow.
    """
    ENGINES.get(settings.engine).check(opening_of(settings, base=base))
