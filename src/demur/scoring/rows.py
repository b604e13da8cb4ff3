"""Every row of outputs with its verdict, as JSON lines: to look at what was judged, and how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError
from demur.core.files import write_json_lines
from demur.core.records import Verdict
from demur.metrics.base import CODES
from demur.scoring.outputs import Outputs


def write_rows(outputs: Outputs, path: Path) -> None:
    """Write a JSON object for each row, in order.

    ``id``; ``verdict``; ``answer``, what was judged, where it is not the response itself (empty where there
    is none); ``reading``, whether the response answers, hedges, refuses, … as the rules read it;
    ``reason``, why it is unscored.

    Args:
        outputs: as read with ``keep``.

    Raises:
        ConfigError: the file is there already.
    """
    require_new(path)
    write_json_lines(path, _rows(outputs))


def require_new(path: Path) -> None:
    """Raise where a file is there already.

    Raises:
        ConfigError: it is.
    """
    if path.exists():
        raise ConfigError(
            expected="a new file",
            found=f"{path}, which exists",
            where="--rows",
            fix="choose another name, or remove the file",
        )


def _rows(outputs: Outputs) -> Iterator[dict[str, Any]]:
    names = {code: str(verdict) for verdict, code in CODES.items()}
    parts = zip(outputs.keys, outputs.verdict.tolist(), outputs.pairs, outputs.judgements, strict=True)
    for key, code, (_, response), found in parts:
        row: dict[str, Any] = {"id": key, "verdict": names.get(code, str(Verdict.UNSCORED))}
        if found.answer != response.strip():
            row["answer"] = found.answer
        row["reading"] = found.reading
        yield {**row, "reason": found.reason} if found.reason else row
