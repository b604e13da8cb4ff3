"""What a dataset is: where it comes from, whose it is, and how its files become Questions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from demur.core.config import DataSettings
from demur.core.questions import QuestionTable
from demur.core.records import TOGETHER, Question, question_id

MOST_GROUPS = 100
"""With more groups than this, figures for each of them are no report: groups that were only guessed, or
only divide the questions, are then left aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawData:
    """What a loader returns: every question of the published files, before any hygiene."""

    questions: Sequence[Question]
    """All rows, duplicates included, ids unique, in the order of the files."""
    files: tuple[Path, ...] = ()
    """The files that were read."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Which field of the file was taken for what, where that had to be found out."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the files were read, a sentence each."""


class Loader(Protocol):
    """Reads the published files.

    It sets ``split`` as published. A dataset without a ``test`` or ``calibration`` split gets one
    afterwards, from its ``train`` rows (see `demur.datasets.splits`).
    """

    def __call__(self, path: Path | None, settings: DataSettings, *, seed: int) -> RawData:
        """Load every question.

        Args:
            path: what ``--data.path`` says, a file or a folder; None where the user gave none.
            settings: the rest of what the user asked for; most loaders need none of it.
            seed: for datasets that are drawn rather than read.

        Raises:
            DataError: the files cannot be read as this dataset; every problem is listed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One entry of the registry; what listings and documentation say of it comes from here."""

    name: str
    description: str
    load: Loader
    path: str
    """What ``--data.path`` must name, as a noun phrase; empty where no path is needed."""
    splits: tuple[str, ...]
    """As published: ``train``, ``calibration``, ``test/id``, ``test/ood``, or a name of its own."""
    licence: str
    citation: str
    source: str
    """Where the files come from: an address, or a sentence."""
    hub: str = ""
    """Its address on the Hugging Face Hub, where the rows there have a form that is read here."""
    fields: bool = False
    """Whether field names can be chosen by the user (``--data.question_field`` and the like)."""


def part_of(question: Question) -> str:
    """The part a question is counted in: its split, and for tests its domain too (``test/ood``)."""
    return f"test/{question.domain}" if question.split == "test" else question.split


def kept_together(questions: QuestionTable) -> QuestionTable:
    """The questions with their groups also as what they share, under `TOGETHER` in ``meta``."""

    def shared(meta: str, group: str | None) -> str:
        if group is None:
            return meta
        return json.dumps({**json.loads(meta), TOGETHER: group}, ensure_ascii=False, sort_keys=True)

    return questions.replace("meta", [shared(*both) for both in questions.values("meta", "group")])


class Ids:
    """Ids derived from content, numbered by occurrence: ``hash``, ``hash-2``, ``hash-3``, …

    The same content in the same order has the same ids on every machine, and a row that is appended
    changes no id before it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def derive(self, text: str, *, context: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """The id of the next question with this content."""
        content = question_id(text, context=context, choices=choices)
        occurrence = self._seen[content] = self._seen.get(content, 0) + 1
        return content if occurrence == 1 else f"{content}-{occurrence}"
