"""What commands print: no text of a user, a model or a file can move the cursor of the terminal."""

from __future__ import annotations

import json
from typing import Any

import typer

from demur.core.errors import plain


def say(text: object, *, err: bool = False) -> None:
    """Print a text as lines, see `plain`."""
    typer.echo(plain(str(text)), err=err)


def json_text(value: object, **options: Any) -> str:
    """JSON for other tools, which is also safe to look at: texts of other scripts stay readable."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, **options)
    return "".join(_escaped(mark) if mark != "\n" and plain(mark) != mark else mark for mark in text)


def _escaped(mark: str) -> str:
    return json.dumps(mark)[1:-1] if ord(mark) > 127 else f"\\u{ord(mark):04x}"
