"""Judging: is this answer right, and is it a refusal? Rules only; one file per rule.

A rule says whether a text gives one of a question's accepted answers; `judge` turns that, together with
the refusal detector, into the four-valued `Verdict`. Adding a rule means adding one file and one line here.
"""

from demur.core.registry import Registry
from demur.judging.base import Judge
from demur.judging.refusals import is_refusal, without_refusals
from demur.judging.verdict import clean_answer, find_judge, judge

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

__all__ = ["JUDGES", "Judge", "clean_answer", "find_judge", "is_refusal", "judge", "without_refusals"]
