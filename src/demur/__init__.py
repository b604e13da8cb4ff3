"""Demur teaches a language model to say "I don't know" when it doesn't, and proves that it does.

Nothing heavy is imported until it is used: ``import demur`` loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demur.answering import Answer, Answerer, load
    from demur.api import probe, run, score, tune
    from demur.config import Config

__version__ = "0.1.1"
__all__ = ["Answer", "Answerer", "Config", "__version__", "load", "probe", "run", "score", "tune"]

_HOMES = {
    **dict.fromkeys(("run", "probe", "tune", "score"), "demur.api"),
    **dict.fromkeys(("Answer", "Answerer", "load"), "demur.answering"),
    "Config": "demur.config",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'demur' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
