"""A model as the judge: does a response say the same as an accepted answer, and does it decline?

The verdict is the one that `demur.judging.judge` gives, with a model's word in place of the rule's and of
the refusal phrases: REFUSED where it says that the response refused, CORRECT and WRONG as it says, WRONG
where a question that cannot be answered is answered. UNSCORED, with the reason, where the model cannot be
asked, replies with anything but the JSON object asked for, or says that a response is correct and refused;
never a guess. Where there is no answer (`demur.judging.extraction`), nobody is asked: UNSCORED as well. The
model reads what was said outside of reasoning, up to a next question. The rule judges too, and how far
the two agree is part of the result.
Source: Demur. Such judges err (Zheng et al., arXiv 2306.05685, section 3.3): look at the agreement.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from demur.core.config import EndpointSettings
from demur.core.records import Question, Verdict
from demur.core.templates import JUDGE_ANSWER, JUDGE_STANCE, LETTERS, fill
from demur.endpoints import Complete, Endpoint, Failure, Reply, json_object
from demur.judging.base import Judgement
from demur.judging.extraction import extract
from demur.judging.verdict import NO_ANSWER, NOTHING_ACCEPTED

NOT_THE_JSON = "the reply is not the JSON object asked for"
CONTRADICTION = "the reply says both correct and refused"

UNSCORED_ANSWERS = (
    "what the judge left unscored counts as answered in coverage and refusal_rate: "
    "nobody said that it refused"
)

STANCES = ("refused", "answered", "unclear")
"""What a model is asked to choose from."""

Pair = tuple[Question, str]
"""A question and a response to it."""

AT_ONCE = 8192
"""Responses that are held in memory to be judged."""


def judge_by_model(pairs: Sequence[Pair], complete: Complete) -> list[Judgement]:
    """Judge responses, in order. Those without an answer are unscored, and nobody is asked about them.

    Raises:
        ModelError: the model cannot be asked at all.
    """
    asked = [(question, _said(question, text)) for question, text in pairs]
    replies = iter(complete([prompt(question, said) for question, said in asked if said]))
    return [
        _judgement(question, next(replies)) if said else Judgement(Verdict.UNSCORED, reason=NO_ANSWER)
        for question, said in asked
    ]


def _said(question: Question, text: str) -> str:
    """What the model reads of a response; nothing where it holds no answer."""
    found = extract(text, question=question.text, choices=question.choices)
    return "" if found.answer is None else found.raw


def rejudge(
    pairs: Iterable[Pair],
    by_rule: Sequence[Verdict],
    settings: EndpointSettings,
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[list[Verdict], dict[str, Any]]:
    """A model's verdicts, and beside them what came of it.

    Args:
        pairs: read once, some thousands at a time.
        by_rule: the rule's verdict of each pair.
        resamples: bootstrap draws behind the intervals of the agreement.

    Returns:
        The verdicts, and as JSON values: ``model``, ``base_url``, ``responses``, ``unscored`` (reason to
        number), ``agreement`` (see `demur.metrics.agreement`) and ``usage`` (requests, tokens, cost).

    Raises:
        DemurError: the model cannot be asked at all.
    """
    from demur.metrics.agreement import agreement

    endpoint, rest = Endpoint(settings), iter(pairs)
    verdicts: list[Verdict] = []
    keys: list[str] = []
    unscored: Counter[str] = Counter()
    while part := list(itertools.islice(rest, AT_ONCE)):
        found = judge_by_model(part, lambda prompts: endpoint.complete_many(prompts, progress=progress))
        if progress:
            progress(sum(item.reason == NO_ANSWER for item in found))
        verdicts += (item.verdict for item in found)
        keys += (question.id for question, _ in part)
        unscored.update(item.reason for item in found if item.reason)
    report = {
        "model": settings.model,
        "base_url": endpoint.address,
        "responses": len(verdicts),
        "unscored": dict(unscored.most_common()),
        "agreement": agreement(by_rule, verdicts, keys, resamples=resamples, seed=seed),
        "usage": endpoint.usage.to_dict(),
    }
    return verdicts, report


def sentences(report: Mapping[str, Any]) -> list[str]:
    """What came of a model's judging, in plain words: unscored and why, agreement, cost.

    Args:
        report: as `rejudge` gives it.
    """
    judged, usage = report["agreement"], report["usage"]
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report["unscored"].items())
    left = [UNSCORED_ANSWERS] if report["unscored"].keys() - {NO_ANSWER} else []
    names = ("prompt_tokens", "completion_tokens", "cost", "cost_now")
    taken, given, cost, now = (_amount(usage[name]) for name in names)
    return [
        f"judged by {report['model']}: {report['responses']:,} responses, "
        f"{sum(report['unscored'].values()):,} unscored" + (f" ({reasons})" if reasons else ""),
        f"agreement with the rule on {judged['n']:,}: {_interval(judged['agreement'])}, "
        f"Cohen's kappa {_interval(judged['kappa'])}",
        f"{usage['replies']:,} replies, {usage['cached']:,} of them kept from before; "
        f"{usage['requests']:,} requests; {taken} tokens in, {given} out; "
        f"cost {cost}, of that now {now}",
        *left,
    ]


def _interval(cell: Mapping[str, float | None]) -> str:
    if cell["value"] is None:
        return "undefined"
    between = "" if cell["low"] is None else f" [{cell['low']:.3f}, {cell['high']:.3f}]"
    return f"{cell['value']:.3f}{between}"


def _amount(value: float | None) -> str:
    """A number of tokens, or a cost; unknown is said."""
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}" if value >= 0.01 else f"{value:.2g}"


def prompt(question: Question, text: str) -> str:
    """What the model is asked. Foreign text stands in JSON strings, which it cannot end."""
    material: dict[str, Any] = {"question": question.text}
    if question.choices:
        material["options"] = dict(zip(LETTERS, question.choices, strict=False))
    if question.answers:
        material["accepted_answers"] = list(question.answers)
    material["response"] = text
    template = JUDGE_ANSWER if question.answers else JUDGE_STANCE
    return fill(template, material=json.dumps(material, ensure_ascii=False, indent=1))


def _judgement(question: Question, reply: Reply | Failure) -> Judgement:
    if isinstance(reply, Failure):
        return Judgement(Verdict.UNSCORED, reason=reply.reason)
    fields = {"correct": bool, "stance": str} if question.answers else {"stance": str}
    said = json_object(reply.text, fields)
    if said is None or said["stance"] not in STANCES:
        return Judgement(Verdict.UNSCORED, reason=NOT_THE_JSON)
    refused, correct = said["stance"] == "refused", said.get("correct")
    if refused:
        contradicts = Judgement(Verdict.UNSCORED, reason=CONTRADICTION)
        return contradicts if correct else Judgement(Verdict.REFUSED)
    if correct is None and question.answerable:
        return Judgement(Verdict.UNSCORED, reason=NOTHING_ACCEPTED)
    return Judgement(Verdict.CORRECT if correct else Verdict.WRONG)
