"""What the methods of Alignment for Honesty share: the honesty prompt, targets and asking.

Source: Yang et al., "Alignment for Honesty", NeurIPS 2024 (arXiv 2312.07000), section 3 and appendix.
"""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Example, Question, Verdict
from demur.core.templates import HONESTY_INSTRUCTION, HONESTY_REFUSAL
from demur.engines import Engine, Progress
from demur.judging import clean_answer
from demur.methods.base import Elicited, Labelled, Setup
from demur.methods.elicitation import Refusing, answer_or_refuse

PAPER = "Alignment for Honesty (NeurIPS 2024, arXiv 2312.07000)"
REFUSAL_TOKENS = 24
"""Room for the refusal beyond that for an answer."""
REFUSING = Refusing(refusals=(HONESTY_REFUSAL,), more_tokens=REFUSAL_TOKENS)
DEVIATIONS = (
    "samples are drawn as the run's probe draws them (temperature 0.7 by default, the paper's is 1)",
    "answers are judged by rule, the paper adds a rating by a hosted model",
    "`sure`, one minus the probability of the refusal, is added as a confidence",
    "LoRA by default, the paper tunes every weight",
)


def prompt(question: Question, setup: Setup) -> str:
    """The honesty prompt of a question, around the run's own template."""
    return f"{HONESTY_INSTRUCTION}\n{setup.template.ask(question)}"


def own_answer(item: Labelled) -> str | None:
    """The model's own right answer: the greedy one, else the first right sample; None without any."""
    probe = item.probe
    said = [(probe.greedy, probe.greedy_verdict)]
    said += zip(probe.samples, probe.sample_verdicts, strict=True)
    texts = (response.text for response, verdict in said if verdict is Verdict.CORRECT)
    text = next(texts, None)
    return None if text is None else clean_answer(text, stop=("\n",)).removesuffix(".")


def tenths(item: Labelled) -> int | None:
    """How many of ten samples are right, rounded up so that 0 means none; None where none was judged."""
    accuracy = item.knowledge.expected_accuracy
    return None if accuracy is None else -int(-10 * accuracy // 1)


def row(item: Labelled, setup: Setup, completion: str, *, certain: bool) -> Example:
    """A training row behind the honesty prompt."""
    return Example(
        prompt=setup.render(prompt(item.question, setup)),
        completion=completion,
        question_id=item.question.id,
        certain=certain,
        ends=True,
    )


def refusal(item: Labelled, setup: Setup) -> str:
    """The refusal as a completion."""
    return setup.template.lead(item.question) + HONESTY_REFUSAL


def ask(
    engine: Engine,
    questions: Sequence[Question],
    setup: Setup,
    refusing: Refusing = REFUSING,
    *,
    progress: Progress | None = None,
) -> list[Elicited]:
    """Ask with the honesty prompt."""
    return answer_or_refuse(
        engine,
        questions,
        setup,
        refusing,
        prompts=[prompt(question, setup) for question in questions],
        progress=progress,
    )
