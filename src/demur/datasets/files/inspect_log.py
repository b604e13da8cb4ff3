"""Logs of inspect_ai in its packed form (``.eval``), read by inspect_ai itself.

A log in JSON (``.json``) is a JSON object whose ``samples`` are the records, as in the packed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demur.core.errors import ConfigError, DataError
from demur.datasets.files.content import Content


def is_log(content: Content, head: bytes) -> bool:
    """Whether a file is a packed log: a zip archive that is named ``.eval``."""
    return content.suffix == ".eval" and head.startswith(b"PK\x03\x04") and content.data is None


def samples(content: Content) -> Iterator[tuple[int, Any]]:
    """The samples of a log as JSON values, each with its number from 1.

    Raises:
        ConfigError: inspect_ai is not installed.
        DataError: it cannot read the log.
    """
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise ConfigError(
            expected="inspect_ai, which reads its packed logs",
            found="it is not installed",
            where=str(content.path),
            fix="pip install inspect_ai, or convert the log: `inspect log convert --to json`",
        ) from error
    try:
        log = read_eval_log(str(content.path))
    except Exception as error:  # whatever zip, JSON and pydantic say of a damaged log
        raise DataError(
            expected="a whole log of inspect_ai",
            found=" ".join(str(error).split())[:200] or type(error).__name__,
            where=str(content.path),
            fix="the file is cut off or damaged: copy it again",
        ) from error
    yield from enumerate((sample.model_dump(mode="json") for sample in log.samples or ()), start=1)
