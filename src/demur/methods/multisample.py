"""MULTISAMPLE: every sample is a training row; the wrong ones are replaced by the refusal.

So the model refuses a question as often as its samples were wrong.

Source: Alignment for Honesty (arXiv 2312.07000), section 3.2. Ten samples make ten times the rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from demur.core.records import Example, Verdict
from demur.judging import clean_answer
from demur.methods import honesty
from demur.methods.absolute import Absolute
from demur.methods.base import Labelled, Setup


class Multisample(Absolute):
    """Answers as often as it was right."""

    info = dataclasses.replace(
        Absolute.info,
        name="multisample",
        summary="answers or refuses, trained on every sample, wrong ones replaced by the refusal",
        cost="one greedy and k sampled answers, and k rows, per training question",
        row_per_sample=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per judged sample of each question."""
        return {"sft": [row for item in data for row in _rows(item, setup)]}


def _rows(item: Labelled, setup: Setup) -> Iterator[Example]:
    probe = item.probe
    for sample, verdict in zip(probe.samples, probe.sample_verdicts, strict=True):
        if verdict is Verdict.CORRECT:
            answer = clean_answer(sample.text, stop=("\n",)).removesuffix(".")
            completion = setup.template.answered(answer, item.question)
            yield honesty.row(item, setup, completion, certain=True)
        elif verdict is not Verdict.UNSCORED:
            yield honesty.row(item, setup, honesty.refusal(item, setup), certain=False)
