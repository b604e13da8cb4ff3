"""What is said where answers are in languages whose refusals are not recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from demur.judging.languages.guess import unread_language


def unread_counts(texts: Iterable[str]) -> dict[str, int]:
    """By code, how many texts are in each language whose refusals are not recognised; most first."""
    counts = Counter(code for code in map(unread_language, texts) if code is not None)
    return dict(counts.most_common())


def unread_sentence(counts: Mapping[str, int], total: int) -> str | None:
    """The finding: ``12 of 200 answers are in a language (el) whose refusals are not recognised``.

    Args:
        counts: as `unread_counts` gives them.
        total: all answers.

    Returns:
        None where there are no such answers.
    """
    if not counts:
        return None
    number = sum(counts.values())
    kind = "a language" if len(counts) == 1 else "languages"
    answers, verb = ("answers", "is" if number == 1 else "are") if total != 1 else ("answer", "is")
    return (
        f"{number:,} of {total:,} {answers} {verb} in {kind} ({', '.join(counts)}) whose refusals are not "
        "recognised"
    )
