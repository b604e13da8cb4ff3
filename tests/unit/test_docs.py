"""The generated parts of the documentation are what the code says now.

Run ``python tests/unit/test_docs.py`` to write them anew.
"""

from pathlib import Path

import pytest

from demur.config import leaves
from demur.datasets.targets import DATASETS
from demur.methods.table import deviations, markdown

DOCS = Path(__file__).parents[2] / "docs"


def settings_table() -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, info in leaves():
        default = info.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {info.description} |".replace("\n", "\\n"))
    return "\n" + "\n".join(lines) + "\n"


def methods_table() -> str:
    return f"\n{markdown()}\n\n## Deviations from the papers\n\n{deviations()}\n"


GENERATED = {
    "configuration.md": (
        "<!-- settings: made by tests/unit/test_docs.py from the configuration itself -->\n",
        settings_table,
    ),
    "methods.md": (
        "<!-- methods: made by tests/unit/test_docs.py from the methods themselves -->\n",
        methods_table,
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_page_says_what_the_code_says(name):
    mark, made = GENERATED[name]
    assert (DOCS / name).read_text(encoding="utf-8").partition(mark)[2] == made()


def test_every_dataset_stands_in_the_table():
    page = (DOCS / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in DATASETS.names() if f"`{name}`" not in page] == []


if __name__ == "__main__":
    for page, (sign, content) in GENERATED.items():
        before = (DOCS / page).read_text(encoding="utf-8").partition(sign)[0]
        (DOCS / page).write_text(before + sign + content(), encoding="utf-8")
