"""Which calibration questions of a run share their errors, and which of them a promise is made on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from demur.confidence.independent import one_of_each
from demur.core.errors import UnknownNameError
from demur.core.records import TOGETHER, Question, shared_by
from demur.metrics.evaluation import FEWEST_GROUPS

Choice = Literal["auto", "one", "all"]
CHOICES = ("auto", "one", "all")
"""Of ``--groups``: decide by the data, one question of each group, every question."""
Rule = Literal["independent", "one", "kinds", "all"]

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Grouping:
    """What calibration questions share."""

    rule: Rule
    """``independent``: no two questions share anything. ``one``: one question of each group is taken.
    ``kinds``: the groups are few and taken for fixed kinds of question, and all questions are used.
    ``all``: all questions are used because the user said so."""
    keys: Mapping[str, str]
    """By question id, the group that one question is taken of; questions without an entry are all taken."""
    named: Mapping[str, str]
    """By question id, the group that is counted in reports, whatever the rule."""

    @classmethod
    def of(cls, questions: Sequence[Question], choice: str = "auto", *, by_group: bool = False) -> Grouping:
        """Decide by all calibration questions of a run.

        An entity or document (`TOGETHER`) is always a group of its own. A ``group`` is one where there are
        at least `FEWEST_GROUPS` of them; fewer are taken for kinds of question.

        Args:
            choice: of `CHOICES`.
            by_group: each ``group`` gets its own promise, so that only an entity or document within it is
                shared.

        Raises:
            UnknownNameError: no such choice.
        """
        if choice not in CHOICES:
            raise UnknownNameError("choice", choice, CHOICES, "--groups")
        named = {
            question.id: key
            for question in questions
            if (key := shared_by(question)) is not None
            and not (by_group and question.meta.get(TOGETHER, question.group) == question.group)
        }
        if max(Counter(named.values()).values(), default=1) == 1:
            return cls("independent", {}, named)
        if choice == "all":
            return cls("all", {}, named)
        keys = named if choice == "one" else _without_kinds(questions, named)
        shares = max(Counter(keys.values()).values(), default=1) > 1
        return cls("one", keys, named) if shares else cls("kinds", {}, named)

    def taken(self, rows: Sequence[tuple[Question, Row]], *, seed: int) -> list[tuple[Question, Row]]:
        """The rows that a promise is made on."""
        places = one_of_each([self.keys.get(question.id) for question, _ in rows], seed=seed)
        return [rows[place] for place in places.tolist()]

    def units(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The ids of what must not be divided, by the first id of each group; ids in order."""
        first: dict[str, str] = {}
        found: dict[str, list[str]] = {}
        for name in sorted(ids):
            found.setdefault(first.setdefault(self.keys.get(name, f"\0{name}"), name), []).append(name)
        return found

    def counted(self, questions: Sequence[Question]) -> int:
        """How many groups some questions are of; a question without one counts by itself."""
        return len({self.named.get(question.id, f"\0{question.id}") for question in questions})


def _without_kinds(questions: Sequence[Question], named: Mapping[str, str]) -> dict[str, str]:
    """The groups without those that are few and no entities or documents."""
    kinds = {
        question.id for question in questions if question.id in named and not question.meta.get(TOGETHER)
    }
    if len({named[name] for name in kinds}) >= FEWEST_GROUPS:
        kinds = set()
    return {name: key for name, key in named.items() if name not in kinds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a promise was made on, for ``guarantee.json``."""

    rule: Rule
    """See `Grouping`."""
    questions: int
    """Calibration questions that were judged and took no part in weighing signals."""
    groups: int
    """Groups that they are of; a question without one counts by itself."""
    used: int
    """Questions that the promise was found on."""
    trained: int
    """Of the groups, those that training questions are of too."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return dataclasses.asdict(self)
