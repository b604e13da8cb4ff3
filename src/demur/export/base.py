"""What an export is made of, and what each format says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.records import Example
from demur.runfolder.finished import FinishedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The training data of one system of a run."""

    system: str
    stages: Mapping[str, Sequence[Example]]
    """Rows by stage, in the order of training."""
    about: str
    """How they were made, in sentences."""
    sources: tuple[str, ...] = ()
    """Where the questions come from, and their licences."""
    run: FinishedRun | None = None
    """The run they are of; None where they were read from a file."""
    chat: bool = False
    """The prompt is a user's turn and the completion the assistant's; else they are one text."""
    end: str = ""
    """The model's end-of-text token, which a row that ends learns after its completion."""

    def named(self, stage: str, suffix: str) -> str:
        """The file of a stage."""
        return f"{self.system}-{stage}{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A form that another trainer reads."""

    name: str
    tool: str
    """Who reads it."""
    write: Callable[[Material, Path], list[Path]]
    """Writes files into a folder and returns them."""
    use: str
    """How the tool is told to read them."""
    loss: Callable[[Material], str]
    """On what the loss falls there, as a sentence or more: the same as in Demur, or what differs."""


def turns(example: Example) -> list[dict[str, str]]:
    """A row as a conversation of two turns."""
    return [
        {"role": "user", "content": example.prompt},
        {"role": "assistant", "content": example.completion},
    ]


def ends(material: Material) -> str:
    """What to know where a trainer adds an end-of-text token to every row."""
    open_rows = sum(not row.ends for rows in material.stages.values() for row in rows)
    if not open_rows:
        return "Every row ends with the end-of-text token, as in Demur."
    return (
        f"The tool adds an end-of-text token to every row; {open_rows:,} rows have none in Demur, where "
        "their loss ends with the last word."
    )


def as_one_turn(material: Material) -> str:
    """What to know where plain text becomes a conversation."""
    if material.chat:
        return ""
    return (
        " The rows were made as plain text, without a chat template: a tool that adds one trains on other "
        "text than Demur did, and the model must then be asked through that template."
    )


JsonRow = dict[str, Any]
