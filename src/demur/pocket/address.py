"""Where the base model of a run is."""

from __future__ import annotations

from demur.core.config import Config
from demur.engines import ENGINES
from demur.pocket import POCKET_MODELS, ensure_model, model_folder
from demur.pocket.training import BuildProgress


def base_model(config: Config, *, make: bool = True, progress: BuildProgress | None = None) -> str:
    """The base model's folder, its name on the Hub, or its name at its server.

    A built-in name is the pocket model of the run's seed, by its folder, where weights are read here.

    Args:
        make: make that pocket model where it is missing; otherwise its folder may not be there.
        progress: told how far the making is.
    """
    name = config.model.path
    if name not in POCKET_MODELS or not ENGINES.get(config.model.engine).local:
        return name
    found = ensure_model(config.seed, name, progress=progress) if make else model_folder(config.seed, name)
    return str(found)
