"""R-Tuning, min-loss: the model itself chooses between gold answer and refusal, by which costs it less.

First it is tuned as R-Tuning-R, so that it can say both. Then each training question gets the target whose
beginning the tuned model finds likelier, and it is tuned once more on those.

Source: R-Tuning (arXiv 2311.09677), appendix: whichever target has the lower first-token loss, two stages.
What the paper's first stage trains on could not be read; R-Tuning-R's rows are this reading's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from demur.core.records import Example
from demur.methods.base import Labelled, Setup
from demur.methods.r_tuning_r import RTuningR, phrase, replaced


class RTuningMinLoss(RTuningR):
    """R-Tuning-R, then each question's cheaper target."""

    info = dataclasses.replace(
        RTuningR.info,
        name="r-tuning-min-loss",
        summary="answers or refuses, tuned on whichever it finds likelier after a first round",
        cost="R-Tuning-R's twice, and one scored word per training question",
        deviations=(
            "the paper's first stage could not be read; it is R-Tuning-R's here",
            "first words are compared, not first tokens: the same where words are tokens",
            *RTuningR.info.deviations,
        ),
        rounds=2,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """R-Tuning-R's rows in the first round; later the target that the model now finds likelier."""
        if setup.round == 1:
            return super().build(data, setup)
        items = [item for item in data if item.question.answers]
        chosen = _likelier(items, setup)
        return {
            "sft": [replaced(item, setup, known=known) for item, known in zip(items, chosen, strict=True)]
        }


def _likelier(items: Sequence[Labelled], setup: Setup) -> list[bool]:
    """For each question whether its gold answer begins likelier than its phrase."""
    template, questions = setup.template, [item.question for item in items]
    prompts = [template.ask(question) for question in questions]
    pairs = [
        [
            template.lead(question) + text.split(maxsplit=1)[0]
            for text in (question.answers[0], phrase(question, setup))
        ]
        for question in questions
    ]
    return [gold >= refusal for gold, refusal in setup.engine.score(prompts, pairs)]
