"""What a confidence is fitted to beside the answer: hidden states, sampled answers, a stated confidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from demur.core.config import FitSettings
from demur.core.errors import ConfigError
from demur.core.records import Question
from demur.core.templates import Template
from demur.engines import Engine, Sampling
from demur.engines.base import Generated
from demur.signals.base import Said
from demur.signals.fitted import Fitted
from demur.signals.linear import layers_of
from demur.signals.verbal import verbal


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The layers that are read, the answers that are sampled, and whether a confidence is asked for."""

    layers: tuple[int, ...] = ()
    samples: int = 0
    verbal: bool = False

    @classmethod
    def to_fit(cls, settings: FitSettings, engine: Engine, *, samples: int) -> Beside:
        """What is asked for of labelled questions, before anything is fitted.

        Args:
            samples: how many are drawn where any are.

        Raises:
            ConfigError: the settings want samples, which the engine cannot draw.
        """
        can = engine.capabilities
        layers = layers_of(can.layers)
        lacking = not layers and not can.token_logprobs and can.samples
        wanted: Sequence[str] = ("agreement",) if lacking else ()
        if settings.signals is not None:
            wanted = settings.signals
        if "agreement" in wanted and not can.samples:
            raise ConfigError(
                expected="an engine that samples answers, which agreement is computed from",
                found=f"{engine.name}, which draws none here",
                where="fit.signals",
                fix="leave agreement out, as in `--fit.signals verbal`",
            )
        drawn = samples if "agreement" in wanted else 0
        return cls(layers=layers, samples=drawn, verbal="verbal" in wanted)

    @classmethod
    def of(cls, fitted: Fitted) -> Beside:
        """What a fitted confidence needs of every answer."""
        return cls(layers=fitted.layers, samples=fitted.samples, verbal=fitted.verbal)

    def sampling(self, own: Sampling) -> Sampling:
        """How answers are generated, with what is read of them."""
        return dataclasses.replace(own, samples=self.samples, layers=self.layers)

    def said(
        self,
        engine: Engine,
        template: Template,
        questions: Sequence[Question],
        generated: Sequence[Generated],
        sampling: Sampling,
    ) -> list[Said | None]:
        """What a model said to each question; None where a gate turned it away. Asks how sure it is."""
        found = [
            None
            if item.greedy is None
            else Said(question=question, greedy=item.greedy, samples=item.samples, states=item.states)
            for question, item in zip(questions, generated, strict=True)
        ]
        given = [item for item in found if item is not None]
        if not self.verbal or not given:
            return found
        asked = [item.question for item in given]
        answers = [item.greedy.text.strip() for item in given]
        stated = iter(verbal(engine, template, asked, answers, sampling=sampling))
        return [None if item is None else dataclasses.replace(item, verbal=next(stated)) for item in found]
