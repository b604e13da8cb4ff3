"""What may be wrong with questions that can all be read: repeats, leaks, giveaways, imbalance.

None of it stops a run; each is something that makes a result mean less than it seems to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demur.core.questions import Keys, Places, QuestionTable
from demur.core.records import Question
from demur.datasets.leaks import answers_of_pairs, find_leaks, normalise, repeats, same_chunks
from demur.datasets.separated import separated
from demur.datasets.sizes import FEW

EXAMPLES = 3
UNEVEN = 0.1
"""Parts whose shares of unanswerable questions differ by more are worth a word."""
MOSTLY = 0.5
"""An answer that so many questions of a part share is worth a word."""
_NONE = -1
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for."""

    name: str
    text: str
    """What the count counts, as a noun phrase."""
    count: int
    examples: tuple[str, ...] = ()


def check_questions(questions: Sequence[Question], parts: Mapping[str, int] | None = None) -> list[Finding]:
    """Look for everything; what was not found has a count of 0.

    Args:
        questions: all rows as read, before anything was dropped.
        parts: questions by part once a run has divided them; by default as they are.
    """
    table = QuestionTable.of(questions)
    rows = _Rows(table)
    gives_away, lacks = np.flatnonzero(rows.gives_away), np.flatnonzero(rows.lacks_answers)
    return [
        *_repeats(table, rows.keys),
        *_leaks(table, rows.keys),
        _finding("answer-in-question", "answers that stand in their question", table, gives_away),
        _finding("no-answer", "answerable questions without an answer", table, lacks),
        _separated(table),
        *_imbalance(table, rows.answers, table.counts() if parts is None else parts),
    ]


class _Rows:
    """What one look at each row finds."""

    def __init__(self, questions: QuestionTable) -> None:
        size = len(questions)
        self.keys = np.zeros(size, dtype=np.uint64)
        """A number for each question, equal where it asks the same."""
        self.answers = np.full(size, _NONE, dtype=np.int64)
        """A number for the first answer of each question, `_NONE` where there is none."""
        self.gives_away, self.lacks_answers = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        start = 0
        for same, (answers,) in zip(same_chunks(questions), questions.chunks("answers"), strict=True):
            part = slice(start, start + len(same))
            self.keys.view(np.int64)[part] = list(map(hash, same))
            self.answers[part] = [hash(given[0]) if given else _NONE for given in answers]
            self.gives_away[part] = list(map(_gives_away, same, answers))
            self.lacks_answers[part] = [
                not (given and (given[0].strip() or any(map(str.strip, given)))) for given in answers
            ]
            start = part.stop
        tasks, names = questions.codes("task")
        free = tasks != (names.index("choice") if "choice" in names else _NONE)
        self.gives_away &= free
        self.lacks_answers &= questions.answerable


def _repeats(questions: QuestionTable, keys: Keys) -> Iterator[Finding]:
    """Rows that ask what an earlier row of their part asks; those that contradict it stand apart."""
    first, places = repeats(questions, keys)
    known: dict[int, set[str]] = {}
    contradicting = []
    pairs = answers_of_pairs(questions, first, places)
    for start, place, (before, after) in zip(first.tolist(), places.tolist(), pairs, strict=True):
        so_far = known.setdefault(start, set(map(normalise, before)))
        answers = set(map(normalise, after))
        if so_far.isdisjoint(answers) and (so_far or answers):
            contradicting.append(place)
        so_far |= answers
    yield _finding("duplicates", "rows that repeat a question of their part", questions, places)
    yield _finding("contradictions", "of those: with no answer in common with it", questions, contradicting)


def _leaks(questions: QuestionTable, keys: Keys) -> Iterator[Finding]:
    leaks = find_leaks(questions, keys, drop=False)[1]
    text = "rows of later parts that ask what training or calibration asks"
    yield Finding(name="leaks", text=text, count=leaks.rows, examples=leaks.examples)
    yield Finding(name="leaks-exact", text="of those: to the letter", count=leaks.exact)


def _gives_away(same: str, answers: Sequence[str]) -> bool:
    """Whether an answer stands in the question as whole words; a letter or a yes gives nothing away.

    Args:
        same: `demur.datasets.leaks.same_question`, whose first line is the text, normalised.
        answers: the accepted ones.
    """
    text, asked = same.partition("\n")[0], ""
    for answer in answers:
        words = _WORD.findall(answer.casefold() if answer.isascii() else normalise(answer))
        for word in words:
            if word not in text:  # that rules most of them out, for a tenth of the price
                break
        else:
            asked = asked or f" {' '.join(_WORD.findall(text))} "
            together = " ".join(words)
            if len(together) > 1 and f" {together} " in asked:
                return True
    return False


def _separated(questions: QuestionTable) -> Finding:
    """Answers in one text that look like several."""
    found = separated(questions)
    return Finding(
        name="separated-answers",
        text="single answers that look like several"
        + (f": --answers-separator '{found.separator}' divides them" if found.count else ""),
        count=found.count,
        examples=found.examples,
    )


def _imbalance(
    questions: QuestionTable, answers: npt.NDArray[np.int64], counts: Mapping[str, int]
) -> Iterator[Finding]:
    small = [f"{part}: {count}" for part, count in counts.items() if count < FEW]
    yield Finding(
        name="small-parts",
        text=f"parts of fewer than {FEW} questions",
        count=len(small),
        examples=tuple(small[:EXAMPLES]),
    )
    common = list(_commonest(questions, answers))
    yield Finding(
        name="one-answer",
        text="parts in which most questions have the same answer",
        count=len(common),
        examples=tuple(common[:EXAMPLES]),
    )
    yield _uneven(questions)


def _commonest(questions: QuestionTable, answers: npt.NDArray[np.int64]) -> Iterator[str]:
    """The parts that mostly have one answer, as sentences."""
    codes, names = questions.parts()
    for code, part in enumerate(names):
        own = codes == code
        total, given = int(own.sum()), answers[own & (answers != _NONE)]
        if total < FEW or not len(given):
            continue
        # What more than half of them share stands in their middle, however they are sorted.
        given.partition(len(given) // 2)
        same = own & (answers == given[len(given) // 2])
        if same.sum() > MOSTLY * total:
            answer = questions[int(same.argmax())].answers[0]
            yield f"{part}: {answer!r} in {same.sum():,} of {total:,}"


def _uneven(questions: QuestionTable) -> Finding:
    """Training and test parts whose shares of unanswerable questions differ."""
    codes, names = questions.parts()
    shares = {
        part: 1 - float(questions.answerable[codes == code].mean())
        for code, part in enumerate(names)
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


def _finding(name: str, text: str, questions: QuestionTable, found: Sequence[int] | Places) -> Finding:
    looked_at = questions.take(found[:100])
    examples = tuple(dict.fromkeys(f"{q.text} → {', '.join(q.answers) or '—'}" for q in looked_at))
    return Finding(name=name, text=text, count=len(found), examples=examples[:EXAMPLES])
