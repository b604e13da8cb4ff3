"""What may be wrong with questions that can all be read: repeats, leaks, giveaways, imbalance.

None of it stops a run; each is something that makes a result mean less than it seems to.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from demur.datasets.base import part_of
from demur.datasets.leaks import find_leaks, normalise, same_question
from demur.records import Question

EXAMPLES = 3
UNEVEN = 0.1
"""Parts whose shares of unanswerable questions differ by more are worth a word."""
MOSTLY = 0.5
"""An answer that so many questions of a part share is worth a word."""
FEW = 30
"""Fewer questions than this make a part whose figures say little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for."""

    name: str
    text: str
    """What the count counts, as a noun phrase."""
    count: int
    examples: tuple[str, ...] = ()


def check_questions(questions: Sequence[Question]) -> list[Finding]:
    """Look for everything; what was not found has a count of 0.

    Args:
        questions: all rows as read, before anything was dropped.
    """
    keys = {question.id: same_question(question) for question in questions}
    return [
        *_repeats(questions, keys),
        *_leaks(questions, keys),
        _found("answer-in-question", "answers that stand in their question", questions, _gives_away),
        _found("no-answer", "answerable questions without an answer", questions, _has_no_answer),
        *_imbalance(questions),
    ]


def parts(questions: Sequence[Question]) -> dict[str, int]:
    """How many questions each part has."""
    return dict(Counter(map(part_of, questions)))


def _repeats(questions: Sequence[Question], keys: Mapping[str, str]) -> Iterator[Finding]:
    """Rows that ask what an earlier row of their part asks; those that contradict it stand apart."""
    first: dict[tuple[str, str], set[str]] = {}
    repeated, contradicting = [], []
    for question in questions:
        answers = {normalise(answer) for answer in question.answers}
        before = first.get((part_of(question), keys[question.id]))
        if before is None:
            first[part_of(question), keys[question.id]] = answers
            continue
        repeated.append(question)
        if before.isdisjoint(answers) and (before or answers):
            contradicting.append(question)
        before |= answers
    yield _finding("duplicates", "rows that repeat a question of their part", repeated)
    yield _finding("contradictions", "of those: with no answer in common with it", contradicting)


def _leaks(questions: Sequence[Question], keys: Mapping[str, str]) -> Iterator[Finding]:
    leaks = find_leaks(questions, keys, drop=False)[1]
    text = "rows of later parts that ask what training or calibration asks"
    yield Finding(name="leaks", text=text, count=leaks.rows, examples=leaks.examples)
    yield Finding(name="leaks-exact", text="of those: to the letter", count=leaks.exact)


def _gives_away(question: Question) -> bool:
    """Whether an answer stands in the question as whole words; a letter or a yes gives nothing away."""
    if question.task == "choice" or question.choices:
        return False
    text = f" {_words(question.text)} "
    return any(len(words := _words(answer)) > 1 and f" {words} " in text for answer in question.answers)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", normalise(text)))


def _has_no_answer(question: Question) -> bool:
    return question.answerable and not any(answer.strip() for answer in question.answers)


def _imbalance(questions: Sequence[Question]) -> Iterator[Finding]:
    by_part: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        by_part[part_of(question)].append(question)
    small = [f"{part}: {len(rows)}" for part, rows in by_part.items() if len(rows) < FEW]
    yield Finding(
        name="small-parts",
        text=f"parts of fewer than {FEW} questions",
        count=len(small),
        examples=tuple(small[:EXAMPLES]),
    )
    common = [found for part, rows in by_part.items() if (found := _commonest(part, rows))]
    yield Finding(
        name="one-answer",
        text="parts in which most questions have the same answer",
        count=len(common),
        examples=tuple(common[:EXAMPLES]),
    )
    yield _uneven(by_part)


def _commonest(part: str, rows: Sequence[Question]) -> str | None:
    answers = Counter(question.answers[0] for question in rows if question.answers)
    if len(rows) < FEW or not answers:
        return None
    answer, count = answers.most_common(1)[0]
    return f"{part}: {answer!r} in {count:,} of {len(rows):,}" if count > MOSTLY * len(rows) else None


def _uneven(by_part: Mapping[str, Sequence[Question]]) -> Finding:
    """Training and test parts whose shares of unanswerable questions differ."""
    shares = {
        part: sum(not question.answerable for question in rows) / len(rows)
        for part, rows in by_part.items()
        if part == "train" or part.startswith("test")
    }
    differs = "train" in shares and max(abs(share - shares["train"]) for share in shares.values()) > UNEVEN
    listed = tuple(f"{part}: {share:.0%} unanswerable" for part, share in shares.items())
    return Finding(
        name="uneven-parts",
        text="test parts with another share of unanswerable questions than training has",
        count=sum(abs(share - shares["train"]) > UNEVEN for share in shares.values()) if differs else 0,
        examples=listed if differs else (),
    )


def _found(
    name: str, text: str, questions: Sequence[Question], test: Callable[[Question], bool]
) -> Finding:
    return _finding(name, text, [question for question in questions if test(question)])


def _finding(name: str, text: str, found: Sequence[Question]) -> Finding:
    examples = tuple(dict.fromkeys(f"{q.text} → {', '.join(q.answers) or '—'}" for q in found[:100]))
    return Finding(name=name, text=text, count=len(found), examples=examples[:EXAMPLES])
