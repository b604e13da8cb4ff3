"""What commands print: no text of a user, a model or a file can move the cursor of the terminal."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable
from typing import Any

import typer

from demur.core.errors import plain


def say(text: object, *, err: bool = False) -> None:
    """Print a text as lines, see `plain`."""
    typer.echo(plain(str(text)), err=err)


def paragraphs(lines: Iterable[str]) -> str:
    """Sentences, broken at spaces to the terminal's width; 80 characters where there is no terminal.

    A line keeps the spaces that it begins with, and what is broken off stands two further in.
    """
    width = shutil.get_terminal_size().columns
    return "\n".join(_broken(line, width) for line in lines)


def _broken(line: str, width: int) -> str:
    margin = line[: len(line) - len(line.lstrip())]
    hanging = f"{margin}  " if margin else ""
    return textwrap.fill(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def json_text(value: object, **options: Any) -> str:
    """JSON for other tools, which is also safe to look at: texts of other scripts stay readable."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, **options)
    return "".join(_escaped(mark) if mark != "\n" and plain(mark) != mark else mark for mark in text)


def _escaped(mark: str) -> str:
    return json.dumps(mark)[1:-1] if ord(mark) > 127 else f"\\u{ord(mark):04x}"
