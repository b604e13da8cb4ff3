"""The generated part of the documentation is what the code says now.

Run ``python tests/unit/test_docs.py`` to write it anew.
"""

from pathlib import Path

from demur.config import leaves

PAGE = Path(__file__).parents[2] / "docs/configuration.md"
MARK = "<!-- settings: made by tests/unit/test_docs.py from the configuration itself -->\n"


def settings_table() -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, info in leaves():
        default = info.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {info.description} |".replace("\n", "\\n"))
    return "\n" + "\n".join(lines) + "\n"


def test_the_settings_are_the_configurations_own():
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2] == settings_table()


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(before + MARK + settings_table(), encoding="utf-8")
