"""R-Tuning: after each answer the model says whether it is sure, having seen where it was right.

Where the base model answers a training question correctly the row ends in "I am sure." (certain data,
D1), elsewhere in "I am unsure." (uncertain data, D0). Both keep the gold answer. At inference the
model answers, is asked whether it is sure, and the probability of *sure* against *unsure* decides. It
answers where that is at least a threshold: 0.5 in the paper, by default chosen on calibration questions
(`thresholds`).

Source: Zhang et al., "R-Tuning: Instructing Large Language Models to Say 'I Don't Know'", NAACL 2024
(arXiv 2311.09677), sections 2.2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import expit

from demur.core.config import Config
from demur.core.records import Example, Question
from demur.engines import Asked, Engine, Progress
from demur.methods.base import Elicited, Labelled, MethodInfo, Setup
from demur.signals.likelihood import likelihood


class RTuning:
    """R-Tuning with supervised labels ("padding")."""

    info = MethodInfo(
        name="r-tuning",
        summary="answers, then says whether it is sure",
        paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
        needs=("labels",),
        loss="answer and certainty; in chats the certainty words; or every token",
        cost="one greedy answer per training question; at inference one answer and one scored word",
        signals=("sure", "likelihood", "combined"),
        primary_signal="combined",
        deviations=(
            "the loss falls on answer and certainty, as the paper's text says, but in chats on the "
            "certainty words only: a chat model answers in the right form already; the released code has "
            "it on every token: each is an option",
            "the threshold of sure is chosen on calibration questions by default; the paper's 0.5 is an "
            "option, and reported too",
            "sure and unsure are compared as whole continuations, not by the first piece of each word",
            "LoRA by default, the paper tunes every weight",
        ),
        estimator="greedy",
        rule="sure",
    )

    def build(self, data: Sequence[Labelled], setup: Setup) -> dict[str, list[Example]]:
        """One row per question whose knowledge could be estimated; loss starts where the config says."""
        return {"sft": [_row(item, setup) for item in data if item.knowledge.known is not None]}

    def elicit(
        self,
        engine: Engine,
        questions: Sequence[Question],
        setup: Setup,
        *,
        progress: Progress | None = None,
    ) -> list[Elicited]:
        """Answer greedily, then compare the two label words after the certainty question."""
        template = setup.template
        asked = engine.ask(
            [template.ask(question) for question in questions],
            sampling=setup.sampling,
            follow_up=lambda place, text: template.certainty(text.strip(), questions[place]),
            options=(template.label(True), template.label(False)),
            progress=progress,
        )
        return [_read(item, setup) for item in asked]


def _row(item: Labelled, setup: Setup) -> Example:
    template, certain = setup.template, bool(item.knowledge.known)
    prompt = setup.render(template.ask(item.question))
    answered, label = template.certainty(_answer(item, setup), item.question), template.label(certain)
    prompt, completion = {
        "certainty": (prompt + answered, label),
        "answer+certainty": (prompt, answered + label),
        "all": ("", prompt + answered + label),
    }[loss_of(setup.config, formed=setup.formed)]
    return Example(prompt=prompt, completion=completion, question_id=item.question.id, certain=certain)


def loss_of(config: Config, *, formed: bool) -> str:
    """Where the loss falls; see `RTuningSettings.loss`.

    Args:
        formed: see `Setup.formed`. Where tuning has to teach the form, loss on the certainty words alone
            would have the model forget to answer.
    """
    chosen = config.r_tuning.loss
    return chosen if chosen != "auto" else "certainty" if formed else "answer+certainty"


def _answer(item: Labelled, setup: Setup) -> str:
    """The answer that the certainty question follows.

    With the gold answer an uncertain row shows an answer that the model would not give, and what is learned
    can be "is this what I would say?", which at inference is always so. The model's own answer leaves only
    how sure it was. Where there is no gold answer, it is all there is.
    """
    gold = item.question.answers
    own = setup.config.r_tuning.answers == "own" or not gold
    return item.probe.greedy.text.strip() if own else gold[0]


def _read(asked: Asked, setup: Setup) -> Elicited:
    """Signals of one answer: P(sure) / (P(sure) + P(unsure)), likelihood, and their mean."""
    log_sure, log_unsure = asked.option_logprobs
    sure = float(expit(log_sure - log_unsure))
    signals = {"sure": sure}
    value = likelihood(asked.response)
    if value is not None:
        signals |= {"likelihood": value, "combined": (sure + value) / 2}
    return Elicited(
        answer=asked.response.text.strip(),
        response=asked.response.text,
        finish=asked.response.finish,
        declines=sure < setup.config.r_tuning.fixed,  # until a threshold is chosen: `thresholds`
        signals=signals,
    )
