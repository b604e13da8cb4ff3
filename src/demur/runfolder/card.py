"""``demur.json`` beside tuned weights: all that asking the model needs, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.core import layout
from demur.core.errors import ModelError, RunFolderError
from demur.core.files import read_object
from demur.runfolder.shapes import Recalibrated, is_combination, is_number, problem

JsonObject = dict[str, Any]
CARD_TYPES = {"method": str, "base_model": str, "threshold": dict, "template": dict, "learned": dict}
"""What in a ``demur.json`` has which type, where it is there."""
MODEL_KEYS = ("method", "base_model", "format", "stop", "max_new_tokens", "threshold")
"""What it needs where no run lies around it."""


def holds_weights(folder: Path) -> bool:
    """Whether a model folder holds an adapter or whole weights; else only what was fitted."""
    return any((folder / name).is_file() for name in ("adapter_config.json", "config.json"))


def read_card(folder: Path, *needs: str) -> JsonObject:
    """The ``demur.json`` of a tuned model's folder: all that asking it needs.

    Args:
        needs: what it must hold, by name.

    Raises:
        ModelError: there is none that can be read, or something in it is missing or of another type.
    """
    try:
        card = read_object(folder / layout.CARD)
        if wrong := _wrong(card, needs):
            raise ValueError(f"no valid {', '.join(wrong)}")
    except (OSError, ValueError, RunFolderError) as error:
        raise ModelError(
            expected=f"a model folder with its {layout.CARD}",
            found=error.found if isinstance(error, RunFolderError) else str(error),
            where=str(folder / layout.CARD),
            fix="give the run's folder, or a model folder as `demur run` wrote it",
        ) from error
    return card


def _wrong(card: Mapping[str, Any], needs: Sequence[str]) -> list[str]:
    """What is missing in a card or of another type."""
    types = {name: kind for name, kind in CARD_TYPES.items() if name in card or name in needs}
    missing = [name for name in needs if name not in card and name not in types]
    wrong = [name for name, kind in types.items() if not isinstance(card.get(name), kind)] + missing
    return wrong or [*_wrong_inside(card)]


def _wrong_inside(card: Mapping[str, Any]) -> Iterator[str]:
    """What is of another type below the keys of a card."""
    threshold = card.get("threshold", {})
    if "value" in threshold and not is_number(threshold["value"]):
        yield "threshold.value"
    for name, text in (("revision", str), ("format", str), ("max_new_tokens", int)):
        if card.get(name) is not None and type(card[name]) is not text:
            yield name
    stop = card.get("stop", [])
    if not isinstance(stop, list) or not all(isinstance(text, str) for text in stop):
        yield "stop"
    if "recalibration" in card and problem(Recalibrated, card["recalibration"]):
        yield "recalibration"
    for system, reading in card.get("learned", {}).items():
        if not isinstance(reading, dict) or not is_number(reading.get("threshold", 0.5)):
            yield f"learned.{system}"
        elif not is_combination(reading.get("combination")):
            yield f"learned.{system}.combination"
