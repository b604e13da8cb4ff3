"""The published rule: an accepted answer is a raw, case-sensitive substring of the text.

Source: R-Tuning (arXiv 2311.09677), released evaluation scripts. Kept to reproduce their figures; it finds
"supported" in "not_supported", "11" in "1911" and nothing in "paris" for "Paris".
Deviation: an empty accepted answer is ignored, since it would be inside every text.
"""

from __future__ import annotations

from demur.core.records import Question
from demur.judging.base import Judge


def right(question: Question, text: str) -> bool | None:
    """Whether any accepted answer stands in the text, character by character."""
    answers = [answer for answer in question.answers if answer]
    return any(answer in text for answer in answers) if answers else None


CONTAINS = Judge(
    name="contains",
    source="R-Tuning (arXiv 2311.09677), released evaluation scripts",
    right=right,
    choices_by=None,
    raw=True,
)
