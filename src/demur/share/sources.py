"""Where a run's questions come from, as it may be said to others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from demur.core.config import Config
from demur.datasets import DATASETS
from demur.datasets.hub import PREFIX, is_address
from demur.share.markdown import last_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One dataset of a run."""

    name: str
    """A dataset's name, or that of a file."""
    description: str
    licence: str
    """As far as it is known; empty for a file of one's own."""
    citation: str
    hub: str
    """Its name on the Hub; empty where it did not come from there."""
    place: str
    """Where it was read from, which nobody else needs to know."""


def sources(config: Config) -> Iterator[Source]:
    """The datasets of a run, in their order."""
    entries = config.data.mixture or ({"name": config.data.name, "path": config.data.path},)
    for entry in entries:
        place = str(entry.get("path") or "")
        name = str(entry.get("name") or ("file" if place else "pocket"))
        if name not in DATASETS:  # a path may stand where a name does
            place, name = place or name, "file"
        dataset = DATASETS.get(name)
        hub = place.removeprefix(PREFIX).partition("@")[0].partition(":")[0] if is_address(place) else ""
        own = name == "file"
        yield Source(
            name=hub or last_part(place) if own else dataset.name,
            description=("a dataset of the Hub" if hub else "questions of one's own, in a file")
            if own
            else dataset.description,
            licence="" if own else dataset.licence,
            citation=dataset.citation,
            hub=hub,
            place="" if hub else place,
        )
