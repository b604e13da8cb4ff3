"""Errors that a user can mend: each says what was expected, what was found, where, and what to do.

The command line prints these without a traceback and exits with code 2. Anything else that
escapes is a defect of Demur and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Characters that turn the direction of reading."""
_CONTROLS = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) != "\n"},
    **{code: f"\\u{code:04x}" for code in (*_DIRECTIONS, 0x2028, 0x2029, 0xFEFF)},
}


def plain(text: str) -> str:
    """A text for a terminal: what would move its cursor, change its colours or turn the direction of
    reading is shown as its number. Texts of users, models and files reach a terminal through this alone.
    """
    return text.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode()  # halves of pairs


class DemurError(Exception):
    """A mistake outside Demur: bad input, a missing file, an impossible setting.

    Args:
        expected: what would have been right, as a sentence.
        found: what was there instead, quoted.
        where: file, line, field or option; None where there is no place to name.
        fix: what to do next, as a sentence.
    """

    exit_code = 2

    def __init__(self, *, expected: str, found: str, fix: str, where: str | None = None) -> None:
        self.expected, self.found, self.where, self.fix = expected, found, where, fix
        super().__init__(self.message())

    def message(self) -> str:
        """The whole error as a few labelled lines."""
        lines = [f"expected: {self.expected}", f"found:    {self.found}"]
        if self.where:
            lines.insert(0, f"where:    {self.where}")
        lines.append(f"to do:    {self.fix}")
        return "\n".join(lines)


class DataError(DemurError, ValueError):
    """A question file that cannot be read as questions."""


class ConfigError(DemurError, ValueError):
    """A configuration that cannot be used."""


class ModelError(DemurError, OSError):
    """A model that cannot be loaded, or asked."""


class AnswersError(DemurError, RuntimeError):
    """A model's answers that cannot be used, such as empty ones."""


class ConversationError(DemurError, ValueError):
    """A conversation that the model cannot take part in."""


class RunFolderError(DemurError, RuntimeError):
    """A run folder that does not fit what is asked of it."""


class TrustError(DemurError, PermissionError):
    """A setting of somebody else's folder that would do more than read weights and data."""


class TrainingDataError(DemurError, ValueError):
    """Training data from which nothing sensible can be learned."""


class TrainingError(DemurError, RuntimeError):
    """Training that did not come to its end, or was not what was asked for."""


class ResourceError(DemurError, OSError):
    """Disk or memory ran out."""


class PluginError(DemurError, ImportError):
    """An installed package that adds something to Demur, and what it adds cannot be used."""


class UnknownNameError(DemurError, KeyError):
    """A name that no registry entry has; the nearest known name is suggested."""

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str | None = None) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(names)}"
        super().__init__(
            expected=f"a {kind}, one of: {', '.join(names)}", found=repr(name), fix=fix, where=where
        )

    def __str__(self) -> str:  # KeyError would quote the message
        return self.message()
