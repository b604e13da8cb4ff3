"""TRL: prompt-completion rows in JSON lines, loss on the completion."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json_lines
from demur.core.records import Example
from demur.export.base import Format, JsonRow, Material, ends, turns


def row(example: Example, *, chat: bool) -> JsonRow:
    """One row; in a chat both sides are lists of turns."""
    if chat:
        user, assistant = turns(example)
        return {"prompt": [user], "completion": [assistant]}
    return {"prompt": example.prompt, "completion": example.completion}


def write(material: Material, folder: Path) -> list[Path]:
    """A file for each stage."""
    files = []
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, ".jsonl"))
        write_json_lines(files[-1], [row(example, chat=material.chat) for example in examples])
    return files


TRL = Format(
    name="trl",
    tool="TRL's SFTTrainer",
    write=write,
    use='`load_dataset("json", data_files=FILE)` into `SFTTrainer`; `completion_only_loss` is its default.',
    loss=lambda material: f"On the completion only, as in Demur. {ends(material)}",
)
