"""The templates of cards, filled in, and what of a machine no card may say.

A card is a Jinja template without HTML escaping. Whatever it puts in place is escaped as plain text, unless
it is `Markdown`, which only `demur.core.markdown` makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from demur.core.markdown import Markdown, code, fenced, plain

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_FOLDERS = re.compile(
    r"""(?<![\w.:/\\~-])               # where a path begins
        (?:[A-Za-z]:[/\\]|~[\w-]*[/\\]|(?:\.\.[/\\])+|[/\\])
        (?:[^\s'",;=\[\]{}()/\\]+[/\\])*""",
    re.VERBOSE,
)


def without_places(text: str, names: Iterable[tuple[str, str]] = ()) -> str:
    """A command or message without addresses and without the folders that files lay in.

    Args:
        names: what known paths are to be called.
    """
    for path, name in sorted(names, key=lambda pair: -len(pair[0])):
        text = text.replace(path, name)
    return _FOLDERS.sub("", _ADDRESS.sub("ADDRESS", text))


def render(template: str, **values: Any) -> str:
    """A template of this room, filled in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("demur.share"),
        autoescape=False,  # noqa: S701 - `finalize` escapes for Markdown, which HTML escaping would spoil
        finalize=lambda value: value if isinstance(value, Markdown) else plain(value),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": code, "fenced": fenced}
    return environment.get_template(template).render(**values)


def last_part(path: Path | str) -> str:
    """The name of a file or folder, without where it lies."""
    return re.split(r"[/\\]", str(path).rstrip("/\\"))[-1]
