"""ShareGPT's form: conversations between ``human`` and ``gpt``, a JSON list."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json
from demur.export.base import Format, Material, as_one_turn


def write(material: Material, folder: Path) -> list[Path]:
    """A file for each stage."""
    files = []
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, ".json"))
        rows = [
            {
                "conversations": [
                    {"from": "human", "value": example.prompt},
                    {"from": "gpt", "value": example.completion},
                ]
            }
            for example in examples
        ]
        write_json(files[-1], rows)
    return files


SHAREGPT = Format(
    name="sharegpt",
    tool="trainers that read ShareGPT's conversations",
    write=write,
    use="Name the file as a dataset of the kind `sharegpt`.",
    loss=lambda material: (
        "On the turns of `gpt` where the tool masks those of `human`, as most do by default, and "
        "on the token that ends the turn." + as_one_turn(material)
    ),
)
