"""Stopping when asked to: the unit of work in progress is finished first, a second signal stops at once.

Everything that Demur writes is whole or absent, so it may stop anywhere; a unit that is nearly done is
worth a moment's wait all the same. The command line says `stop_on_signals`; a library's caller, who does
not, has Python's own signals.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

WAIT = b"\ndemur: finishing what is in hand; once more to stop at once\n"

_depth = 0
_asked: int | None = None
"""The signal that asked to stop, while a unit is being finished."""
_tell: list[Callable[[], None]] = []
"""Whom to tell when that happens."""


class Stopped(SystemExit):
    """Somebody asked the program to stop: an exit, which event loops and other libraries let pass.

    Args:
        number: the signal's; the exit code is 128 more, as a shell counts.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


def stop_on_signals() -> None:
    """Let Ctrl-C and SIGTERM stop the program as this module describes."""

    def stop(number: int, _: FrameType | None) -> None:
        global _asked
        if _depth == 0 or _asked is not None:
            raise Stopped(number)
        _asked = number
        os.write(2, WAIT)  # print may be at work on the same stream when a signal comes
        for tell in _tell:
            tell()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def asked_to_stop() -> bool:
    """Whether the work in hand is to be the last."""
    return _asked is not None


@contextlib.contextmanager
def finishing(tell: Callable[[], None] | None = None) -> Iterator[None]:
    """Let what is in the block be finished where somebody asks to stop.

    Args:
        tell: called at that moment, for work that is waited for and done elsewhere.

    Raises:
        Stopped: at the end of the block, where somebody did.
    """
    global _depth
    _depth += 1
    told = [tell] if tell else []
    _tell.extend(told)
    try:
        yield
    finally:
        _depth -= 1
        del _tell[len(_tell) - len(told) :]
    if _depth == 0 and _asked is not None:
        raise Stopped(_asked)
