"""The pocket world: synthetic people whose facts are known, and a tiny model that has read some of them."""

from __future__ import annotations

import os
from pathlib import Path

from demur.pocket.build import BuildProgress, build_model

DEMO_CONFIG = Path(__file__).parent / "demo.yaml"
"""The configuration of `demur demo`."""

BUNDLED_SEED = 0
"""Seed of the model that ships with the package."""


def bundled_model() -> Path:
    """Folder of the pocket model that ships with the package."""
    return Path(__file__).parent / "model"


def ensure_model(
    seed: int = BUNDLED_SEED, *, cache: Path | None = None, progress: BuildProgress | None = None
) -> Path:
    """Folder of the pocket model of a seed: the shipped one, a cached one, or one built now and cached.

    Args:
        cache: where built models are kept; by default ``demur`` in the user's cache folder.
    """
    if seed == BUNDLED_SEED:
        return bundled_model()
    folder = (cache or _user_cache()) / "pocket" / f"pocket-1-seed-{seed}"
    if not (folder / "config.json").exists():
        build_model(folder, seed=seed, progress=progress)
    return folder


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "demur"


__all__ = ["BUNDLED_SEED", "DEMO_CONFIG", "bundled_model", "ensure_model"]
