"""All signals that are arithmetic on what is stored: no model is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demur.signals import SIGNALS
from demur.signals.base import Said, Signal

STORED = frozenset(("logprobs", "top", "samples", "sample-logprobs"))
"""What a stored answer may hold."""


def free_signals() -> Iterator[tuple[str, Signal]]:
    """The signals that need nothing else, by name, each ready to be called."""
    for name, signal in SIGNALS.items():
        if STORED.issuperset(signal.info.needs):
            yield name, signal()


def computed(said: Said, signals: Sequence[tuple[str, Signal]] | None = None) -> dict[str, float]:
    """Every free signal of an answer, by name; those whose needs are missing are left out.

    Args:
        signals: what `free_signals` gave, for many answers in a row.
    """
    found = {name: signal(said) for name, signal in (free_signals() if signals is None else signals)}
    return {name: value for name, value in found.items() if value is not None}
