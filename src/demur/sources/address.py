"""Where the base model of a run is. Every command asks here."""

from __future__ import annotations

from pathlib import Path

from demur.core.config import Config
from demur.engines import ENGINES
from demur.pocket import POCKET_MODELS, ensure_model, model_folder
from demur.pocket.training import BuildProgress
from demur.sources.cached import cached_folder, ensure_converted
from demur.sources.header import is_gguf
from demur.sources.known import KNOWN_MODELS, find_known


def base_model(
    config: Config, *, run: Path | None = None, make: bool = True, progress: BuildProgress | None = None
) -> str:
    """The base model's folder, its name on the Hub, or its name at its server.

    Where weights are read here, ``model.path`` is looked at in this order:

    1. a built-in name is the pocket model of the run's seed, by its folder;
    2. a folder stands for itself;
    3. a GGUF file is converted once, and then found in the user's cache folder by its digest;
    4. a name of `KNOWN_MODELS` is a model of the Hub, or its converted package, see `find_known`;
    5. any other name is one on the Hub.

    Args:
        run: a run folder; its tuned models record which source of a known name they were tuned from.
        make: make what is missing; otherwise its folder may not be there, and nothing is an error.
        progress: told how far the making of a pocket model is.

    Raises:
        ModelError: a GGUF file that cannot be converted, or a known name without any source.
        ConfigError: the package that reads GGUF files is not installed.
    """
    name = config.model.path
    if not ENGINES.get(config.model.engine).local:
        return name
    if name in POCKET_MODELS:
        found = (
            ensure_model(config.seed, name, progress=progress) if make else model_folder(config.seed, name)
        )
        return str(found)
    path = Path(name).expanduser()
    if path.is_dir():
        return name
    if is_gguf(path):
        return _converted(path, make=make)
    if name in KNOWN_MODELS:
        return find_known(name, revision=config.model.revision, run=run, require=make)
    return name


def _converted(file: Path, *, make: bool) -> str:
    if make:
        return str(ensure_converted(file))
    return str(cached_folder(file)) if file.is_file() else str(file)
