"""What a method is: the training set it builds, and how it elicits answer and confidence afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from demur.core.config import Config
from demur.core.records import Example, Finish, Knowledge, Probe, Question
from demur.core.templates import Template
from demur.engines import Engine, Progress, Sampling
from demur.signals.fitted import Fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodInfo:
    """What the comparison tables, the documentation and the report say of a method."""

    name: str
    summary: str
    paper: str
    needs: tuple[str, ...]
    """Of ``labels`` (accepted answers), ``samples`` (k sampled responses), ``context``."""
    loss: str
    cost: str
    signals: tuple[str, ...]
    """The confidence signals it gives."""
    primary_signal: str
    """The signal that unsuffixed metrics mean."""
    deviations: tuple[str, ...] = ()
    estimator: str | None = None
    """How it finds what is known, where the configuration does not say; None where it needs no boundary."""
    weights: str | None = None
    """Whose weights it asks: None for its own, tuned on what it builds; ``base``, or another method."""
    stages: tuple[str, ...] = ("sft",)
    """The stages it trains, in order; none where it tunes nothing."""
    samples: bool = False
    """Whether it samples when asked, beside its greedy answer."""
    row_per_sample: bool = False
    """Whether it trains on a row for every sample."""
    rounds: int = 1
    """How often it aligns, asking anew in between what the model knows."""
    refusals: tuple[str, ...] = ()
    """Sentences it refuses in, beside the template's."""
    rule: str | None = None
    """The signal below whose threshold it declines by its own rule; None where it has no such rule."""
    fits: bool = False
    """Its model folder holds a confidence fitted to labelled answers, and the tuned weights if they are
    kept."""
    halves: bool = False
    """Half of the training questions tune it, and the others decide (`demur.methods.demur.tuning_half`)."""
    before: bool = False
    """It can decline a question before anything is answered, see `Setup.least`."""

    @property
    def trained(self) -> bool:
        """Whether it tunes a model of its own."""
        return self.weights is None and bool(self.stages)

    def owner(self, system: str) -> str:
        """The system whose weights a system of this method asks: itself, ``base`` or a lender."""
        return self.weights or system


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A training question with what the base model did and is taken to know."""

    question: Question
    probe: Probe
    knowledge: Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every method is given beside its data."""

    config: Config
    template: Template
    render: Callable[[str], str]
    """A prompt as the model really reads it: the chat template's work."""
    sampling: Sampling
    """How answers are generated: greedily, with the number of samples that the probe has."""
    engine: Engine
    """The model as it is now: in the first round the base model."""
    formed: bool = True
    """Whether the model answers in the form of its prompt by itself: in a chat, or as a pocket model, which
    has read the prompts. Another one has to be taught."""
    round: int = 1
    """Which round of aligning this is, from 1."""
    fitted: Fitted | None = None
    """What was fitted for a method that fits, see `MethodInfo.fits`."""
    least: Mapping[str, float] = field(default_factory=dict)
    """The confidence from which a question is answered at all, by question id, for a method that decides
    before it answers (`MethodInfo.before`); others, and questions that are not named, are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elicited:
    """What a system said to one question, not judged yet."""

    answer: str
    """What a user reads as the answer."""
    response: str
    """The text that is judged."""
    declines: bool = False
    """True where its own rule makes the system decline to answer."""
    signals: Mapping[str, float] = field(default_factory=dict)
    finish: Finish = "stop"
    """Of the generated text; ``declined`` where none was generated, since its signals were too low."""

    def __post_init__(self) -> None:
        """Decline without any confidence where the model gave no answer, whatever the method made of it."""
        if self.finish == "thinking":
            object.__setattr__(self, "declines", True)
            object.__setattr__(self, "signals", {})


class Method(Protocol):
    """A way of making a model honest. Methods are stateless; everything comes in as arguments.

    An untuned one builds nothing and only asks differently.
    """

    info: MethodInfo

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """The training rows of each stage, in the order in which the stages are trained.

        ``data`` holds every training question; where none of it serves the method, the rows are empty.
        """
        ...

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Ask the tuned model, question by question, in the order given."""
        ...


SAMPLES = 10
"""Samples per question where a method needs them and the configuration does not say."""
