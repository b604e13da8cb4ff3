"""What the JSON files of a run must hold to be read: every type that a reader relies on, and no more.

Unknown names are left alone, so that a newer run can be read as far as it is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from demur.confidence.probability import Kind
from demur.confidence.threshold import Risk

PROBLEMS = 3
"""Problems that are named."""


class Shape(BaseModel):
    """A part of a file; numbers are finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")


class Estimate(Shape):
    """A figure with its interval."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unscored: int | None = None


class Rule(Shape):
    """A threshold of a system, see `demur.methods.thresholds.rule`."""

    signal: str
    value: float
    how: str | None = None
    reason: str | None = None
    honesty: float | None = None
    n: int | None = None


class System(Shape):
    """What the manifest knows of a system."""

    primary_signal: str | None = None
    paper: str = ""
    description: str = ""
    threshold: Rule | None = None


class Example(Shape):
    """One of the first answers."""

    question: str
    response: str
    verdict: str
    finish: str


class FirstAnswers(Shape):
    """What the first answers of the base model looked like."""

    n: int
    answerable: int
    judged: int
    unscored: int
    counts: dict[str, int]
    empty: float | None
    cut: float | None
    refused: float | None
    right: float | None
    max_new_tokens: int | None
    warnings: list[str]
    examples: list[Example]


class Plan(Shape):
    """The size of a training stage."""

    rows: int
    steps: int
    tokens: int
    supervised_tokens: int


class Stage(Shape):
    """What is known of a stage that is done."""

    inputs: str | None = None
    seconds: float | None = None
    peak_memory_mb: float | None = None
    first_answers: FirstAnswers | None = None
    plan: dict[str, Plan] = Field(default_factory=dict)
    rows: dict[str, int] = Field(default_factory=dict)
    stages: list[str] = Field(default_factory=list)
    threshold: Rule | None = None
    weights: dict[str, str] | None = None


class Computed(Shape):
    """In which number format a run's answers are computed, where ``model.dtype`` is ``auto``."""

    model: str
    dtype: str
    bfloat16_gain: float | None = None
    """How many times as fast as float32 a trial found bfloat16; None where nothing was tried."""


class Manifest(Shape):
    """``manifest.json``."""

    demur: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    command: str = ""
    seed: int | None = None
    method: str | None = None
    computed: Computed | None = None
    systems: dict[str, System] = Field(default_factory=dict)
    stages: dict[str, Stage] = Field(default_factory=dict)


class Difference(Shape):
    """A paired difference of two systems."""

    system: str
    against: str
    split: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None


class Settings(Shape):
    """How metrics were computed."""

    level: float = Field(default=0.95, gt=0, lt=1)
    resamples: int = 0
    seed: int = 0
    ece_bins: int = Field(default=10, ge=1)


Cells = dict[str, dict[str, dict[str, Estimate]]]


class Ranked(Shape):
    """How well a signal or a control ranks answers; None where there is no pair."""

    auroc: float | None
    within: float | None
    elsewhere: float | None = None


class Lead(Shape):
    """How far a signal ranks better than the best of others."""

    name: str
    value: float
    low: float
    high: float


class Leads(Shape):
    """Over the best free signal, and over the best control; None where there is none."""

    signal: Lead | None
    control: Lead | None


class Controlled(Shape):
    """Signals beside controls, see `demur.pipeline.controls`."""

    n: int
    signals: dict[str, Ranked]
    controls: dict[str, Ranked]
    lead: Leads


class Metrics(Shape):
    """``metrics.json``."""

    metrics: Cells
    tables: dict[str, dict[str, dict[str, dict[str, int]]]] = Field(default_factory=dict)
    no_answer: dict[str, dict[str, int]] = Field(default_factory=dict)
    policies: dict[str, dict[str, dict[str, dict[str, Estimate | float | None]]]] = Field(
        default_factory=dict
    )
    differences: list[Difference] = Field(default_factory=list)
    settings: Settings = Field(default_factory=Settings)
    groups: dict[str, int] = Field(default_factory=dict)
    first_answers: FirstAnswers | None = None
    unread_languages: dict[str, dict[str, int]] = Field(default_factory=dict)
    controls: dict[str, dict[str, Controlled]] = Field(default_factory=dict)


class Promise(Shape):
    """A `demur.confidence.threshold.Guarantee`."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    max_error: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    risk: Risk
    n: int
    threshold: float | None
    coverage: float | None = None
    error: float | None = None
    answered: int | None = None
    reason: str | None = None
    questions: int | None = None
    needed: int | None = None


class Tested(Shape):
    """What a threshold did on a test split."""

    n: int
    answered: int
    coverage: float | None
    error: float | None
    low: float | None
    high: float | None


class Weighing(Shape):
    """A `demur.confidence.combination.Combination`."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    weights: dict[str, float]
    bias: float
    n: int


class Map(Shape):
    """A `demur.confidence.probability.Recalibration`."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    kind: Kind
    n: int
    log_odds: bool = True
    slope: float = 1.0
    bias: float = 0.0
    signals: list[float] = Field(default_factory=list)
    probabilities: list[float] = Field(default_factory=list)


class Recalibrated(Shape):
    """A map from a signal to a probability, where one could be fitted."""

    kind: str
    signal: str
    map: Map | None
    sentences: list[str] = Field(default_factory=list)


class Guarantee(Shape):
    """``guarantee.json``."""

    system: str
    signal: str
    guarantees: dict[str, Promise] = Field(min_length=1)
    test: dict[str, Tested]
    sentences: list[str]
    combination: Weighing | None = None
    recalibration: Recalibrated | None = None


class CardGuarantee(Shape):
    """``guarantee`` of a ``demur.json``."""

    signal: str
    groups: dict[str, Promise]
    combination: Weighing | None = None


class Line(Shape):
    """One threshold of a sweep."""

    threshold: float
    mark: str | None
    coverage: Estimate


class SideBySide(Shape):
    """Signals on the same answers."""

    n: int
    left_out: int
    signals: dict[str, dict[str, Any]]
    differences: list[dict[str, Any]] = Field(default_factory=list)


class Analysis(Shape):
    """``analysis.json``."""

    system: str
    signals: dict[str, SideBySide]
    sweep: dict[str, dict[str, list[Line]]]
    settings: Settings = Field(default_factory=Settings)


class Tax(Shape):
    """``tax.json``."""

    system: str
    weights: str
    tasks: dict[str, dict[str, Any]]
    settings: dict[str, Any]


def problem(kind: type[Shape], values: Any) -> str:
    """What in some JSON values does not fit; empty where all does."""
    try:
        kind.model_validate(values)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        said = [f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg'].lower()}" for item in found]
        more = f" and {len(said) - PROBLEMS} more" if len(said) > PROBLEMS else ""
        return f"{'; '.join(said[:PROBLEMS])}{more}"
    except RecursionError:
        return "values in one another, too deep to be read"
    return ""


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number."""
    return type(value) in (int, float) and abs(value) < math.inf


def is_combination(value: Any) -> bool:
    """Whether a JSON value is a weighing of signals."""
    return isinstance(value, Mapping) and not problem(Weighing, value)
