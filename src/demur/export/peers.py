"""Training data that R-Tuning's scripts wrote: LMFlow's ``text_only``, read back as rows with a prompt.

Their texts end in "… I am sure." or "… I am unsure."; there the loss falls in Demur. The released form put
it on the whole text, question included, against the paper (arXiv 2311.09677, section 3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.core.records import Example, question_id
from demur.datasets.problems import Problems, describe, shorten
from demur.datasets.published import load_json

EXPECTED = 'LMFlow\'s form: {"type": "text_only", "instances": [{"text": …}]}'
_LABEL = re.compile(r"(?P<prompt>.*\bI am)(?P<completion> (?P<label>sure|unsure)\.?)\s*", re.DOTALL)
_FIX = (
    "bring the file that R-Tuning's training scripts wrote (padding or uncertain labels: I am sure/unsure)"
)


def read_text_only(path: Path) -> list[Example]:
    """The rows of a file.

    Raises:
        DataError: it is no such file, or a text does not end in a label; every problem is listed.
    """
    found = load_json(path, expected=EXPECTED)
    instances = found.get("instances") if isinstance(found, Mapping) else None
    if not isinstance(instances, list) or found.get("type") != "text_only":
        raise DataError(expected=EXPECTED, found=describe(found), where=str(path), fix=_FIX)
    problems, rows = Problems(path, expected=EXPECTED), list[Example]()
    for number, instance in enumerate(instances, start=1):
        row = _row(instance)
        if isinstance(row, str):
            problems.add(f"instance {number}", row, fix=_FIX)
        else:
            rows.append(row)
    problems.raise_any()
    return rows


def _row(instance: Any) -> Example | str:
    """A row, or what is wrong with it."""
    text = instance.get("text") if isinstance(instance, Mapping) else None
    if not isinstance(text, str):
        return f"{describe(text)}, not a text"
    parts = _LABEL.fullmatch(text)
    if parts is None:
        return f"no 'I am sure' or 'I am unsure' at the end: {shorten(text[-60:])}"
    return Example(
        prompt=parts["prompt"],
        completion=parts["completion"],
        question_id=question_id(parts["prompt"]),
        certain=parts["label"] == "sure",
    )
