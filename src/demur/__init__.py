"""Demur teaches a language model to say "I don't know" when it doesn't, and proves that it does.

Nothing heavy is imported until it is used: ``import demur`` loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demur.api import probe, run
    from demur.config import Config

__version__ = "0.1.0"
__all__ = ["Config", "__version__", "probe", "run"]

_HOMES = {"run": "demur.api", "probe": "demur.api", "Config": "demur.config"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'demur' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
