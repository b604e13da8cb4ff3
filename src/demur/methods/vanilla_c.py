"""Vanilla-C: the vanilla model's majority answer among its samples, as confident as they agree.

Source: baseline of R-Tuning-U in R-Tuning (arXiv 2311.09677), section 4: majority of 10 samples, confidence
= largest count / 10. Answers are the same where they agree after normalisation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from demur.core.reasoning import without_reasoning
from demur.core.records import Example, Question, Response
from demur.engines import Engine, Progress
from demur.judging.extraction import NAMELESS, answer_names
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup


class VanillaC:
    """The vanilla model, asked k times."""

    info = MethodInfo(
        name="vanilla-c",
        summary="the majority of k sampled answers of the vanilla model, as confident as they agree",
        paper="baseline of R-Tuning (NAACL 2024, arXiv 2311.09677)",
        needs=("labels", "samples"),
        loss="none beyond vanilla's",
        cost="k sampled answers per question at inference",
        signals=("agreement", "consistency"),
        primary_signal="agreement",
        weights="vanilla",
        samples=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """Nothing beyond what `vanilla` is trained on."""
        return {}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Sample k answers and take the most frequent; the first sampled wins a tie."""
        prompts = [setup.template.ask(question) for question in questions]
        keys = [question.id for question in questions]
        generated = engine.generate(prompts, keys=keys, sampling=setup.sampling, progress=progress)
        return [majority(item.samples) for item in generated]


def majority(samples: Sequence[Response]) -> Elicited:
    """The most frequent answer with its share, and one minus the answers' entropy over ln k.

    A reply without an answer counts as none; where all are, there is none and no confidence.
    """
    names = answer_names(samples)
    counts = Counter(names)
    given = [name for name in names if not name.startswith(NAMELESS)]
    if not given:
        return Elicited(answer="", response=samples[0].text, finish=samples[0].finish, declines=True)
    winner, largest = Counter(given).most_common(1)[0]
    k = len(names)
    entropy = -math.fsum(n / k * math.log(n / k) for n in counts.values())
    chosen = samples[names.index(winner)]
    consistency = 1.0 - entropy / math.log(k) if k > 1 else 1.0
    signals = {"agreement": largest / k, "consistency": min(1.0, consistency)}
    said = without_reasoning(chosen.text) or ""
    return Elicited(answer=said.strip(), response=chosen.text, signals=signals, finish=chosen.finish)
