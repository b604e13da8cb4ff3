"""Texts of users and models in Markdown, where none of them may become markup.

A card is a Jinja template without HTML escaping. Whatever it puts in place is escaped as plain text, unless
it is `Markdown`, which only the functions here make.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SPECIAL = re.compile(
    r"""([\\`*_{}\[\]<>|~&$\#@]      # emphasis, code, links, HTML, tables, entities, formulas, headings
        |(?<=\w):(?=//)|(?<=\bwww)\.  # addresses, which become links by themselves
        |^[-+=](?=[-+=\s])|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s))  # lists""",
    re.VERBOSE | re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_FOLDERS = re.compile(
    r"""(?<![\w.:/\\~-])               # where a path begins
        (?:[A-Za-z]:[/\\]|~[\w-]*[/\\]|(?:\.\.[/\\])+|[/\\])
        (?:[^\s'",;=\[\]{}()/\\]+[/\\])*""",
    re.VERBOSE,
)


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def plain(value: object) -> str:
    """Text that Markdown shows as it is: one line, every character that could be markup escaped."""
    return _SPECIAL.sub(r"\\\1", one_line(value))


def code(value: object) -> Markdown:
    """A code span, in which nothing is markup. Not for tables, which end a cell at a bar even there."""
    text = one_line(value)
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")


def fenced(text: str, language: str = "") -> Markdown:
    """A block of code, of as many lines as the text has."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def one_line(value: object) -> str:
    """Text without line breaks, and without characters that are not seen or turn the direction of text."""
    spaced = " ".join(str(value).split())
    return "".join(mark for mark in spaced if unicodedata.category(mark) not in ("Cc", "Cf", "Cs"))


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


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
