"""Judging: is this answer right, and is it a refusal? Rules only; one file per rule.

`extract` finds the answer in a response, a rule says whether that is one of a question's accepted answers,
and `judgement` turns it, together with the refusal detector, into the four-valued `Verdict`. Adding a
rule means adding one file and one line here.
"""

from demur.core.registry import Registry
from demur.judging.base import Judge, Judgement
from demur.judging.extraction import Extracted, extract
from demur.judging.refusals import is_refusal, without_refusals
from demur.judging.verdict import clean_answer, declines, find_judge, judge, judgement

JUDGES: Registry[Judge] = Registry(
    "judging rule",
    {
        "contains-words": "demur.judging.contains_words:CONTAINS_WORDS",
        "lenient-dates": "demur.judging.contains_words:LENIENT_DATES",
        "contains": "demur.judging.contains:CONTAINS",
        "exact": "demur.judging.exact:EXACT",
        "raw-exact": "demur.judging.exact:RAW_EXACT",
        "token-f1": "demur.judging.token_f1:TOKEN_F1",
        "choice": "demur.judging.choice:CHOICE",
    },
    group="demur.judges",
    form="a demur.judging.Judge",
    fits=lambda name, found: isinstance(found, Judge) and found.name == name,
)

__all__ = [
    "JUDGES",
    "Extracted",
    "Judge",
    "Judgement",
    "clean_answer",
    "declines",
    "extract",
    "find_judge",
    "is_refusal",
    "judge",
    "judgement",
    "without_refusals",
]
