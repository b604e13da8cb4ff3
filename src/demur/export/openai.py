"""The chat form of OpenAI's fine-tuning: a list of messages in each of the JSON lines."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json_lines
from demur.export.base import Format, Material, as_one_turn, turns


def write(material: Material, folder: Path) -> list[Path]:
    """A file for each stage."""
    files = []
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, ".jsonl"))
        write_json_lines(files[-1], [{"messages": turns(example)} for example in examples])
    return files


OPENAI = Format(
    name="openai",
    tool="OpenAI's fine-tuning, and trainers that read its chat form",
    write=write,
    use="Upload the file, or name it where a trainer asks for data with `messages`.",
    loss=lambda material: (
        "On the assistant's turn, which is the completion, and on the token that ends the turn."
        + as_one_turn(material)
    ),
)
