"""Verbal confidence: the model is shown its answer and asked in percent how likely it is right.

Source: Tian et al., "Just Ask for Calibration", EMNLP 2023 (arXiv 2305.14975), section 3, "Verb. 2S top-1".
Deviations: the wording is ours; each question is a turn of its own, the second with the answer in it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from demur.core.records import Question
from demur.core.templates import VERBAL_QUESTION, Template, fill
from demur.engines import Engine, Progress, Sampling
from demur.signals.asking import AsksAgain
from demur.signals.base import Said, SignalInfo

NUMBER_TOKENS = 8
"""Room for the number and a word before it."""
SCALE = re.compile(r"\b(?:0|1)(?:\s?%)?\s?(?:[-–—]|to)\s?(100|10|1)\b(?:\s?%)?(?!\s?[-–—./\d])")
"""The scale that a reply repeats, as in "Confidence (0-100): 85"; it is not the confidence."""
STATED = re.compile(
    r"(?P<minus>(?<!\w)[-−])?(?<![\d.,])(?P<number>\d{1,3}(?:\.\d+|,\d{1,2})?|\.\d+)(?![.,]?\d)"
    r"(?:\s?(?P<percent>\\?%|per\s?cent)|\s?(?:/|\(?(?:out )?of)\s?(?P<whole>\d+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verbal(AsksAgain):
    """The stated confidence in one answer, in [0, 1]; None where the model states none.

    One that was asked for before is taken. For many answers `verbal` is faster: it asks them in batches.
    """

    info: ClassVar = SignalInfo(
        name="verbal",
        summary="confidence in percent that the model states of its answer",
        source="Tian et al. (arXiv 2305.14975), Verb. 2S top-1, in our words",
        needs=("words",),
        cost="a second question with a number as its answer",
        bounds=(0.0, 1.0),
    )

    def __call__(self, said: Said) -> float | None:
        """The confidence in the greedy answer."""
        model = self.model()
        if model is None or said.verbal is not None:
            return said.verbal
        [value] = verbal(*model, [said.question], [said.greedy.text.strip()])
        return value


def verbal(
    engine: Engine,
    template: Template,
    questions: Sequence[Question],
    answers: Sequence[str],
    *,
    sampling: Sampling | None = None,
    progress: Progress | None = None,
) -> list[float | None]:
    """The confidence that a model states in each question's answer, in [0, 1]; None where it states none.

    Args:
        template: how the question was asked.
        sampling: how the number is generated, but for its length and its end.
    """
    prompts = [
        fill(VERBAL_QUESTION, question=template.ask(question), answer=answer)
        for question, answer in zip(questions, answers, strict=True)
    ]
    stated = dataclasses.replace(
        sampling or Sampling(), samples=0, max_new_tokens=NUMBER_TOKENS, stop=("\n",), watch=None
    )
    keys = [question.id for question in questions]
    replies = engine.generate(prompts, keys=keys, sampling=stated, progress=progress)
    return [None if reply.greedy is None else percentage(reply.greedy.text) for reply in replies]


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
