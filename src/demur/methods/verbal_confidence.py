"""Verbal confidence: the untuned model answers, then says in percent how likely its answer is right.

Works with any model behind any server that follows instructions; a model that gives no number has no
confidence. Two questions, as the paper's "Verb. 2S top-1"; the wording is ours.

Source: Tian et al., "Just Ask for Calibration", EMNLP 2023 (arXiv 2305.14975), section 3.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from demur.core.records import Question
from demur.core.templates import VERBAL_QUESTION, fill
from demur.engines import Engine, Progress
from demur.methods.base import Elicited, MethodInfo, Setup
from demur.methods.elicitation import answer_greedily
from demur.methods.untuned import Untuned

NUMBER_TOKENS = 8
"""Room for the number and a word before it."""
SCALE = re.compile(r"\b(?:0|1)(?:\s?%)?\s?(?:[-–—]|to)\s?(100|10|1)\b(?:\s?%)?(?!\s?[-–—./\d])")
"""The scale that a reply repeats, as in "Confidence (0-100): 85"; it is not the confidence."""
STATED = re.compile(
    r"(?P<minus>(?<!\w)[-−])?(?<![\d.,])(?P<number>\d{1,3}(?:\.\d+|,\d{1,2})?|\.\d+)(?![.,]?\d)"
    r"(?:\s?(?P<percent>\\?%|per\s?cent)|\s?(?:/|\(?(?:out )?of)\s?(?P<whole>\d+))?",
    re.IGNORECASE,
)


class VerbalConfidence(Untuned):
    """The base model, asked for its confidence in words."""

    info = MethodInfo(
        name="verbal-confidence",
        summary="the model before tuning, which then says in percent how likely its answer is right",
        paper="Just Ask for Calibration (EMNLP 2023, arXiv 2305.14975)",
        needs=(),
        loss="none",
        cost="two answers",
        signals=("verbal", "likelihood"),
        primary_signal="verbal",
        deviations=("both questions are asked in one turn each, the second with the answer in it",),
        weights="base",
    )

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily, then ask how likely that is right."""
        said = answer_greedily(engine, questions, setup)
        prompts = [
            fill(VERBAL_QUESTION, question=setup.template.ask(question), answer=item.answer)
            for question, item in zip(questions, said, strict=True)
        ]
        sampling = dataclasses.replace(
            setup.sampling, samples=0, max_new_tokens=NUMBER_TOKENS, stop=("\n",), watch=None
        )
        stated = engine.generate(
            prompts, keys=[question.id for question in questions], sampling=sampling, progress=progress
        )
        return [
            _with_verbal(item, "" if reply.greedy is None else reply.greedy.text)
            for item, reply in zip(said, stated, strict=True)
        ]


def _with_verbal(said: Elicited, reply: str) -> Elicited:
    value = percentage(reply)
    return said if value is None else dataclasses.replace(said, signals={**said.signals, "verbal": value})


def percentage(text: str) -> float | None:
    """The confidence that a text states first, as a share in [0, 1]; None without one, or beyond it.

    The question asks for percent, so 85 and 85 % are 0.85. A number with a decimal point that is at most 1
    is a share itself (0.85), unless a percent sign follows; 8/10 and "8 out of 10" are 0.8.
    """
    scale = SCALE.search(text)
    found = STATED.search(SCALE.sub(" ", text))
    if found is None or found["minus"]:
        return None
    written = found["number"].replace(",", ".")
    number, shares = float(written), "." in written and not found["percent"]
    whole = float(found["whole"] or (scale[1] if scale and not found["percent"] else 100))
    if found["whole"] is None and shares and number <= 1:
        whole = 1.0
    return number / whole if 0 < whole >= number else None
