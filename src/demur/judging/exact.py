"""Exact match: the whole text is an accepted answer, after normalising (``exact``) or as it is.

``exact`` is SQuAD's exact match with the normalisation of `demur.judging.normalise`, so that it holds in
any script; ``raw-exact`` only strips white space around the text.
"""

from __future__ import annotations

from demur.core.records import Question
from demur.judging.base import Judge
from demur.judging.containment import answer_keys
from demur.judging.normalise import normalise, spaced


def right(question: Question, text: str) -> bool | None:
    """Whether the normalised text is an accepted answer."""
    keys = answer_keys(question.answers)
    if not keys:
        return None
    normal = spaced(normalise(text))
    return normal in keys or normal.removeprefix("a ") in keys


def raw_right(question: Question, text: str) -> bool | None:
    """Whether the text, stripped, is an accepted answer to the letter."""
    return text.strip() in question.answers if question.answers else None


EXACT = Judge(name="exact", source="SQuAD (arXiv 1606.05250), exact match", right=right)
RAW_EXACT = Judge(name="raw-exact", source="Demur", right=raw_right, choices_by=None, raw=True)
