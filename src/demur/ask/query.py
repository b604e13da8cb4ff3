"""A question as it is put to a system, within a conversation, and as its answer is followed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from demur.ask.decision import Decision
from demur.core.errors import DataError
from demur.core.records import Question, question_id
from demur.engines import Message

Given = str | Question | Mapping[str, Any]
"""A question: its text, a `Question`, or a mapping with ``question`` and, where it has them, ``context``,
``choices`` and ``group``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """A question within a conversation."""

    question: Question
    history: tuple[Message, ...] = ()
    watch: Callable[[str], None] | None = None
    """Told what the answer is so far, as it grows and before it is decided on."""
    least: float | None = None
    """The confidence from which it is answered at all, where the system decides before it answers."""

    def under(self, decision: Decision, *, before: str | None) -> Query:
        """The same question where a decision on it is known.

        Args:
            before: the signal that the system has before it answers; None where it has none.
        """
        known = before is not None and decision.signal == before
        return dataclasses.replace(self, least=decision.threshold) if known else self


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """Work with the model that is no question of a batch, such as drawing samples."""

    work: Callable[[], Any]


class Watcher:
    """What is told how one answer grows, kept apart: where it fails, the others of the batch go on."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.error: Exception | None = None
        """Why it is told nothing more."""

    def __call__(self, so_far: str) -> None:
        """Pass it on, unless that failed before."""
        if self.error is None:
            try:
                self._tell(so_far)
            except Exception as error:
                self.error = error

    @classmethod
    def around(cls, query: Query) -> tuple[Query, Watcher | None]:
        """A query whose watching fails for itself alone, and what watches; None where nobody does."""
        if query.watch is None:
            return query, None
        watcher = cls(query.watch)
        return dataclasses.replace(query, watch=watcher), watcher


def as_question(given: Given, *, context: str | None = None, choices: Sequence[str] = ()) -> Question:
    """A question as the library has it, without blanks around its text and its options, as in a data set.

    Raises:
        DataError: it is none.
    """
    if isinstance(given, Question):
        return given
    if isinstance(given, Mapping):
        return _from_mapping(given)
    if not given.strip():
        raise DataError(expected="a question", found="nothing", where="question", fix="ask something")
    text, options = given.strip(), tuple(choice.strip() for choice in choices)
    return Question(
        id=question_id(text, context=context, choices=options),
        text=text,
        task="choice" if options else "open" if context is None else "contextual",
        choices=options,
        context=context,
        split="test",
    )


KNOWN = ("question", "context", "choices", "group")


def _from_mapping(given: Mapping[str, Any]) -> Question:
    text, context, choices, group = (given.get(name) for name in KNOWN)
    choices = choices or ()
    fits = (
        isinstance(text, str)
        and isinstance(context, str | None)
        and isinstance(group, str | None)
        and isinstance(choices, Sequence)
        and not isinstance(choices, str)
        and all(isinstance(choice, str) for choice in choices)
    )
    if not fits or given.keys() - set(KNOWN):
        raise DataError(
            expected=f"a mapping with question and, where it has them, {', '.join(KNOWN[1:])}",
            found=", ".join(f"{name}: {type(value).__name__}" for name, value in given.items())
            or "nothing",
            where="question",
            fix="give texts, and choices as a list of texts",
        )
    question = as_question(str(text), context=context, choices=choices)
    return dataclasses.replace(question, group=group)


def pieces(text: str) -> Iterable[str]:
    """A text word by word, each with the space before it."""
    return re.findall(r"\s*\S+\s*$|\s*\S+", text) or ([text] if text else [])


def follow(queries: Sequence[Query], template: Any) -> Callable[[str, str], None] | None:
    """Tell those who watch their answer grow, and nobody else: questions of a batch may be of many users.

    A prompt belongs to the question whose own prompt it holds, the longest of them. Where it holds none, in
    methods that write prompts of their own, it belongs to the batch's only question, or nobody is told.
    """
    watching = [(query, query.watch) for query in queries if query.watch is not None]
    if not watching:
        return None
    owners: dict[str, list[Callable[[str], None]]] = {}
    prompts = {query.question.id: template.ask(query.question) for query in queries}

    def find(prompt: str) -> list[Callable[[str], None]]:
        held = [name for name, own in prompts.items() if own in prompt]
        if not held and len(prompts) == 1:
            held = list(prompts)
        owner = max(held, key=lambda name: len(prompts[name]), default=None)
        return [watch for query, watch in watching if query.question.id == owner]

    def watch(prompt: str, so_far: str) -> None:
        if prompt not in owners:
            owners[prompt] = find(prompt)
        for tell in owners[prompt]:
            tell(so_far)

    return watch
