"""What a folder that is shared may hold: weights as safetensors, settings as JSON, a tokenizer, a card.

No pickles, no code, and nothing that says where on a machine anything lay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demur.core.errors import RunFolderError
from demur.core.files import read_object, write_json
from demur.core.layout import CARD, README
from demur.core.trust import names_code
from demur.runfolder.card import holds_weights
from demur.share.subject import Base
from demur.signals.fitted import SETTINGS

NAMES = frozenset({README, "LICENSE", "LICENSE.txt", "NOTICE", ".gitattributes", "chat_template.jinja"})
SUFFIXES = frozenset({".safetensors", ".json"})
TOKENIZERS = frozenset({"tokenizer.model", "spiece.model", "merges.txt", "vocab.txt"})
"""Parts of a tokenizer that are neither, none of which can run anything."""
ADDRESS_FILES = ("adapter_config.json", "config.json", "tokenizer_config.json", CARD)
ADDRESS_KEYS = ("base_model_name_or_path", "base_model", "_name_or_path", "name_or_path")
"""Where libraries, and Demur, note what a model was made from."""

_LOCAL = re.compile(r"(?:/|~|[A-Za-z]:\\|\\\\)")


def mend(folder: Path, base: Base) -> list[str]:
    """Put the base model's public name wherever a file of the folder says where it came from.

    Returns:
        What was changed, as ``FILE: FIELD``.
    """
    changed: list[str] = []
    for name in ADDRESS_FILES:
        file = folder / name
        if not file.is_file():
            continue
        values = _read(file)
        wrong = [key for key in ADDRESS_KEYS if values.get(key) not in (None, base.public)]
        if wrong:
            write_json(file, values | dict.fromkeys(wrong, base.public))
            changed += [f"{name}: {key}" for key in wrong]
    return changed


def check(folder: Path, *, fitted: bool = False) -> None:
    """Refuse a folder that is not fit to be shared, naming everything that is wrong.

    Args:
        fitted: it holds what was fitted to a model's answers, and that model only where it was tuned.

    Raises:
        RunFolderError: it lacks something that asking the model needs, or holds what should not go out.
    """
    lacking = [*(_missing_of_fit(folder) if fitted else ())]
    if holds_weights(folder) or not fitted:
        lacking += _missing(folder)
    problems = [*lacking, *_foreign(folder), *_addresses(folder)]
    if problems:
        raise RunFolderError(
            expected="a model folder of safetensors and JSON, with all that asking it needs",
            found="\n          ".join(problems),
            where=str(folder),
            fix="move what does not belong there elsewhere; where something is missing or wrong, make the "
            "model anew with `demur train`",
        )


def files_of(folder: Path) -> list[Path]:
    """The files of a model folder that may be shared, sorted by name."""
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _may_go_out(path)]


def brings_code(folder: Path) -> list[str]:
    """The files whose settings send a library to code that comes with a model (``auto_map``)."""
    return [file.name for file in sorted(folder.glob("*.json")) if names_code(file)]


def _may_go_out(path: Path) -> bool:
    return path.suffix in SUFFIXES or path.name in NAMES | TOKENIZERS


def _missing(folder: Path) -> Iterator[str]:
    if not any(folder.glob("*.safetensors")):
        yield "no weights (*.safetensors)"
    if not any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
        yield "neither config.json nor adapter_config.json"
    if not any((folder / name).is_file() for name in ("tokenizer.json", *TOKENIZERS, "vocab.json")):
        yield "no tokenizer"
    if not (folder / CARD).is_file():
        yield f"no {CARD}, which holds the prompts and the threshold"


def _missing_of_fit(folder: Path) -> Iterator[str]:
    yield from (f"no {name}" for name in (SETTINGS, CARD) if not (folder / name).is_file())


def _foreign(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield f"a folder: {path.name}"
        elif not _may_go_out(path):
            yield f"neither safetensors nor JSON: {path.name}"


def _addresses(folder: Path) -> Iterator[str]:
    for name in ADDRESS_FILES:
        file = folder / name
        if file.is_file():
            keys = [key for key, value in _read(file).items() if _is_path(key, value)]
            yield from (f"a path of this machine: {name}: {key}" for key in keys)


def _is_path(key: str, value: Any) -> bool:
    """Whether a setting with the name of an address holds a place on a machine."""
    named = any(word in key for word in ("path", "base_model", "file", "dir"))
    return named and isinstance(value, str) and _LOCAL.match(value) is not None


def _read(file: Path) -> Any:
    return read_object(file)
