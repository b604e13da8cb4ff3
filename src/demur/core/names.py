"""Names that become files and folders: of systems, training stages, and the datasets of a study.

A name is one part of a path on every file system, also where case does not count. Some names are taken: by
the systems that every run derives, and by the endings of those that read a method's answers in another way.
"""

from __future__ import annotations

import re
from pathlib import Path

from demur.core.errors import RunFolderError
from demur.core.files import PARTIAL_SUFFIX

LONGEST = 64
"""Characters of a name: with what stands around it, it stays far below the 255 bytes of a file name."""
LEARNED = "-learned"
"""Ending of a system that reads a method's signals through a learned combination."""
FIXED = "-fixed"
"""Ending of a system that reads a method's answers by the threshold of its paper."""
DERIVED = ("base", "base-likelihood", "pretrain-w", "familiarity-only")
"""The systems that a run makes of the untuned model."""
RULE = (
    f"1 to {LONGEST} lower-case letters, digits, dots, hyphens and underscores, a letter or digit first, "
    f"not ending in {PARTIAL_SUFFIX!r}"
)

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST - 1}}}")


def is_name(text: object) -> bool:
    """Whether a text may name a file or folder of a run, see `RULE`."""
    return isinstance(text, str) and bool(_NAME.fullmatch(text)) and not text.endswith(PARTIAL_SUFFIX)


def problem(kind: str, text: str) -> str | None:
    """Why a text cannot be a name, with one that can be; None where it is one.

    Args:
        kind: what it would name, such as ``"system"``.
    """
    if is_name(text):
        return None
    near = suggestion(text)
    return f"{text!r} cannot name a {kind}: {RULE}" + (f"; write {near!r}" if near else "")


def group_key(group: str | None) -> str:
    """What a group of questions is called where ``all`` and ``none`` mean all groups and no group.

    A group of such a name, or with an equals sign before its name, gets one more: no two groups are one.
    """
    if not group:
        return "none"
    return f"={group}" if group in ("all", "none") or group.startswith("=") else group


def group_of_key(key: str) -> str:
    """A group's own name, of `group_key`."""
    return key.removeprefix("=")


def require_name(kind: str, name: str, root: Path) -> None:
    """Refuse a name that would lead out of a run folder; a manifest from elsewhere may hold one.

    Args:
        kind: what it names, such as ``"system"``.
        root: the run folder.

    Raises:
        RunFolderError: it is none of the names that a run can have.
    """
    if not is_name(name):
        raise RunFolderError(
            expected=f"the name of a {kind}: {RULE}",
            found=repr(name),
            where=str(root),
            fix="name a system that the run's report shows; a manifest.json that holds such a name was not "
            "written by Demur: do not use its folder",
        )


def suggestion(text: str) -> str | None:
    """The nearest text that may be a name; None where nothing is left of it."""
    words = re.findall(r"[a-z0-9]+(?:[._][a-z0-9]+)*", text.lower().removesuffix(PARTIAL_SUFFIX))
    near = "-".join(words)[:LONGEST]
    return near if is_name(near) else None


def reserved(name: str) -> str | None:
    """What a name is kept for; None where it is free."""
    if name in DERIVED:
        return "a system that every run makes of the untuned model"
    ending = next((ending for ending in (LEARNED, FIXED) if name.endswith(ending)), None)
    return f"systems that read a method's answers in another way (…{ending})" if ending else None


def unread(name: str) -> str:
    """The system whose answers a derived one reads; any other system itself."""
    return name.removesuffix(LEARNED).removesuffix(FIXED)
