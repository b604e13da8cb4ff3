"""Demur teaches a language model to say "I don't know" when it doesn't, and proves that it does.

Nothing heavy is imported until it is used: ``import demur`` loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demur.core.version import __version__

if TYPE_CHECKING:
    from demur.api import probe, run, score, tune
    from demur.ask import Answer, Answerer, load
    from demur.core.config import Config
    from demur.runfolder.finished import FinishedRun, open_run


__all__ = [
    "Answer",
    "Answerer",
    "Config",
    "FinishedRun",
    "__version__",
    "load",
    "open_run",
    "probe",
    "run",
    "score",
    "tune",
]

_HOMES = {
    **dict.fromkeys(("run", "probe", "tune", "score"), "demur.api"),
    **dict.fromkeys(("Answer", "Answerer", "load"), "demur.ask"),
    "Config": "demur.core.config",
    **dict.fromkeys(("FinishedRun", "open_run"), "demur.runfolder.finished"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'demur' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
