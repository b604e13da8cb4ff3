"""Conversations: ``messages`` of roles and contents, or ShareGPT's ``conversations``.

The last turn of the user asks; the assistant's turn after it answers, unless the row names its answers
elsewhere: then that turn is the response. Turns before it, and system prompts, are left out, since a
question is asked alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import GUESSES, RESPONSES, guess
from demur.datasets.layouts.base import Layout, Wanted, fields_of, most, objects, texts_in

_TURNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "prompt", "input", "question")
_ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
}
_ANSWERS = tuple(name for name in GUESSES["answers"] if name not in ("completion", "response"))


@dataclass(frozen=True, slots=True)
class Conversations:
    """Rows that hold a conversation.

    Args:
        turns: its field.
        asked: the field that the user's turn is written to.
        said: the field that the assistant's turn is written to; None where nothing is to be written.
    """

    turns: str
    asked: str
    said: str | None
    note: str = (
        "read as conversations: the last user turn is the question, the assistant's turn after it the "
        "answer; system prompts and earlier turns are left out"
    )

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its question and what was said to it."""
        turns = _turns(value.get(self.turns)) if isinstance(value, dict) else None
        if turns is None:
            return (value,)
        more = _turns(value.get("completion")) or []
        asked, said = exchange([*turns, *more])
        rest = {name: held for name, held in value.items() if name != self.turns}
        return ({**rest, self.asked: asked, **({} if self.said is None else {self.said: said})},)


def exchange(turns: Sequence[tuple[str, str]]) -> tuple[str | None, str | None]:
    """The last turn of the user, and the assistant's last turn after it; None where there is none."""
    places = [place for place, (role, _) in enumerate(turns) if role == "user"]
    if not places:
        return None, None
    said = [text for role, text in turns[places[-1] + 1 :] if role == "assistant"]
    return turns[places[-1]][1], said[-1] if said else None


def _find(first: Sequence[Any], wanted: Wanted) -> Conversations | None:
    rows, given = objects(first), wanted.options.fields
    found = fields_of(rows)

    def holds(name: str) -> bool:
        return most(rows, lambda row: _turns(row.get(name)) is not None)

    named = [given["question"]] if "question" in given else [name for name in _TURNS if name in found]
    turns = next(filter(holds, named), None)
    if turns is None:
        return None
    rest = [name for name in found if name != turns]
    return Conversations(turns, given.get("question", "question"), _field_of_answer(rest, wanted))


def _field_of_answer(rest: Sequence[str], wanted: Wanted) -> str | None:
    """What the assistant's turn is: the answer, or the response to be scored."""
    given = wanted.options.fields
    if wanted.purpose == "outputs":
        response = given.get("response") or guess(rest, RESPONSES)
        if response is None:
            return "response"
        others = [name for name in rest if name != response]
        return None if "answers" in given or guess(others, GUESSES["answers"]) else "answers"
    own = "answers" in given or guess(rest, _ANSWERS) is not None
    return None if own else "answers"


def _turns(value: Any) -> list[tuple[str, str]] | None:
    """Roles and texts of a conversation; None where it is none."""
    if not isinstance(value, list) or not value:
        return None
    found = []
    for turn in value:
        role = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
        if not isinstance(role, str):
            return None
        text = "\n".join(texts_in(turn.get("content", turn.get("value"))))
        found.append((_ROLES.get(role.casefold(), role), text))
    return found


def turns_of(value: Any) -> list[tuple[str, str]]:
    """Roles and texts of a conversation; none where it is none."""
    return _turns(value) or []


LAYOUT = Layout(name="chat", title="conversations (messages, ShareGPT)", find=_find)
