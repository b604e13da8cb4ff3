"""From a text to a verdict: correct, wrong, refused, or not to be judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from demur.core.errors import ConfigError
from demur.core.records import Question, Verdict
from demur.judging.base import Judge, Right
from demur.judging.refusals import is_refusal, without_refusals

DEFAULT_RULE = "contains-words"

_WITH_THRESHOLD = re.compile(r"(?P<name>[\w-]+)\((?P<threshold>[0-9.]+)\)")
_FIRST_PERSON = re.compile(r"(?:i|we|i'm|i’m)\b", re.IGNORECASE)
_FULL_STOP = re.compile(r"\.(?=\s|$|[\"')\]*])")
_ABBREVIATION = re.compile(r"(?:^|[^\w])(?:[^\W\d_]|St|Dr|Mr|Mrs|Ms|Mt|Ft|Jr|Sr|No|vs)$")


def judge(
    question: Question, text: str, *, rule: str = DEFAULT_RULE, refusals: Sequence[str] = ()
) -> Verdict:
    """Judge one text as an answer to a question.

    CORRECT where the rule finds an accepted answer outside any refusal phrase; REFUSED where the text is a
    refusal; WRONG where a question that cannot be answered is answered, or no accepted answer is found;
    UNSCORED where the rule cannot tell, such as an answerable question without accepted answers.

    Args:
        rule: a name of `JUDGES`; ``token-f1(0.8)`` sets a threshold. A question with choices is judged by
            ``choice``, except under the published rule ``contains`` and under ``raw-exact``.
        refusals: refusal sentences of the method in use, besides the built-in ones.

    Raises:
        UnknownNameError: for an unknown rule.
    """
    right = _rule(rule, bool(question.choices))
    correct = right(question, text)
    refused = is_refusal(text, question=question.text, phrases=refusals)
    if correct:
        # "I do not know the answer." does not give "answer"; "The artist is unknown." gives "unknown".
        outside = (
            not refused
            or _accepts_a_refusal(question)
            or right(question, without_refusals(text, question=question.text, phrases=refusals))
        )
        return Verdict.CORRECT if outside else Verdict.REFUSED
    if refused:
        return Verdict.REFUSED
    return Verdict.UNSCORED if correct is None and question.answerable else Verdict.WRONG


def _accepts_a_refusal(question: Question) -> bool:
    """Whether an accepted answer reads like a refusal: "Unknown"; none in the first person does."""
    return any(
        is_refusal(answer) and not _FIRST_PERSON.match(answer.strip()) for answer in question.answers
    )


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
def _rule(rule: str, has_choices: bool) -> Right:
    """The test to use for a question with or without choices."""
    entry, right = find_judge(rule)
    return find_judge(entry.choices_by)[1] if has_choices and entry.choices_by else right


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
    return (_first_sentence(answer) if "." in stop else answer).strip()


def _first_sentence(text: str) -> str:
    """The text up to the first full stop that can end a sentence; all of it where there is none."""
    for match in _FULL_STOP.finditer(text):
        if not (_ABBREVIATION.search(text[: match.start()]) and text[match.end() :].strip()):
            return text[: match.start()]
    return text
