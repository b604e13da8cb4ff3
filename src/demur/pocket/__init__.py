"""The pocket world: synthetic people whose facts are known, and tiny models that have read some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demur.core.files import user_cache
from demur.pocket.build import WORLD_FILE, build_model
from demur.pocket.spec import POCKET_1, POCKET_2, POCKET_READER, WorldSpec
from demur.pocket.training import BuildProgress, BuildSettings
from demur.pocket.world import make_world

DEMO_CONFIG = Path(__file__).parent / "demo.yaml"
"""The configuration of `demur demo`."""

BUNDLED_SEED = 0
"""Seed of the models that ship with the package."""


@dataclass(frozen=True, slots=True)
class PocketModel:
    """A kind of pocket model: the world it reads and its shape."""

    world: WorldSpec
    settings: BuildSettings
    bundled: str | None = None
    """Folder inside the package that holds the model of `BUNDLED_SEED`."""


_MEDIUM = BuildSettings(layers=2, epochs=5, batch_size=24, learning_rate=1.4e-3)

POCKET_MODELS: Mapping[str, PocketModel] = {
    "pocket": PocketModel(POCKET_1, BuildSettings(), bundled="model"),
    "pocket-2": PocketModel(POCKET_2, _MEDIUM, bundled="pocket2"),
    "pocket-2-small": PocketModel(
        POCKET_2, dataclasses.replace(_MEDIUM, hidden_size=64, intermediate_size=256, heads=2)
    ),
    "pocket-2-large": PocketModel(
        POCKET_2, dataclasses.replace(_MEDIUM, hidden_size=192, intermediate_size=768, heads=6)
    ),
    "pocket-reader": PocketModel(
        POCKET_READER, BuildSettings(layers=2, epochs=8, batch_size=12), bundled="reader"
    ),
}
"""By the name that ``model.path`` gives them. Their sizes are a ladder; the world of a seed is the same."""


def bundled_model(name: str = "pocket") -> Path:
    """Folder of a pocket model that ships with the package."""
    folder = POCKET_MODELS[name].bundled
    assert folder is not None, f"{name} does not ship with the package"
    return Path(__file__).parent / folder


def is_pocket(path: str) -> bool:
    """Whether a model, by its name or folder, is a pocket model."""
    return path in POCKET_MODELS or (Path(path) / WORLD_FILE).is_file()


def model_folder(seed: int = BUNDLED_SEED, name: str = "pocket", *, cache: Path | None = None) -> Path:
    """Where `ensure_model` finds or puts the pocket model of a seed; nothing is made."""
    if seed == BUNDLED_SEED and POCKET_MODELS[name].bundled:
        return bundled_model(name)
    known_as = POCKET_1.version if name == "pocket" else name
    return (cache or user_cache()) / "pocket" / f"{known_as}-seed-{seed}"


def ensure_model(
    seed: int = BUNDLED_SEED,
    name: str = "pocket",
    *,
    cache: Path | None = None,
    progress: BuildProgress | None = None,
) -> Path:
    """Folder of the pocket model of a seed: the shipped one, a cached one, or one built now and cached.

    Args:
        name: one of `POCKET_MODELS`.
        cache: where built models are kept; by default ``demur`` in the user's cache folder.
    """
    model, folder = POCKET_MODELS[name], model_folder(seed, name, cache=cache)
    if not (folder / "config.json").exists():
        world = make_world(seed, model.world)
        build_model(folder, seed=seed, world=world, settings=model.settings, progress=progress)
    return folder


__all__ = [
    "BUNDLED_SEED",
    "DEMO_CONFIG",
    "POCKET_MODELS",
    "bundled_model",
    "ensure_model",
    "is_pocket",
    "model_folder",
]
