"""What is known of a run's model without its weights, and whether they are here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from demur.core.errors import ConfigError, DemurError
from demur.engines import ENGINES, Opening
from demur.pipeline.dryrun.formulas import BYTES
from demur.pipeline.dryrun.shapes import SHAPES
from demur.pipeline.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model's size and place."""

    parameters: int
    device: str
    weight_bytes: float
    layers: int
    hidden: int


def model_of(job: Job, assumed: list[str]) -> Model:
    """The model itself, else its public shape.

    Raises:
        ConfigError: a server has the model.
        DemurError: it cannot be used, and its public shape is not known.
    """
    path, engine = job.config.model.path, job.config.model.engine
    if not ENGINES.get(engine).local:
        raise ConfigError(
            expected="a model whose weights this machine reads, to say what a run takes",
            found=f"the engine {engine!r}, whose server does the work",
            where="model.engine",
            fix="leave --dry-run out, and set data.limit for a trial",
        )
    try:
        return _opened(job.opening)
    except DemurError:
        shape = SHAPES.get(path)
        if shape is None:
            raise
        assumed.append(f"the public shape of {path}: its files are not at hand")
        kind = {"auto": 2.0}.get(job.config.model.dtype, BYTES.get(job.config.model.dtype, 4.0))
        return Model(
            parameters=shape.parameters,
            device="cpu",
            weight_bytes=kind,
            layers=shape.layers,
            hidden=shape.hidden,
        )


def _opened(opening: Opening) -> Model:
    """Parameters, from the model's configuration alone, and where it would run."""
    from demur.engines.loading import load_config, pick_device, pick_dtype
    from demur.engines.precision import count_parameters

    device, config = pick_device(opening.device), load_config(opening)
    # Of tuning, which takes the most memory; it is the same as of answering, or larger
    dtype = str(pick_dtype(opening.dtype, device)).removeprefix("torch.")
    text = config.get_text_config(decoder=True)
    return Model(
        parameters=count_parameters(config, opening),
        device=str(device),
        weight_bytes=BYTES.get(dtype, 4.0),
        layers=int(getattr(text, "num_hidden_layers", 0) or 0),
        hidden=int(getattr(text, "hidden_size", 0) or 0),
    )


def weights_here(opening: Opening) -> bool:
    """Whether a model's weights are on this machine: a folder, or in the cache of the hub."""
    from huggingface_hub import try_to_load_from_cache

    if Path(opening.path).expanduser().is_dir():
        return True
    names = ("model.safetensors", "model.safetensors.index.json")
    found = (try_to_load_from_cache(str(opening.path), name, revision=opening.revision) for name in names)
    return any(isinstance(file, str) for file in found)
