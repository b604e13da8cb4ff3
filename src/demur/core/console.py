"""What a person sees in the terminal: progress bars with rates and time left, notes, errors."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.text import Text

from demur.core.errors import plain
from demur.core.progress import WARNING

WIDE = 160
"""Characters a line where the output is no terminal."""


class _Rate(ProgressColumn):
    """Units a second, such as ``1,240 questions/s``."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate(speed, task.fields["unit"]) if speed else "", style="dim")


def rate(speed: float, unit: str) -> str:
    """Units a second, with two digits where there are few."""
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def safe(text: object, style: str = "") -> Text:
    """A text of a user, a model or a file for rich: no markup in it, and nothing that moves the cursor."""
    return Text(plain(str(text)), style=style)


def terminal(**options: Any) -> Console:
    """A console on which texts are what they are: no markup, emoji codes or highlighting in them."""
    return Console(markup=False, emoji=False, highlight=False, **options)


class Shown:
    """Something to print whose texts cannot move the cursor: what rich makes of it is escaped last."""

    def __init__(self, thing: RenderableType) -> None:
        self.thing = thing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The segments of the thing."""
        for segment in console.render(self.thing, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)


def print_shown(*things: RenderableType) -> None:
    """Print tables and texts, as wide as the terminal."""
    for thing in things:
        terminal().print(Shown(thing))


def print_wide(*things: RenderableType) -> None:
    """Print tables to the output: as wide as the terminal, or wide enough for every column in a file."""
    console = terminal()
    console = console if console.is_terminal else terminal(width=WIDE)
    for thing in things:
        console.print(Shown(thing))


class Terminal:
    """A pipeline's listener that writes to the terminal's error stream, so that output stays clean."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or terminal(stderr=True)

    def note(self, text: str) -> None:
        """One line, dimmed; a warning in bold."""
        style = "bold yellow" if text.startswith(WARNING) else "dim"
        self.console.print(safe(text), style=style, soft_wrap=True)

    @contextlib.contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """A bar with count, rate, time gone and time left."""
        columns = (
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total, unit=unit)
            yield lambda count: progress.advance(task, count)


def quiet_libraries() -> None:
    """Keep other libraries' bars and warnings from drowning our own output."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    warnings.filterwarnings("ignore")
    # Libraries that are imported already have read the variables
    if "huggingface_hub" in sys.modules:
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
    if "transformers" in sys.modules:
        from transformers.utils import logging

        logging.disable_progress_bar()
    if "datasets" in sys.modules:
        from datasets.utils.logging import disable_progress_bar

        disable_progress_bar()
