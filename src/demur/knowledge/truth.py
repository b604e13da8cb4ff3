"""The truth about what a model of a pocket world knows: how often it read the fact.

A fact that was read several times an epoch is *known*, one that was never read is not. One that was read
once an epoch is learned in half to three quarters of the cases and belongs to neither side. This depends
on no answer, no probability and no judge, so that no confidence is held against itself: a truth by the
base model's own probability would favour its likelihood. Facts of the real world have no such truth.
"""

from __future__ import annotations

from demur.core.records import Question

KNOWN_FROM = 2
"""Least reads an epoch of a known fact."""


def known(question: Question) -> bool | None:
    """Whether the fact that a question asks for was learned; None where nothing says so, or on the border.

    Nothing says so of choices and of questions with a passage, which need more than the fact.
    """
    reads = question.meta.get("reads")
    asked_plainly = question.answerable and not question.choices and question.context is None
    if not isinstance(reads, int) or not asked_plainly:
        return None
    return None if 0 < reads < KNOWN_FROM else reads >= KNOWN_FROM
