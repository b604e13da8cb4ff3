"""Training settings of each method, chosen by `benchmarks/settings.py` on the development seed.

Chosen for each model and method on its own, on training questions alone; see docs/results/settings.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Training = Mapping[str, Any]

BATCH = {"pocket-2": 8, "pocket-reader": 8, "smollm2": 16, "gemma3-270m": 16}
"""Rows of an update, by model."""

_POCKET: dict[str, Training] = {
    "vanilla": {"learning_rate": 1e-4, "epochs": 1},
    "fine-tuned": {"learning_rate": 1e-4, "epochs": 1},
    "absolute": {"learning_rate": 1e-3, "epochs": 1},
    "confidence-num": {"learning_rate": 3e-3, "epochs": 4},
    "confidence-verb": {"learning_rate": 3e-3, "epochs": 4},
    "multisample": {"learning_rate": 3e-4, "epochs": 1},
    "r-tuning": {"learning_rate": 3e-3, "epochs": 2},
    "r-tuning-r": {"learning_rate": 1e-3, "epochs": 4},
    "r-tuning-u": {"learning_rate": 1e-4, "epochs": 4},
    "r-tuning-min-loss": {"learning_rate": 1e-3, "epochs": 2},
    "demur": {"learning_rate": 1e-4, "epochs": 1},  # it is tuned as Vanilla is
    "dose": {"learning_rate": 1e-3, "epochs": 2},  # of known and of unknown facts, alike
}
_STAGES = ("us-tuning-stage1", "us-tuning-plain-qa", "us-tuning-stage2", "us-tuning")
_READER: Training = {"learning_rate": 1e-3}
"""The stages have the epochs of the paper."""

CHOSEN: dict[str, dict[str, Training]] = {
    "pocket-2": _POCKET,
    "pocket-reader": dict.fromkeys(_STAGES, _READER),
}
"""By model and method; rank and everything else as Demur has it."""


def training_of(model: str, method: str) -> dict[str, Any]:
    """The training settings of a method with a model; empty for one that tunes nothing."""
    found = CHOSEN.get(model, {}).get(method)
    return {} if found is None else {"batch_size": BATCH[model], **found}
