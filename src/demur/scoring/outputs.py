"""Rows of outputs as arrays, and what is noted of each while it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demur.core.errors import ConfigError
from demur.core.records import Question
from demur.datasets.outputs import Output
from demur.datasets.separated import SEPARATORS
from demur.judging import Judgement, judgement
from demur.judging.languages import unread_language
from demur.judging.verdict import NO_ANSWER
from demur.metrics.base import CODES, REFUSED, SILENT, Bools, Codes, Floats
from demur.signals import Signal
from demur.signals.free import computed, free_signals

Pair = tuple[Question, str]


@dataclass(kw_only=True)
class Outputs:
    """What one system did on n questions."""

    keys: list[str] = field(default_factory=list)
    """Each row's ``id``, or one derived from its question."""
    asked: list[str] = field(default_factory=list)
    """The id of each row's question, from its text."""
    numbers: list[int] = field(default_factory=list)
    """Where each row stands in the file, counted in ``unit``."""
    unit: str = "row"
    verdict: Codes = field(default_factory=lambda: np.zeros(0, np.int8))
    """SILENT where there is no answer and the row was not said to be declined; shape [n]."""
    abstained: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """Said to have declined, whatever the words; shape [n]."""
    answerable: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """Shape [n]."""
    signals: dict[str, Floats] = field(default_factory=dict)
    """By name, shape [n]; NaN where a row has none. Those that the file gives come first."""
    computed: tuple[str, ...] = ()
    """The signals that were computed here, from stored samples and log-probabilities."""
    groups: list[str] | None = None
    """Where any row has one."""
    pairs: list[Pair] = field(default_factory=list)
    """Questions and responses themselves, where they were asked for."""
    separated: Counter[str] = field(default_factory=Counter)
    """Single answers by the separator that they hold, and under "" all of them."""
    unread: Counter[str] = field(default_factory=Counter)
    """Responses in each language whose refusals are not recognised, by code."""
    judgements: list[Judgement] = field(default_factory=list)
    """What the rule said of each response, where they were asked for."""
    readings: Counter[str] = field(default_factory=Counter)
    """How many responses were read as what (`demur.core.records.Reading`), and how many ``stated`` a final
    answer."""
    notes: list[str] = field(default_factory=list)
    """What was guessed of the file."""
    judge: dict[str, Any] | None = None
    """What came of a model's judging (see `demur.judging.llm_judge.rejudge`); None where a rule judged."""

    @property
    def refused(self) -> Bools:
        """Declined in words, or said to be; shape [n]."""
        refused: Bools = self.abstained | (self.verdict == REFUSED)
        return refused

    def __len__(self) -> int:
        return len(self.keys)


@dataclass
class Part:
    """Some rows, as lists."""

    keep: bool = False
    signals: Sequence[tuple[str, Signal]] = field(default_factory=lambda: tuple(free_signals()))
    """Computed where a row stores what they need."""
    keys: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    abstained: list[bool] = field(default_factory=list)
    answerable: list[bool] = field(default_factory=list)
    confidence: list[Mapping[str, float]] = field(default_factory=list)
    stored: list[Mapping[str, float]] = field(default_factory=list)
    """Signals computed from what rows store."""
    groups: list[str | None] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    separated: Counter[str] = field(default_factory=Counter)
    """Single answers by the separator that they hold, and under "" all of them."""
    unread: Counter[str] = field(default_factory=Counter)
    judgements: list[Judgement] = field(default_factory=list)
    readings: Counter[str] = field(default_factory=Counter)

    def outputs(self) -> Outputs:
        """The rows as arrays."""
        given, found = _columns(self.confidence), _columns(self.stored)
        own = {name: values for name, values in found.items() if name not in given}
        return Outputs(
            keys=self.keys,
            asked=self.asked,
            numbers=self.numbers,
            verdict=np.array(self.codes, np.int8),
            abstained=np.array(self.abstained, bool),
            answerable=np.array(self.answerable, bool),
            signals=given | own,
            computed=tuple(own),
            groups=["" if group is None else group for group in self.groups] if any(self.groups) else None,
            pairs=self.pairs,
            separated=self.separated,
            unread=self.unread,
            judgements=self.judgements,
            readings=self.readings,
        )


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    """Named numbers of rows as arrays, shape [n]; NaN where a row has none."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows], np.float64) for name in names}


def add(part: Part, number: int, output: Output) -> None:
    """Judge one row and note what it says.

    Raises:
        ConfigError: its response is to be kept, and it was judged elsewhere and has none.
    """
    question = output.question
    judged = output.verdict is not None
    if part.keep and judged:
        raise ConfigError(
            expected="rows with their responses",
            found="rows that were judged elsewhere and hold no responses",
            where="--judge-url or --rows",
            fix="leave the option out",
        )
    found = judgement(question, output.response) if output.verdict is None else Judgement(output.verdict)
    if part.keep:
        part.pairs.append((question, output.response))
        part.judgements.append(found)
    part.keys.append(question.id)
    part.asked.append(output.asked)
    part.numbers.append(number)
    if len(question.answers) == 1 and not question.choices:
        part.separated[""] += 1
        for separator in SEPARATORS:
            part.separated[separator] += separator in question.answers[0]
    if not judged and (language := unread_language(output.response)):
        part.unread[language] += 1
    silent = found.reason == NO_ANSWER and not output.abstained
    part.codes.append(SILENT if silent else CODES[found.verdict])
    if found.reading is not None:
        part.readings[found.reading] += 1
    if found.stated:
        part.readings["stated"] += 1
    part.abstained.append(output.abstained)
    part.answerable.append(question.answerable)
    part.confidence.append(output.confidence)
    part.stored.append({} if output.said is None else computed(output.said, part.signals))
    part.groups.append(output.group)
