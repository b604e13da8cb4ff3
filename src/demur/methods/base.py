"""What a method is: the training set it builds, and how it elicits answer and confidence afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from demur.config import Config
from demur.engines import Engine, Progress, Sampling
from demur.records import Example, Knowledge, Probe, Question
from demur.templates import Template


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
    trained: bool = True


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Elicited:
    """What a system said to one question, not judged yet."""

    answer: str
    response: str
    declines: bool = False
    """True where its own rule makes the system decline to answer."""
    signals: Mapping[str, float] = field(default_factory=dict)


class Method(Protocol):
    """A way of making a model honest. Methods are stateless; everything comes in as arguments."""

    info: MethodInfo

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """The training rows of each stage, in the order in which the stages are trained."""
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
