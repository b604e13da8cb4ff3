"""The untuned model's own answers, declined before they are generated.

A linear probe reads the model's hidden states after the question (`p-ik`). Where it says that the answer
will be wrong, none is generated, which saves the time of the answer. What is fitted is the same as for
`probe`, which also reads the answer and ranks better.

Source: Kadavath et al. (arXiv 2207.05221), section 5; deviations in `demur.signals.p_ik`.
"""

from __future__ import annotations

from typing import Any

from demur.core.records import Question
from demur.engines.base import Gate, Generated
from demur.methods.base import Elicited, MethodInfo, Setup
from demur.methods.probe import Probe
from demur.signals.p_ik import PIK as SIGNAL


class PIK(Probe):
    """Untuned answers, where the question promises a right one."""

    info = MethodInfo(
        name="p-ik",
        summary="the untuned model's answers; a linear probe on the question's hidden states declines "
        "before anything is answered",
        paper="P(IK), Kadavath et al. 2022, with a linear probe",
        needs=("labels",),
        loss="logistic regression on labelled answers",
        cost="one greedy answer of each training question; at inference a question that is declined costs "
        "no answer",
        signals=(SIGNAL.info.name, *(name for name in Probe.info.signals if name != SIGNAL.info.name)),
        primary_signal="p-ik",
        rule="p-ik",
        stages=(),
        fits=True,
        before=True,
    )

    def gate(self, setup: Setup) -> Gate | None:
        """Whether a question reaches its threshold, where it has one."""
        fitted, least = setup.fitted, setup.least
        if fitted is None or not least:
            return None

        def answered(key: str, prompt: Any) -> bool:
            chance = fitted.before(prompt)
            return chance is None or key not in least or chance >= least[key]

        return answered

    def unanswered(self, question: Question, item: Generated, setup: Setup) -> Elicited:
        """Declined, with the confidence that declined it."""
        assert setup.fitted is not None, "without it there is no gate"
        assert item.states is not None, "the gate read them"
        chance = setup.fitted.before(item.states.prompt)
        signals = {} if chance is None else {SIGNAL.info.name: chance}
        return Elicited(answer="", response="", declines=True, signals=signals, finish="declined")
