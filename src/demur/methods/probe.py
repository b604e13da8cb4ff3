"""The untuned model's own answers, with a confidence that was fitted to its labelled answers.

A linear probe reads the model's hidden states at the end of its answer, and is weighed with the
probability of the answer's tokens. For questions unlike those it was fitted to it trusts the tokens more
(`demur.signals.fitted`). Nothing is tuned: fitting takes seconds once the training questions were
answered, and the answers are those of the model as it is.
It declines below a threshold that is chosen on calibration questions, which have no part in the fit.
Nothing is chosen on test.

Not part of any of the papers; sources are named in `demur.signals.linear`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from demur.core.records import Example, Question
from demur.engines import Engine, Progress
from demur.engines.base import Gate, Generated
from demur.methods.base import SAMPLES, Elicited, Labelled, MethodInfo, Setup
from demur.methods.elicitation import from_response
from demur.signals.beside import Beside


class Probe:
    """Untuned answers with a fitted confidence."""

    info = MethodInfo(
        name="probe",
        summary="the untuned model's answers; a linear probe on its hidden states, weighed with token "
        "probabilities, says how sure they are",
        paper="Demur; linear probes on hidden states (EMNLP 2023 and later)",
        needs=("labels",),
        loss="logistic regression on labelled answers",
        cost="one greedy answer of each training question; at inference a few products beside the answer",
        signals=(
            "learned",
            "probe",
            "answer-rate",
            "sum",
            "min",
            "likelihood",
            "p-ik",
            "agreement",
            "verbal",
        ),
        primary_signal="learned",
        rule="learned",
        stages=(),
        fits=True,
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """Nothing is tuned."""
        return {}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily, and read the confidence off the states of the same pass."""
        beside = self._beside(engine, setup)
        sampling = dataclasses.replace(beside.sampling(setup.sampling), gate=self.gate(setup))
        generated = engine.generate(
            [setup.template.ask(question) for question in questions],
            keys=[question.id for question in questions],
            sampling=sampling,
            progress=progress,
        )
        said = beside.said(engine, setup.template, questions, generated, setup.sampling)
        found = []
        for question, item, heard in zip(questions, generated, said, strict=True):
            if heard is None:
                found.append(self.unanswered(question, item, setup))
                continue
            elicited = from_response(heard.greedy)
            own = {} if setup.fitted is None else setup.fitted(heard)
            found.append(dataclasses.replace(elicited, signals={**elicited.signals, **own}))
        return found

    def _beside(self, engine: Engine, setup: Setup) -> Beside:
        """What is asked for beside an answer: of a model that nothing is fitted to yet, what will be."""
        if setup.fitted is not None:
            return Beside.of(setup.fitted)
        return Beside.to_fit(setup.config.fit, engine, samples=setup.config.probe.samples or SAMPLES)

    def gate(self, setup: Setup) -> Gate | None:
        """Who decides before a question is answered; nobody."""
        return None

    def unanswered(self, question: Question, item: Generated, setup: Setup) -> Elicited:
        """What is said of a question that the gate turned away."""
        raise AssertionError("a greedy response was asked for")
