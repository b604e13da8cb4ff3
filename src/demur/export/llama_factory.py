"""LLaMA-Factory: Alpaca rows in a JSON list, and the ``dataset_info.json`` that names them."""

from __future__ import annotations

from pathlib import Path

from demur.core.files import write_json
from demur.export.base import Format, Material, ends

INFO = "dataset_info.json"
COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}


def write(material: Material, folder: Path) -> list[Path]:
    """A file for each stage, and one that describes them.

    The template ``empty`` adds nothing, so a plain row that ends carries its end-of-text token itself.
    """
    end = "" if material.chat else material.end
    files, info = [], {}
    for stage, examples in material.stages.items():
        files.append(folder / material.named(stage, ".json"))
        rows = [
            {
                "instruction": example.prompt,
                "input": "",
                "output": example.completion + (end if example.ends else ""),
            }
            for example in examples
        ]
        write_json(files[-1], rows)
        info[f"demur-{material.system}-{stage}"] = {"file_name": files[-1].name, "columns": COLUMNS}
    write_json(folder / INFO, info)
    return [*files, folder / INFO]


def _use(material: Material) -> str:
    return "the model's own template" if material.chat else "`template: empty`, which adds no words"


LLAMA_FACTORY = Format(
    name="llama-factory",
    tool="LLaMA-Factory",
    write=write,
    use="`dataset_dir: THIS_FOLDER` and `dataset: NAME`, with a name from `dataset_info.json`.",
    loss=lambda material: (
        f"On the output only, as in Demur, with `train_on_prompt` off (its default) and {_use(material)}. "
        + (ends(material) if material.chat else "Nothing is added to it: rows end where they end in Demur.")
    ),
)
