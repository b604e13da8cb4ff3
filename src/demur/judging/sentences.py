"""Where a sentence ends."""

from __future__ import annotations

import re

_FULL_STOP = re.compile(r"\.(?=\s|$|[\"')\]*])")
_END = re.compile(_FULL_STOP.pattern + r"|[!?](?=\s|$|[\"')\]*])|[。！？।]")
_ABBREVIATION = re.compile(r"(?:^|[^\w])(?:[^\W\d_]|St|Dr|Mr|Mrs|Ms|Mt|Ft|Jr|Sr|No|vs)$")


def first_sentence(text: str, *, any_end: bool = False) -> str:
    """The text up to the first full stop that can end a sentence; all of it where there is none.

    A full stop ends nothing inside "3.14", after an initial ("J. R. R. Tolkien") or a common abbreviation
    ("St. Louis").

    Args:
        any_end: question and exclamation marks and the full stops of other scripts end a sentence as well.
    """
    for match in (_END if any_end else _FULL_STOP).finditer(text):
        abbreviates = match[0] == "." and _ABBREVIATION.search(text[: match.start()])
        if not (abbreviates and text[match.end() :].strip()):
            return text[: match.start()]
    return text
