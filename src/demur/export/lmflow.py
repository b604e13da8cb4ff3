"""LMFlow: ``text2text`` instances. R-Tuning's own ``text_only`` puts loss on the question too."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json
from demur.export.base import Format, Material, as_one_turn, ends


def write(material: Material, folder: Path) -> list[Path]:
    """A folder for each stage: LMFlow reads every JSON file of the folder that it is given."""
    files = []
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, "") / "train.json")
        instances = [{"input": example.prompt, "output": example.completion} for example in examples]
        write_json(files[-1], {"type": "text2text", "instances": instances})
    return files


LMFLOW = Format(
    name="lmflow",
    tool="LMFlow",
    write=write,
    use="`--dataset_path FOLDER_OF_A_STAGE --disable_group_texts 1`.",
    loss=lambda material: (
        "On the output only, as in Demur; R-Tuning's released scripts wrote `text_only`, where the loss "
        f"falls on the question too. {ends(material)}{as_one_turn(material) if material.chat else ''}"
    ),
)
