"""What was loaded: counts, leaks, duplicates and what the user should know, to print and to store."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demur.datasets.leaks import Duplicates, Leaks


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """What became of a dataset's rows on their way into a run."""

    dataset: str
    seed: int
    """What the division into parts and the limit were drawn with."""
    files: Mapping[str, str]
    """Each file that was read, with a hash of its bytes."""
    fields: Mapping[str, str]
    """Which field of the user's file was taken for what; empty for other datasets."""
    rows: int
    """Rows read, before anything was dropped."""
    counts: Mapping[str, int]
    """Questions of the run by part: ``train``, ``calibration``, ``test/id``, ``test/ood``, others."""
    unanswerable: int
    """Questions of the run that have no right answer."""
    leaks: Leaks
    duplicates: Duplicates
    """Counted after leaks were dropped, before the limit."""
    before_limit: Mapping[str, int] | None
    """The counts before ``limit`` was applied; None where there is no limit."""
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """The report in a few lines for the terminal."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.dataset}: {self.rows:,} rows read"
        if self.fields:
            yield "  fields: " + ", ".join(f"{role} from {name!r}" for role, name in self.fields.items())
        yield "  parts: " + ", ".join(f"{part} {count:,}" for part, count in self.counts.items())
        if self.before_limit is not None:
            whole = ", ".join(f"{part} {count:,}" for part, count in self.before_limit.items())
            yield f"  a trial: drawn from {whole}"
        if self.unanswerable:
            yield f"  {self.unanswerable:,} questions have no right answer"
        if self.leaks.rows:
            yield from self._leak_lines()
        if self.duplicates.rows:
            yield (
                f"  duplicates: {self.duplicates.rows:,} of the rows repeat a question of their part, "
                f"{self.duplicates.other_answers:,} with another answer; kept; for example:"
            )
            yield from (f"    {text}" for text in self.duplicates.examples)
        yield from (f"  note: {note}" for note in self.notes)

    def _leak_lines(self) -> Iterator[str]:
        parts = ", ".join(f"{count:,} in {part}" for part, count in self.leaks.by_part.items())
        done = "dropped" if self.leaks.dropped else "KEPT: results on them do not show what was learned"
        yield (
            f"  leaks: {self.leaks.rows:,} of the rows ({parts}; {self.leaks.exact:,} to the letter) ask "
            f"what training or calibration asks; {done}; for example:"
        )
        yield from (f"    {text}" for text in self.leaks.examples)
