"""From a text to a verdict: correct, wrong, refused, or not to be judged."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from functools import lru_cache

from demur.core.errors import ConfigError
from demur.core.records import Question, Reading, Verdict
from demur.judging.base import Judge, Judgement, Right
from demur.judging.extraction import Extracted, extract
from demur.judging.markup import unwrapped
from demur.judging.normalise import normalise
from demur.judging.refusals import is_refusal, refusal_state, without_refusals
from demur.judging.sentences import first_sentence

DEFAULT_RULE = "contains-words"
NO_ANSWER = "no answer"
NOTHING_ACCEPTED = "no accepted answer to compare with"

_WITH_THRESHOLD = re.compile(r"(?P<name>[\w-]+)\((?P<threshold>[0-9.]+)\)")
_FIRST_PERSON = re.compile(r"(?:i|we|i'm|i’m)\b", re.IGNORECASE)
_DECLINING = ("refused", "corrects-premise")
"""Readings that give no answer to what was asked."""


def judge(
    question: Question, text: str, *, rule: str = DEFAULT_RULE, refusals: Sequence[str] = ()
) -> Verdict:
    """The verdict alone of `judgement`, which has the same arguments."""
    return judgement(question, text, rule=rule, refusals=refusals).verdict


def judgement(
    question: Question, text: str, *, rule: str = DEFAULT_RULE, refusals: Sequence[str] = ()
) -> Judgement:
    """Judge one text as an answer to a question.

    The answer is extracted (`demur.judging.extraction`), and the rule reads that. CORRECT where it is an
    accepted answer, or the rule finds one outside any refusal phrase; REFUSED where the text declines or
    corrects the question's premise instead; WRONG where a question that cannot be answered is answered, or
    no accepted answer is found; UNSCORED where there is no answer to judge, such as an empty text, or the
    rule cannot tell, such as an answerable question without accepted answers.

    Args:
        text: what was said, reasoning included.
        rule: a name of `JUDGES`; ``token-f1(0.8)`` sets a threshold. A question with choices is judged by
            ``choice``, except under the published rule ``contains`` and under ``raw-exact``.
        refusals: refusal sentences of the method in use, besides the built-in ones.

    Raises:
        UnknownNameError: for an unknown rule.
    """
    found = extract(text, question=question.text, choices=question.choices)
    if found.answer is None and (said := normalise(text)) and said in _normal(question.answers):
        # "Which gears of war is the ultimate edition?" is answered in its own words
        found = Extracted(text.strip(), text.strip(), text.strip())
    if found.answer is None:
        return Judgement(Verdict.UNSCORED, reason=NO_ANSWER)
    right, raw = _rule(rule, bool(question.choices))
    read = found.raw if raw else found.answer
    correct = _is_right(right, question, read)
    stated = found.statement is not None
    if correct and normalise(read) in _normal(question.answers):
        return Judgement(Verdict.CORRECT, found.answer, "answered", stated)
    reading = _reading(found, question.text, refusals)
    declined = reading in _DECLINING
    if correct and declined:
        # "I do not know the answer." does not give "answer", "It is unknown." does give "unknown"
        outside = without_refusals(read, question=question.text, phrases=refusals)
        correct = _accepts_a_refusal(question) or right(question, outside)
    if correct:
        return Judgement(Verdict.CORRECT, found.answer, reading, stated)
    if declined:
        return Judgement(Verdict.REFUSED, found.answer, reading, stated)
    if correct is None and question.answerable:
        return Judgement(Verdict.UNSCORED, found.answer, reading, stated, NOTHING_ACCEPTED)
    return Judgement(Verdict.WRONG, found.answer, reading, stated)


def _accepts_a_refusal(question: Question) -> bool:
    """Whether an accepted answer reads like a refusal ("Nobody Knows"); in the first person none does."""
    return any(
        is_refusal(answer) and not _FIRST_PERSON.match(answer.strip()) for answer in question.answers
    )


def declines(text: str, *, question: str = "", phrases: Sequence[str] = ()) -> bool:
    """Whether a text clearly declines, its reasoning aside; the arguments are those of `refusal_state`."""
    found = extract(text, question=question)
    return found.answer is not None and _reading(found, question, phrases) in _DECLINING


def _reading(found: Extracted, question: str, phrases: Sequence[str]) -> Reading:
    """Whether a response answers or declines: by its final answer, else by all of it."""
    stated = found.statement
    if stated is None:
        return refusal_state(found.text, question=question, phrases=phrases)
    for text in dict.fromkeys((found.answer or "", stated.sentence)):
        own = refusal_state(text, question=question, phrases=phrases)
        if own in (*_DECLINING, "contradicts"):
            return own
    whole = refusal_state(found.text, question=question, phrases=phrases)
    return "answered" if whole == "answered" else "hedged"


def _is_right(right: Right, question: Question, text: str) -> bool | None:
    """The rule's word; accepted answers in LaTeX count with and without their marks."""
    correct = right(question, text)
    if correct or not any("\\" in answer or "$" in answer for answer in question.answers):
        return correct
    plain = tuple(map(unwrapped, question.answers))
    return right(dataclasses.replace(question, answers=plain), text)


@lru_cache(maxsize=1 << 14)
def _normal(answers: tuple[str, ...]) -> frozenset[str]:
    """The accepted answers in their normal form."""
    return frozenset(map(normalise, answers))


def find_judge(rule: str) -> tuple[Judge, Right]:
    """The rule called ``rule``, and its test at the threshold that the name sets.

    Raises:
        UnknownNameError: for an unknown rule.
        ConfigError: for a threshold that the rule does not have, or outside (0, 1].
    """
    from demur.judging import JUDGES

    match = _WITH_THRESHOLD.fullmatch(rule)
    entry = JUDGES.get(match["name"] if match else rule)
    if match is None:
        return entry, entry.right
    threshold = float(match["threshold"])
    if entry.with_threshold is None or not 0 < threshold <= 1:
        raise ConfigError(
            expected="a judging rule with a threshold in (0, 1], such as token-f1(0.8)",
            found=repr(rule),
            where="judging rule",
            fix="leave the threshold out, or choose token-f1 with one above 0 and at most 1",
        )
    return entry, entry.with_threshold(threshold)


@lru_cache(maxsize=64)
def _rule(rule: str, has_choices: bool) -> tuple[Right, bool]:
    """The test for a question with or without choices, and whether it reads the text as it stands."""
    entry, right = find_judge(rule)
    if has_choices and entry.choices_by:
        return find_judge(entry.choices_by)[1], False
    return right, entry.raw


def clean_answer(text: str, *, stop: Sequence[str] = (".", "\n")) -> str:
    """The answer within a raw response: up to the first stop string, white space stripped.

    Text without a stop string is kept whole, its last character included. A full stop ends an answer only
    where a sentence can end: not inside "3.14", not after an initial ("J. R. R. Tolkien") or a common
    abbreviation ("St. Louis").

    Args:
        text: what was generated; white space before the answer does not count as a stop.
        stop: strings that end an answer.
    """
    answer = text.lstrip()
    for mark in stop:
        if mark != ".":
            answer = answer.partition(mark)[0]
    return (first_sentence(answer) if "." in stop else answer).strip()
