"""Axolotl: text in segments, each of which is learned or not; in a chat, messages."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json_lines
from demur.core.records import Example
from demur.export.base import Format, JsonRow, Material, turns


def row(example: Example, *, end: str) -> JsonRow:
    """One row of plain text: the prompt is read, the completion is learned."""
    learned = example.completion + (end if example.ends else "")
    return {"segments": [{"label": False, "text": example.prompt}, {"label": True, "text": learned}]}


def write(material: Material, folder: Path) -> list[Path]:
    """A file for each stage."""
    files = []
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, ".jsonl"))
        rows = [
            {"messages": turns(example)} if material.chat else row(example, end=material.end)
            for example in examples
        ]
        write_json_lines(files[-1], rows)
    return files


AXOLOTL = Format(
    name="axolotl",
    tool="Axolotl",
    write=write,
    use="`datasets: [{path: FILE, type: input_output}]` for segments, `type: chat_template` for messages.",
    loss=lambda material: (
        "On the assistant's turn and the token that ends it, with `roles_to_train: [assistant]`."
        if material.chat
        else "On the learned segments only, to the token as in Demur: nothing is added to them."
    ),
)
