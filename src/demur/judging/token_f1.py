"""Token F1: harmonic mean of word precision and recall against the best accepted answer, at a threshold.

F1 is 2PR/(P+R) over the multisets of normalised words, 1 for two empty texts; right where F1 >= 0.5, or
where another threshold is named: ``token-f1(0.8)``. Scripts without spaces are compared by character. An
answer's figures must all stand in the text: "Article 121" shares half of its words with "Article 37", and
is another article. Source: SQuAD (arXiv 1606.05250), section 6.1. Deviations: the normalisation of
`demur.judging.normalise`, and the figures, which SQuAD counts as any other word.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from demur.core.records import Question
from demur.judging.base import Judge, Right
from demur.judging.normalise import words

DEFAULT_THRESHOLD = 0.5


def token_f1(text: str, answer: str) -> float:
    """Word F1 of a text against one accepted answer, in [0, 1]."""
    return _f1(words(text), words(answer))


def right(question: Question, text: str, *, threshold: float = DEFAULT_THRESHOLD) -> bool | None:
    """Whether the best F1 over the accepted answers reaches the threshold."""
    if not question.answers:
        return None
    given = words(text)
    wanted = [words(answer) for answer in question.answers]
    return any(_f1(given, answer) >= threshold and _figures(answer) <= set(given) for answer in wanted)


def _with_threshold(threshold: float) -> Right:
    return partial(right, threshold=threshold)


def _figures(answer: tuple[str, ...]) -> set[str]:
    """The words with a figure in them."""
    return {word for word in answer if any(char.isdigit() for char in word)}


def _f1(given: tuple[str, ...], wanted: tuple[str, ...]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    shared = (Counter(given) & Counter(wanted)).total()
    return 2 * shared / (len(given) + len(wanted))


TOKEN_F1 = Judge(
    name="token-f1",
    source="SQuAD (arXiv 1606.05250), section 6.1",
    right=right,
    with_threshold=_with_threshold,
)
