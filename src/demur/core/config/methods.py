"""How a model is asked, when an answer is right, what counts as known, and what the methods leave open."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from demur.core.config.model import EndpointSettings
from demur.core.config.section import BY_COMMA, Positive, Section, Share


class ProbeSettings(Section):
    """How the base model is asked what it knows, and how every system answers afterwards."""

    path: Path | None = Field(
        None,
        description="the base model's answers made elsewhere: another run's probe.parquet, or training "
        "rows of Alignment for Honesty; only questions that it lacks are asked",
    )
    samples: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="sampled responses beside the greedy one; left out: 10 where a method or the estimator "
        "needs them, else none",
    )
    temperature: Annotated[float, Field(gt=0)] = Field(0.7, description="of the samples")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the samples")
    max_new_tokens: Positive = Field(15, description="longest answer, in tokens")
    stop: tuple[str, ...] = Field((".", "\n"), description="an answer ends before the first of these")
    score_answers: bool = Field(
        False, description="also compute the exact probability of the accepted answers: one more pass"
    )
    unit: Positive = Field(256, description="questions that are stored, and redone after a crash, together")
    allow_empty: bool = Field(
        False, description="continue where more than half of the first answers (one unit) are empty"
    )


class JudgeSettings(Section):
    """When an answer is right."""

    rule: str = Field("contains-words", description="how an answer is compared with the accepted ones")
    llm: EndpointSettings = EndpointSettings()
    """A model whose verdict takes the place of the rule's; off without an address."""

    def identity(self) -> dict[str, Any]:
        """What a verdict depends on."""
        return {"rule": self.rule, "llm": self.llm.identity() if self.llm.base_url else None}


class KnowledgeSettings(Section):
    """Where the boundary between known and unknown lies."""

    estimator: str | None = Field(
        None,
        description="greedy, any-correct, majority, expected-accuracy(TAU), entropy(QUANTILE) "
        "or choice-corrected(TAU); left out: the method's own, as published",
    )
    train_on: Literal["all", "known", "unknown"] = Field(
        "all", description="train on all questions, or, to study what that does, on known or unknown ones"
    )
    balance: bool = Field(
        False,
        description="train on as many known as unknown questions; the others are left out by the seed",
    )
    min_share: Share = Field(
        0.05, description="stop where less than this share of the training questions is known, or unknown"
    )


class FitSettings(Section):
    """What a confidence is fitted to."""

    signals: Annotated[tuple[Literal["agreement", "verbal"], ...], BY_COMMA] | None = Field(
        None,
        description="what the model is asked beside each answer, and weighed too: agreement (so many more "
        "answers, drawn: probe.samples, else 10), verbal (how sure it is, in percent); left out: agreement "
        "where the engine gives neither hidden states nor log-probabilities",
    )


PAPER_THRESHOLD = 0.5
"""R-Tuning's own rule: answer where *sure* is at least as likely as *unsure*."""


def _threshold(value: object) -> object:
    if value == "calibrated":
        return value
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever was given
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise ValueError("must be 'calibrated' or a number from 0 to 1, such as 0.5")
    return number


class RTuningSettings(Section):
    """R-Tuning's choices."""

    loss: Literal["auto", "certainty", "answer+certainty", "all"] = Field(
        "auto",
        description="where loss falls: the certainty words, answer and certainty, every token; auto: "
        "answer+certainty in plain text, certainty in chats and for pocket models, which know the form",
    )
    answers: Literal["gold", "own"] = Field(
        "gold",
        description="the answer shown before the certainty question: the gold one, as in the paper, or the "
        "model's own, as at inference",
    )
    threshold: Annotated[float | Literal["calibrated"], pydantic.BeforeValidator(_threshold)] = Field(
        "calibrated",
        description="decline to answer where the probability of sure is lower: calibrated (chosen on the "
        "calibration questions), or a fixed number (0.5 in the paper)",
    )

    @property
    def calibrated(self) -> bool:
        """Whether the threshold is chosen on the calibration questions."""
        return self.threshold == "calibrated"

    @property
    def fixed(self) -> float:
        """The threshold as long as none is chosen: the one given, else the paper's."""
        return PAPER_THRESHOLD if isinstance(self.threshold, str) else self.threshold


class USTuningSettings(Section):
    """US-Tuning's choices."""

    review_rows: Positive = Field(
        300,
        description="training rows of the second stage, each with an instruction that changes the answer",
    )
    corrected: Share = Field(
        0.3,
        description="share of them that first ignore that instruction, see so in review, and correct it",
    )
