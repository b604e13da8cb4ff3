"""What a folder must not hold whose model is served: files that can run code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from demur.ask.system import System
from demur.core.errors import ModelError

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
"""How the names of files end that run code when they are loaded."""
CONFIGURATIONS = ("config.json", "tokenizer_config.json", "generation_config.json")


def check_contents(system: System) -> None:
    """Refuse to serve from folders with pickles or code of their own, even though neither would be opened.

    Nobody has looked what is in such a folder, and the next program to open it may be less careful. A model
    on the hub is not looked at: of it only safetensors are downloaded.

    Raises:
        ModelError: there are such files; the message names them.
    """
    folders = [Path(system.base).expanduser(), *([system.weights] if system.weights else [])]
    for folder in folders:
        if not folder.is_dir():
            continue
        pickled = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in PICKLES)
        if pickled:
            raise ModelError(
                expected="a model folder with safetensors weights only",
                found=f"pickles, which can run code when they are loaded: {', '.join(pickled[:3])}",
                where=str(folder),
                fix="remove them if model.safetensors is there too; else convert the weights where you "
                "trust them: load the folder with AutoModelForCausalLM, then save_pretrained(NEW_FOLDER)",
            )
        if named := list(_with_code(folder)):
            raise ModelError(
                expected="a model that needs no code of its own",
                found=f"auto_map in {', '.join(named)}, which names Python code to run",
                where=str(folder),
                fix="serve a model that transformers knows; if it knows this one, remove auto_map",
            )


def _with_code(folder: Path) -> Iterator[str]:
    """Names of the configurations that ask for code."""
    for name in CONFIGURATIONS:
        path = folder / name
        if not path.is_file():
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # whoever opens it will say so
            continue
        if isinstance(found, dict) and "auto_map" in found:
            yield name
