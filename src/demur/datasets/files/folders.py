"""The files of a folder, and what the names of files and parts say."""

from __future__ import annotations

import re
from pathlib import Path

from demur.core.records import Domain
from demur.datasets.files.content import SUFFIXES, readable

_SPLIT_WORDS = {
    "calibration": {"calibration", "calib", "cal"},
    "validation": {"validation", "valid", "val", "dev", "eval", "evaluation"},
    "test": {"test", "testing", "heldout", "holdout"},
    "train": {"train", "training"},
}
_PART_WORDS = {"id", "ood", "set", "split"}.union(*_SPLIT_WORDS.values())
_ABOUT = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})
"""What `datasets.save_to_disk` writes beside the data."""


def list_folder(path: Path) -> list[Path] | None:
    """The files of a folder, hidden ones left out; None where ``path`` is no folder.

    Where no question file stands in it, those of the folders in it count: ``data/``, ``train/``, ``test/``.

    Raises:
        DataError: it cannot be read.
    """
    with readable(path):
        if not path.is_dir():
            return None
        entries = [entry for entry in sorted(path.iterdir()) if entry.name[0] not in "._"]
        files = [entry for entry in entries if entry.is_file() and entry.name not in _ABOUT]
        if any(entry.suffix.lower() in SUFFIXES for entry in files):
            return files
        below = [
            entry
            for entry in entries
            if entry.is_dir() and (entry.name == "data" or part_named(entry.name))
        ]
        return files + [file for folder in below for file in list_folder(folder) or ()]


def part_of_file(file: Path, folder: Path) -> tuple[str, Domain] | None:
    """The part that a file's name, or else that of its folder below ``folder``, speaks of."""
    named = part_named(file.name.partition(".")[0])
    return named or (part_named(file.parent.name) if file.parent != folder else None)


def part_named(name: str, *, whole: bool = False) -> tuple[str, Domain] | None:
    """The split and domain that a name speaks of; None where it speaks of none.

    Args:
        name: such as ``train``, ``dev``, ``OOD_test_pararel`` or ``train-00000-of-00001``.
        whole: the name must say nothing else, as in a field that holds the split.
    """
    words = set(re.findall(r"[^\W\d_]+", name.casefold()))
    if whole and not words <= _PART_WORDS:
        return None
    if "ood" in words:
        return "test", "ood"
    split = next((split for split, spellings in _SPLIT_WORDS.items() if words & spellings), None)
    return None if split is None else (split, "id")
