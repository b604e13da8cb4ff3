"""What a metric is: what it needs, its range, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from demur.metrics.base import Bools, Floats, Need, Population, Rows, first_over_second
from demur.metrics.sample import Counted, Sample, Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A registered metric: what other layers need to know, and how it is computed."""

    name: str
    title: str = ""
    """What tables call it; by default its name with spaces."""
    meaning: str = ""
    """What it measures, in one line."""
    source: str
    """Paper or project of the definition."""
    better: Literal["higher", "lower", "neither"]
    span: tuple[float, float]
    """Smallest and largest possible value."""
    needs: tuple[Need, ...]
    """What a row must have to count. ``verdict``: of the answer. ``outcome``: the verdict, or that it was
    declined. ``before``: the reference system's outcome. ``confidence``: the signal."""
    population: Population
    """The rows it is about: all, those of answerable questions, or those that the system answers."""
    undefined: str
    """When there is no value."""
    columns: Callable[[Counted], tuple[Floats, ...]] | None = None
    """For a metric of weighted sums: what is summed, k columns of shape [n]."""
    combine: Callable[[Floats], Floats] = first_over_second
    """From those sums, shape [R, k], to R values, NaN where undefined; by default first over second."""
    ranked: Callable[[Sample], Floats] | None = None
    """For a metric of the order of the rows: from the rows under R sets of weights to R values. It may
    depend on verdict, confidence and what was before, not on what is declined."""
    interval: Literal["score", "two_shares", "calibration", "open"] = "score"
    """How its interval is made (`demur.metrics.uncertainty`). ``score``: between two bounds.
    ``two_shares``: of two shares of different questions, whose four sums are its columns.
    ``calibration``: chance raises it. ``open``: without a lower bound."""
    rests_on: int = 0
    """For a share of answers: how many of them an interval needs."""
    chance: bool = False
    """Whether it stands beside what a calibrated model would have."""
    probabilities: bool = False
    """Whether the confidence must lie in [0, 1]."""
    headline: bool = False
    """Whether the main tables show it and systems are compared by it; the full tables show every metric."""
    percent: bool = False
    """Whether tables write it as a percentage, not as a plain number."""

    @property
    def per_signal(self) -> bool:
        """Whether there is one value for each confidence signal."""
        return "confidence" in self.needs

    def population_mask(self, rows: Rows) -> Bools:
        """The rows that the metric is about, shape [n]."""
        return rows.within(self.population)

    def counted_mask(self, rows: Rows) -> Bools:
        """The rows that it is about and that have all it needs, shape [n]; the others are unscored."""
        mask = self.population_mask(rows) & rows.said
        for need in self.needs:
            mask = mask & rows.available(need)
        return mask

    def obstacle(self, rows: Rows) -> str | None:
        """Why the metric cannot be computed at all from these rows; None where it can."""
        if not self.probabilities:
            return None
        confidence = rows.confidence[self.counted_mask(rows)]
        outside = int(((confidence < 0) | (confidence > 1)).sum())
        if not outside:
            return None
        return (
            f"{outside} of {len(confidence)} confidences lie outside [0, 1], so they are no probabilities"
        )

    def compute(self, sample: Sample) -> Floats:
        """The metric under each set of weights, shape [R]; NaN where undefined."""
        if self.columns is not None:
            return self.combine(sample.sums(*self.columns(sample.counted)))
        assert self.ranked is not None, f"{self.name} has neither columns nor ranked"
        return sample.once(self.ranked)

    def value(self, rows: Rows) -> float | None:
        """The value over these rows; None where undefined."""
        if self.obstacle(rows):
            return None
        counted = Counted.of(rows, self.counted_mask(rows))
        value = float(self.compute(Sample(counted, Weights.ones(len(rows))))[0])
        return None if np.isnan(value) else value
