"""The blocks of the documentation's pages, as a reader finds them."""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run:(?P<reason>.*)-->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of code."""

    page: str
    """Path of the page below the repository."""
    line: int
    """Where its fence opens, from 1."""
    language: str
    """The tag after the fence; empty where there is none."""
    text: str
    reason: str | None
    """Why it is not run, after the comment on the line before; None where there is no such comment."""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> list[Block]:
    """Every block of a page, in order; those made by indenting have no language either."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found = []
    for token in MarkdownIt().parse("\n".join(lines)):
        if token.type in ("fence", "code_block"):
            first = token.map[0]
            said = NOT_RUN.fullmatch(lines[first - 1].strip()) if first else None
            found.append(
                Block(
                    page=page,
                    line=first + 1,
                    language=token.info.strip(),
                    text=token.content,
                    reason=None if said is None else said["reason"].strip(),
                )
            )
    return found
