"""Estimates of the knowledge boundary k(x): from what a model said to whether it knows.

| name | known where | source |
| --- | --- | --- |
| `greedy` | the greedy answer is correct | R-Tuning (arXiv 2311.09677), section 2.2 |
| `expected-accuracy(tau)` | share of correct samples >= tau | Alignment for Honesty (2312.07000), 3.2 |
| `any-correct` | greedy or any sample is correct | Alignment for Honesty, released code |
| `majority` | the most frequent sampled answer is correct | self-consistency |
| `entropy(quantile)` | answer entropy in the lower part | R-Tuning-U, section 4; needs no labels |
| `choice-corrected(tau)` | that share, chance removed, >= tau | the usual correction for guessing |

Verdicts that could not be given are left out of every share; where none is left the knowledge is
unknown (None), which is neither known nor not known. A model that ends at once, without any text, knows no
answer (R-Tuning: what it says is not the accepted answer); one whose reasoning is cut off may know it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from demur.core.errors import ConfigError, UnknownNameError
from demur.core.records import Knowledge, Probe, Question, Verdict
from demur.judging.extraction import answer_names

DEFAULTS = {
    "greedy": None,
    "expected-accuracy": 0.1,
    "any-correct": None,
    "majority": None,
    "entropy": 0.5,
    "choice-corrected": 0.1,
}
"""Estimators by name, with the default of their parameter; None where they take none."""

NEEDS_SAMPLES = frozenset({"expected-accuracy", "majority", "entropy", "choice-corrected"})


def parse(text: str) -> tuple[str, float | None]:
    """Split ``expected-accuracy(0.1)`` into name and parameter; the parameter may be left out.

    Raises:
        UnknownNameError: no such estimator.
        ConfigError: a parameter that is no number in [0, 1], or one where none is taken.
    """
    match = re.fullmatch(r"\s*([a-z-]+)\s*(?:\(\s*([^)]*?)\s*\))?\s*", text)
    name = match[1] if match else text
    if name not in DEFAULTS:
        raise UnknownNameError("knowledge estimator", name, DEFAULTS, "knowledge.estimator")
    given = match[2] if match else None
    if given is None:
        return name, DEFAULTS[name]
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if DEFAULTS[name] is None or not 0 <= value <= 1:
        wanted = "no parameter" if DEFAULTS[name] is None else "a number from 0 to 1"
        raise ConfigError(
            expected=f"{name} with {wanted}",
            found=text,
            where="knowledge.estimator",
            fix=f"write {name}" if DEFAULTS[name] is None else f"write {name}({DEFAULTS[name]})",
        )
    return name, value


def estimate(questions: Sequence[Question], probes: Sequence[Probe], estimator: str) -> list[Knowledge]:
    """Estimate the knowledge of each question, in order.

    Args:
        estimator: name with its parameter, as in the table above.

    Raises:
        ConfigError: the estimator needs samples and the probes hold none.
    """
    name, parameter = parse(estimator)
    if name in NEEDS_SAMPLES and any(not probe.samples for probe in probes):
        raise ConfigError(
            expected=f"sampled responses, which {name} is estimated from",
            found="a probe without samples",
            where="probe.samples",
            fix="set probe.samples to 10, or use the greedy estimator",
        )
    label = name if parameter is None else f"{name}({parameter:g})"
    drafts = [_draft(probe, label) for probe in probes]
    if name == "entropy":
        assert parameter is not None
        return _lower_entropy(drafts, probes, parameter)
    decide = _RULES[name]
    return [
        replace(draft, known=decide(question, probe, draft, parameter))
        for question, probe, draft in zip(questions, probes, drafts, strict=True)
    ]


def _draft(probe: Probe, label: str) -> Knowledge:
    """Everything but the decision."""
    scored = [v for v in _verdicts(probe)[1:] if v is not Verdict.UNSCORED]
    return Knowledge(
        question_id=probe.question_id,
        estimator=label,
        known=None,
        expected_accuracy=scored.count(Verdict.CORRECT) / len(scored) if scored else None,
        entropy=_entropy(_answer_counts(probe)) if probe.samples else None,
    )


def _verdicts(probe: Probe) -> list[Verdict]:
    """The verdicts of the greedy and the sampled responses; WRONG where the model ended at once."""
    responses = (probe.greedy, *probe.samples)
    return [
        Verdict.WRONG if response.finish == "stop" and not response.text.strip() else verdict
        for response, verdict in zip(responses, (probe.greedy_verdict, *probe.sample_verdicts), strict=True)
    ]


def _answer_counts(probe: Probe) -> Counter[str]:
    return Counter(answer_names(probe.samples))


def _entropy(counts: Counter[str]) -> float:
    """-sum p ln p over exact (normalised) answers, in nats: 0 where all agree, ln k at most."""
    total = counts.total()
    return abs(math.fsum(-n / total * math.log(n / total) for n in counts.values()))


def _greedy(_: Question, probe: Probe, __: Knowledge, ___: float | None) -> bool | None:
    verdict = _verdicts(probe)[0]
    return None if verdict is Verdict.UNSCORED else verdict is Verdict.CORRECT


def _any_correct(_: Question, probe: Probe, __: Knowledge, ___: float | None) -> bool | None:
    verdicts = {*_verdicts(probe)} - {Verdict.UNSCORED}
    return Verdict.CORRECT in verdicts if verdicts else None


def _majority(_: Question, probe: Probe, __: Knowledge, ___: float | None) -> bool | None:
    """The most frequent answer's own verdict; the first sampled wins a tie."""
    winner = _answer_counts(probe).most_common(1)[0][0]
    verdict = _verdicts(probe)[1 + answer_names(probe.samples).index(winner)]
    return None if verdict is Verdict.UNSCORED else verdict is Verdict.CORRECT


def _expected_accuracy(_: Question, __: Probe, draft: Knowledge, tau: float | None) -> bool | None:
    """>= tau, as the paper's condition is written; its summary's > differs at exactly one of ten."""
    assert tau is not None
    return None if draft.expected_accuracy is None else draft.expected_accuracy >= tau


def _choice_corrected(question: Question, _: Probe, draft: Knowledge, tau: float | None) -> bool | None:
    """(accuracy - chance) / (1 - chance) >= tau with chance = 1 / number of choices; 0 without choices."""
    assert tau is not None
    if draft.expected_accuracy is None:
        return None
    chance = 1 / len(question.choices) if len(question.choices) > 1 else 0.0
    return (draft.expected_accuracy - chance) / (1 - chance) >= tau


def _lower_entropy(drafts: list[Knowledge], probes: Sequence[Probe], quantile: float) -> list[Knowledge]:
    """The ``quantile`` share with the lowest entropy is known; ties go by question id, not by order."""
    order = sorted(range(len(probes)), key=lambda i: (drafts[i].entropy or 0.0, probes[i].question_id))
    known = set(order[: round(quantile * len(order))])
    return [replace(draft, known=i in known) for i, draft in enumerate(drafts)]


_RULES: dict[str, Callable[[Question, Probe, Knowledge, float | None], bool | None]] = {
    "greedy": _greedy,
    "any-correct": _any_correct,
    "majority": _majority,
    "expected-accuracy": _expected_accuracy,
    "choice-corrected": _choice_corrected,
}
