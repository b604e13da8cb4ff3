"""The rows that metrics are computed from, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from demur.core.records import Verdict

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.intp]
Codes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

CORRECT, WRONG, REFUSED, UNSCORED, SILENT = range(5)
CODES = {
    Verdict.CORRECT: CORRECT,
    Verdict.WRONG: WRONG,
    Verdict.REFUSED: REFUSED,
    Verdict.UNSCORED: UNSCORED,
}
"""How verdicts stand in arrays. SILENT is UNSCORED for want of any answer: such a row counts in no metric,
not even as answered or declined."""

DEFAULT_BINS = 15

Need = Literal["verdict", "outcome", "before", "confidence"]
Population = Literal["all", "answerable", "answered"]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What one system did on n questions; every array has shape [n]."""

    verdict: Codes
    """Of the answer itself, refusals by threshold ignored; SILENT where there is none."""
    refused: Floats
    """Probability that the system declines, by threshold or in words: 0 or 1 for a real system."""
    answerable: Bools
    """Whether any answer can be right."""
    before: Codes
    """Outcome of the reference system, its refusals included; UNSCORED where it has none."""
    confidence: Floats
    """One confidence signal: any order for ranking, a probability for calibration; NaN where unknown."""
    bins: int = DEFAULT_BINS
    """Number of bins of the calibration errors."""

    @classmethod
    def of(
        cls,
        verdict: Sequence[Verdict],
        *,
        abstained: Sequence[bool] | None = None,
        confidence: Sequence[float | None] | None = None,
        before: Sequence[Verdict] | None = None,
        answerable: Sequence[bool] | None = None,
        silent: Sequence[bool] | None = None,
        bins: int = DEFAULT_BINS,
    ) -> Rows:
        """Rows from plain Python values, one of each per question.

        Left out, they mean: nothing declined, confidence unknown, no reference system, all answerable.
        A verdict REFUSED counts as declined whatever ``abstained`` says, and what is ``silent`` as neither
        answered nor declined.
        """
        n = len(verdict)
        codes = verdict_codes(verdict)
        declined = np.zeros(n, bool) if abstained is None else np.asarray(abstained, bool)
        if silent is not None:
            codes[np.asarray(silent, bool)] = SILENT
            declined = declined & (codes != SILENT)
        return cls(
            verdict=codes,
            refused=(declined | (codes == REFUSED)).astype(np.float64),
            answerable=np.ones(n, bool) if answerable is None else np.asarray(answerable, bool),
            before=np.full(n, UNSCORED, np.int8) if before is None else verdict_codes(before),
            confidence=optional_floats([None] * n if confidence is None else confidence),
            bins=bins,
        )

    def __len__(self) -> int:
        return len(self.verdict)

    def take(self, index: npt.NDArray[Any]) -> Rows:
        """The rows that an index or a mask selects."""
        arrays = ("verdict", "refused", "answerable", "before", "confidence")
        return replace(self, **{name: getattr(self, name)[index] for name in arrays})

    def available(self, need: Need) -> Bools:
        """Which rows have what a metric needs, shape [n]."""
        if need == "confidence":
            return np.logical_not(np.isnan(self.confidence))
        if need == "before":
            return np.not_equal(self.before, UNSCORED)
        scored = np.less(self.verdict, UNSCORED)
        return scored if need == "verdict" else scored | np.equal(self.refused, 1)

    @property
    def said(self) -> Bools:
        """Which rows hold an answer or a refusal at all, shape [n]."""
        return np.not_equal(self.verdict, SILENT)

    def within(self, population: Population) -> Bools:
        """Which rows a metric is about, shape [n]."""
        if population == "answerable":
            return self.answerable
        return np.less(self.refused, 1) if population == "answered" else np.ones(len(self), bool)


def divide(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Element-wise quotient, NaN where the divisor is 0."""
    quotient = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=quotient, where=whole != 0)
    return quotient


def first_over_second(sums: Floats) -> Floats:
    """The first column over the second, shape [R]; NaN where the second is 0."""
    return divide(sums[:, 0], sums[:, 1])


def guarded_quotient(sums: Floats) -> Floats:
    """The first column over the second, shape [R]; NaN where the second or any further one is 0."""
    return np.where((sums[:, 2:] > 0).all(axis=1), first_over_second(sums), np.nan)


def verdict_codes(verdicts: Sequence[Verdict]) -> Codes:
    """Verdicts as an array of codes."""
    return np.fromiter((CODES[verdict] for verdict in verdicts), np.int8, len(verdicts))


def optional_floats(values: Sequence[float | None]) -> Floats:
    """Numbers as an array, None as NaN."""
    return np.array([np.nan if value is None else value for value in values], np.float64)
