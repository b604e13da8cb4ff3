"""Does an answer stand in a passage? Whole words, spelling variants aside."""

from __future__ import annotations

from collections.abc import Iterable

from demur.judging.normalise import normalise, spaced


class Passage:
    """A passage that is searched many times.

    Its normal form is kept here and not in the cache of `normalise`, which would hold every passage of a
    large dataset in memory.
    """

    def __init__(self, text: str) -> None:
        self._words = f" {spaced(normalise.__wrapped__(text))} "

    def holds(self, texts: Iterable[str]) -> bool:
        """Whether any of the texts stands in the passage; one without words stands nowhere."""
        keys = (spaced(normalise(text)).strip() for text in texts)
        return any(f" {key} " in self._words for key in keys if key)
