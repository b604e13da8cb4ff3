"""Texts of users and models in Markdown, where none of them may become markup: the one escaper for it."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = re.compile(
    r"""([\\`*_{}\[\]<>|~&$\#@]      # emphasis, code, links, HTML, tables, entities, formulas, headings
        |(?<=\w):(?=//)|(?<=\bwww)\.  # addresses, which become links by themselves
        |^[-+=](?=[-+=\s])|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s))  # lists""",
    re.VERBOSE | re.IGNORECASE,
)


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def plain(value: object) -> str:
    """Text that Markdown shows as it is: one line, every character that could be markup escaped."""
    return _SPECIAL.sub(r"\\\1", one_line(value))


def code(value: object) -> Markdown:
    """A code span, in which nothing is markup. Not for tables, which end a cell at a bar even there."""
    text = one_line(value)
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")


def fenced(text: str, language: str = "") -> Markdown:
    """A block of code, of as many lines as the text has."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def one_line(value: object) -> str:
    """Text without line breaks, and without characters that are not seen or turn the direction of text."""
    spaced = " ".join(str(value).split())
    return "".join(mark for mark in spaced if unicodedata.category(mark) not in ("Cc", "Cf", "Cs"))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
