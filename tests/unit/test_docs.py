"""The generated parts of the documentation are what the code says now.

Run ``python tests/unit/test_docs.py`` to write them anew.
"""

import re
from pathlib import Path

import pytest
from command_line import commands, flags, reference, takes_settings

from demur.cli.settings import SHORT
from demur.core.config import leaves
from demur.datasets.targets import DATASETS
from demur.methods.table import deviations, markdown
from demur.signals.table import markdown as signals_markdown

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def settings_table() -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, info in leaves():
        default = info.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {info.description} |".replace("\n", "\\n"))
    return "\n" + "\n".join(lines) + "\n"


def methods_table() -> str:
    return f"\n{markdown()}\n\n## Deviations from the papers\n\n{deviations()}\n"


def signals_table() -> str:
    return f"\n{signals_markdown()}\n"


GENERATED = {
    "configuration.md": (
        "<!-- settings: made by tests/unit/test_docs.py from the configuration itself -->\n",
        settings_table,
    ),
    "methods.md": (
        "<!-- methods: made by tests/unit/test_docs.py from the methods themselves -->\n",
        methods_table,
    ),
    "signals.md": (
        "<!-- signals: made by tests/unit/test_docs.py from the signals themselves -->\n",
        signals_table,
    ),
    "reference/command-line.md": (
        "<!-- commands: made by tests/unit/test_docs.py from the command line itself -->\n",
        reference,
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_page_says_what_the_code_says(name):
    mark, made = GENERATED[name]
    assert (DOCS / name).read_text(encoding="utf-8").partition(mark)[2] == made()


def test_every_dataset_stands_in_the_table():
    page = (DOCS / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in DATASETS.names() if f"`{name}`" not in page] == []


COMMANDS = dict(commands())
SETTINGS = {f"--{name}" for name, _ in leaves()} | {f"--{short}" for short in SHORT}
MENTIONED = sorted(
    {
        (str(page.relative_to(ROOT)), " ".join(words))
        for page in (ROOT / "README.md", *DOCS.rglob("*.md"))
        for words in map(str.split, re.findall(r"(?<!`)`(demur [a-z][^`]+)`(?!`)", page.read_text("utf-8")))
    }
)


def test_there_are_commands_within_the_text():
    assert len(MENTIONED) > 30


@pytest.mark.parametrize(("page", "line"), MENTIONED)
def test_a_command_within_the_text_exists_with_its_flags(page, line):
    words = line.replace("…", "").split()
    command = COMMANDS.get(" ".join(words[:3])) or COMMANDS[" ".join(words[:2])]
    known = flags(command) | (SETTINGS if takes_settings(command) else set())
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known | {"--help"}


if __name__ == "__main__":
    for page, (sign, content) in GENERATED.items():
        before = (DOCS / page).read_text(encoding="utf-8").partition(sign)[0]
        (DOCS / page).write_text(before + sign + content(), encoding="utf-8")
