"""How far a run is, left on disk for other processes to read (`demur status`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from demur.core.files import write_json

EVERY_SECONDS = 1.0
"""How often it is written, at most."""
SETTLED_SECONDS = 0.25
"""What is finished so early after a bar has opened was found finished, and says nothing of the rate."""

WARNING = "warning: "
"""What a note begins with that a person should not overlook."""

Advance = Callable[[int], None]


class Listener(Protocol):
    """Who is told how a run gets on. The command line draws bars; the library is silent."""

    def note(self, text: str) -> None:
        """Something worth a line; one that begins with `WARNING` should stand out."""
        ...

    def bar(self, title: str, total: int, unit: str) -> contextlib.AbstractContextManager[Advance]:
        """A bar for ``total`` units of work; the context gives a function that moves it."""
        ...


class Silent:
    """A listener that says nothing."""

    def note(self, text: str) -> None:
        """Ignore the note."""

    @contextlib.contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        """Show no bar."""
        yield lambda _: None


class Recorder:
    """A listener that passes everything on, and keeps on disk how far the run is.

    The file holds ``stage``, ``since`` and ``at`` (seconds since 1970), and while something is counted
    ``task``, ``unit``, ``done``, ``total`` and ``rate`` (units a second; None while nobody can know);
    beside them whatever the stage has had kept (see `keep`).
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.path: Path | None = None
        """Where to write; nowhere before a run has its folder."""
        self._stage: dict[str, Any] = {}
        self._counted: dict[str, Any] = {}

    def note(self, text: str) -> None:
        """Pass the note on."""
        self.listener.note(text)

    def stage(self, name: str) -> None:
        """A stage, or a part of it such as ``predict/r-tuning``, begins."""
        self._stage = {"stage": name, "since": time.time()}
        self._write({})

    def keep(self, **values: Any) -> None:
        """Write JSON values beside the progress of the stage, until the next stage begins."""
        self._stage |= values
        self._write(self._counted)

    @contextlib.contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        """A bar, counted along."""
        done, start = 0, time.monotonic()
        settled: tuple[float, int] | None = None
        written = 0.0

        def count(more: int) -> None:
            nonlocal done, settled, written
            advance(more)
            done, now = done + more, time.monotonic()
            if settled is None and now - start > SETTLED_SECONDS:
                settled = now, done
            if now - written > EVERY_SECONDS:
                written = now
                write()

        def write() -> None:
            then, before = settled or (time.monotonic(), done)
            rate = (done - before) / (time.monotonic() - then) if done > before else None
            self._write({"task": title, "unit": unit, "done": done, "total": total, "rate": rate})

        with self.listener.bar(title, total, unit) as advance:
            try:
                yield count
            finally:
                write()

    def _write(self, counted: dict[str, Any]) -> None:
        self._counted = counted
        if self.path is not None:
            with contextlib.suppress(OSError):  # a full disk shows where something is lost by it
                write_json(self.path, {**self._stage, **counted, "at": time.time()})


@contextlib.contextmanager
def steps_bar(listener: Listener, title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that says (step, total) as it goes; it opens with the first step."""
    with contextlib.ExitStack() as stack:
        advance: list[Advance] = []

        def progress(_: int, total: int) -> None:
            if not advance:
                advance.append(stack.enter_context(listener.bar(title, total, "steps")))
            advance[0](1)

        yield progress
