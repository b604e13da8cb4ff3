"""How often a server is asked."""

from __future__ import annotations

import threading
import time


class Pace:
    """Evenly spaced turns, for all that share it in any thread.

    Args:
        per_minute: turns; None for no limit.
    """

    def __init__(self, per_minute: int | None = None) -> None:
        self._gap_seconds = 60 / per_minute if per_minute else 0.0
        self._next, self._lock = 0.0, threading.Lock()

    def turn(self) -> float:
        """Seconds until the next turn, which is thereby taken."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._gap_seconds
        return start - now
