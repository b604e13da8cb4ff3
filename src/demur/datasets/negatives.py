"""Unanswerable twins for questions with a passage: by rule, or written by a model.

US-Tuning (arXiv 2406.10099) pairs each passage with a question that it does not answer. Where data has no
such pairs, `by_rule` borrows another record's question and `by_model` has a model write one.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar, cast

from demur.core.records import Question
from demur.datasets.base import Ids
from demur.datasets.passages import Passage
from demur.endpoints import Complete, Failure, Reply, json_object
from demur.judging.normalise import normalise

TRIES = 50
"""Records that are looked at for each passage before it stays without a twin."""

WRITE = (
    "Write one question on the topic of this passage that the passage does not answer. "
    'Reply with JSON only: {{"question": "..."}}\n\n'
    "Passage:\n{context}\n\nA question that it does answer: {question}"
)
CHECK = (
    "Does the passage answer the question? "
    'Reply with JSON only: {{"answered": true}} or {{"answered": false}}\n\n'
    "Passage:\n{context}\n\nQuestion: {question}"
)

T = TypeVar("T")


def by_rule(
    questions: Sequence[Question],
    *,
    seed: int,
    pool: Sequence[Question] | None = None,
    dropped: Counter[str] | None = None,
) -> list[Question]:
    """The questions, each answerable one with a passage followed by its twin where a fitting one is found.

    The twin is a question of the same split whose answers do not stand in the passage, nor, where its data
    names them, the titles it is about. Yes-or-no questions lend nothing: whether "yes" stands somewhere
    says nothing.

    Args:
        pool: where questions are borrowed from; by default the questions themselves.
        dropped: counts questions without a twin, by reason.
    """
    counts = Counter[str]() if dropped is None else dropped
    donors: dict[str, list[Question]] = {}
    for donor in questions if pool is None else pool:
        if _has_passage(donor) and not _says_nothing(donor):
            donors.setdefault(donor.split, []).append(donor)
    found = []
    for question in questions:
        found.append(question)
        if _has_passage(question):
            borrowed = _borrowed(question, donors.get(question.split, []), seed)
            if borrowed is None:
                counts["no other record's question is certain not to be answered"] += 1
            else:
                found.append(_twin(question, borrowed, "rule"))
    return _with_own_ids(found)


def by_model(
    questions: Sequence[Question],
    complete: Complete,
    *,
    check: bool = True,
    dropped: Counter[str] | None = None,
) -> list[Question]:
    """The questions, each answerable one with a passage followed by one that a model wrote.

    Args:
        complete: the model; a reply that is not exactly the JSON asked for is refused.
        check: ask the model whether the passage answers its question after all, and drop it if so.
        dropped: counts questions without a twin, by reason.

    Raises:
        ModelError: the model cannot be asked at all.
    """
    counts = Counter[str]() if dropped is None else dropped
    asked = [question for question in questions if _has_passage(question)]
    said = complete([_prompt(WRITE, question, question.text) for question in asked])
    written = {q.id: text for q, reply in zip(asked, said, strict=True) if (text := _new(q, reply, counts))}
    asked = [question for question in asked if question.id in written]
    if check:
        said = complete([_prompt(CHECK, question, written[question.id]) for question in asked])
        asked = [q for q, reply in zip(asked, said, strict=True) if _is_unanswered(reply, counts)]
    twins = {question.id: _twin(question, written[question.id], "model") for question in asked}
    found = [(question, twins.get(question.id)) for question in questions]
    return _with_own_ids([item for pair in found for item in pair if item is not None])


def _new(question: Question, reply: Reply | Failure, counts: Counter[str]) -> str | None:
    """The question that a reply holds; None, and counted, where it holds none that was not there before."""
    text = _field(reply, "question", str) or ""
    if isinstance(reply, Failure):
        counts[f"no reply: {reply.reason}"] += 1
    elif normalise(text) in ("", normalise(question.text)):
        counts["the reply is no question of its own"] += 1
    else:
        return text.strip()
    return None


def _is_unanswered(reply: Reply | Failure, counts: Counter[str]) -> bool:
    """Whether a reply says that the passage does not answer; counted where it does not say so."""
    if _field(reply, "answered", bool) is False:
        return True
    why = (
        f"no reply: {reply.reason}" if isinstance(reply, Failure) else "the passage may answer it after all"
    )
    counts[why] += 1
    return False


def _borrowed(question: Question, donors: Sequence[Question], seed: int) -> str | None:
    rng, passage = random.Random(f"{seed}/negatives/{question.id}"), Passage(question.context or "")  # noqa: S311
    for donor in rng.sample(donors, min(TRIES, len(donors))):
        about = donor.meta.get("supporting", ())
        if donor.context != question.context and not passage.holds((*donor.answers, *about)):
            return donor.text
    return None


def _twin(question: Question, text: str, made_by: str) -> Question:
    meta = {**question.meta, "pair": question.id, "negative": made_by}
    return dataclasses.replace(question, id="", text=text, answers=(), answerable=False, meta=meta)


def _with_own_ids(questions: Sequence[Question]) -> list[Question]:
    """Twins get ids from their content; the others keep theirs."""
    ids, taken, found = Ids(), {question.id for question in questions}, list[Question]()
    for question in questions:
        name = question.id
        while not name or (not question.id and name in taken):
            name = ids.derive(question.text, context=question.context)
        taken.add(name)
        found.append(dataclasses.replace(question, id=name))
    return found


def _has_passage(question: Question) -> bool:
    return (
        bool(question.context) and question.answerable and not question.choices and bool(question.answers)
    )


def _says_nothing(question: Question) -> bool:
    return any(normalise(answer) in ("yes", "no", "") for answer in question.answers)


def _prompt(text: str, question: Question, asked: str) -> str:
    return text.format(context=question.context, question=asked)


def _field(reply: Reply | Failure, name: str, kind: type[T]) -> T | None:
    """The one field of a reply that is a JSON object with nothing else; None for anything else."""
    found = json_object(reply.text, {name: kind}) if isinstance(reply, Reply) else None
    return None if found is None else cast(T, found[name])
