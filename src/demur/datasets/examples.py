"""Worked examples: training questions that a prompt shows with their answers.

An example must give nothing away about what is tested. It is drawn only if calibration and test questions
have none of these: its question, its passage, its entity (`TOGETHER`), one of its accepted answers, a name
in it. A name that more than `COMMON` of them have is a word of the form, such as "Which". Where all answers
come from a small set (yes and no, a list of countries), that would leave none: then questions follow
whose answers at least `FEW` of them accept. In both, those come first whose group is not tested on.

A name is a run of words with a capital letter or a digit; a part of a name is the same name, so that
"Turing" and "Alan Turing" are one. In a script without capitals none is found, and only whole questions,
passages, answers and entities are compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby, islice

import numpy as np

from demur.core.questions import QuestionTable
from demur.core.records import TOGETHER, Question
from demur.core.templates import LETTERS
from demur.datasets.leaks import normalise, question_keys, same_question
from demur.datasets.splits import draw_keys

COMMON = 0.05
"""Share of the calibration and test questions above which a name counts as a word of the form."""
FEW = 5
"""So many questions must have a name for that, or accept an answer for it to be one of a small set."""
OPENINGS, OPENING_SHARE = 3, 0.02
"""A first word is no name where so many questions, and more than that share of them, begin with it."""
LONGEST_NAME = 6
"""Words of a name that are compared."""
LOOKED_AT = 20_000
"""Training questions that are looked at to find examples."""

Name = tuple[str, ...]
"""Words in lower case."""

_WORD = re.compile(r"\w+")


def draw_examples(questions: QuestionTable, count: int, *, seed: int) -> list[Question]:
    """At most ``count`` training questions that may be shown, drawn by the seed; fewer where none is left.

    Those of a smaller count begin those of a larger one.
    """
    if not count:
        return []
    tested = _Tested.of(questions)
    ranked: tuple[list[Question], ...] = ([], [], [], [])
    for question in _candidates(questions, seed):
        if not tested.gives_away(question):
            shared = any(map(tested.accepts, _said(question)))
            ranked[2 * shared + (question.group in tested.groups)].append(question)
        if len(ranked[0]) == count:
            break
    return [question for found in ranked for question in found][:count]


def draw_trial(
    questions: QuestionTable, count: int, *, seed: int, shown: Iterable[Question] = ()
) -> list[Question]:
    """At most ``count`` training questions to try prompts on, drawn by the seed.

    Args:
        shown: examples; neither these questions nor others about their entities are taken.
    """
    same = {same_question(question) for question in shown}
    entities = {entity for question in shown if (entity := question.meta.get(TOGETHER)) is not None}
    found = (
        question
        for question in _candidates(questions, seed, purpose="trial")
        if same_question(question) not in same and question.meta.get(TOGETHER) not in entities
    )
    return list(islice(found, count))


def shown_elsewhere(questions: QuestionTable, shown: Sequence[Question]) -> list[str]:
    """The texts of examples whose question is asked outside of training."""
    codes, splits = questions.codes("split")
    others = np.array([split != "train" for split in splits], dtype=bool)[codes]
    own = {same_question(question): question.text for question in shown}
    tested = set(map(same_question, questions.where(others)))
    return [text for key, text in own.items() if key in tested]


def without_examples(questions: QuestionTable, shown: Sequence[Question]) -> QuestionTable:
    """The questions without the training questions that ask what an example asks."""
    if not shown:
        return questions
    codes, splits = questions.codes("split")
    train = np.array([split == "train" for split in splits], dtype=bool)[codes]
    own = question_keys(QuestionTable.of(shown))
    return questions.where(~(train & np.isin(question_keys(questions), own)))


def _candidates(questions: QuestionTable, seed: int, *, purpose: str = "examples") -> Iterator[Question]:
    """Training questions with an answer and no examples of their own, in an order drawn by the seed.

    A question that several rows ask is left out: it has no one answer to show.
    """
    codes, splits = questions.codes("split")
    if "train" not in splits:
        return
    train = questions.where(codes == splits.index("train"))
    keys = question_keys(train, seed=seed)
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    places = first[counts == 1]
    names = (name for (name,) in train.take(places).values("id"))
    order = np.argsort(draw_keys(names, len(places), seed, purpose=purpose), kind="stable")
    for question in train.take(places[order[:LOOKED_AT]]):
        if question.answerable and question.answers and not question.preface:
            yield question


@dataclass(slots=True)
class _Tested:
    """What calibration and test questions are about."""

    count: int = 0
    questions: set[str] = field(default_factory=set)
    passages: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    groups: set[str | None] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    """How many of the questions accept each, in its normal form."""
    names: Counter[Name] = field(default_factory=Counter)
    """In how many of the questions and their answers each name occurs whole."""
    parts: Counter[Name] = field(default_factory=Counter)
    """In how many each name occurs, whole or as a part of a longer one."""
    openings: Counter[str] = field(default_factory=Counter)
    """How many questions of all parts begin with each word."""
    total: int = 0
    """Questions of all parts."""

    @classmethod
    def of(cls, questions: QuestionTable) -> _Tested:
        """Read all questions once."""
        codes, splits = questions.codes("split")
        found = cls(total=len(questions))
        for (text,) in questions.values("text"):
            found.openings.update(_WORD.findall(text)[:1])
        other = np.array([split != "train" for split in splits], dtype=bool)[codes]
        for question in questions.where(other):
            found._add(question)
        return found

    def _add(self, question: Question) -> None:
        self.count += 1
        self.questions.add(same_question(question))
        self.groups.add(question.group)
        if question.context is not None:
            self.passages.add(normalise(question.context))
        if (entity := question.meta.get(TOGETHER)) is not None:
            self.entities.add(json.dumps(entity))
        said = _said(question)
        self.answers.update(set(map(normalise, said)))
        names = self._names(question.text, *said)
        self.names.update(names)
        self.parts.update({part for name in names for part in _parts(name)})

    def gives_away(self, question: Question) -> bool:
        """Whether an example says something about a calibration or test question."""
        entity, said = question.meta.get(TOGETHER), _said(question)
        return (
            same_question(question) in self.questions
            or (question.context is not None and normalise(question.context) in self.passages)
            or (entity is not None and json.dumps(entity) in self.entities)
            or any(0 < self.accepts(text) < FEW for text in said)
            or any(map(self._is_tested, self._names(question.text, *filter(self._is_new, said))))
        )

    def accepts(self, answer: str) -> int:
        """How many questions accept an answer."""
        return self.answers[normalise(answer)]

    def _is_new(self, answer: str) -> bool:
        return not self.accepts(answer)

    def _rare(self, count: int) -> bool:
        """Whether so many questions share a name, and few enough for it to be about an entity."""
        return count > 0 and not (count >= FEW and count > COMMON * self.count)

    def _is_tested(self, name: Name) -> bool:
        """Whether a name, a part of it, or a longer one that it is a part of is rare, and tested."""
        return self._rare(self.parts[name]) or any(self._rare(self.names[part]) for part in _parts(name))

    def _names(self, text: str, *said: str) -> set[Name]:
        """The names in a question and its answers, in lower case."""
        words = _WORD.findall(text)
        begin = self.openings[words[0]] if words else 0
        opens = begin >= OPENINGS and begin > OPENING_SHARE * self.total
        texts = (words[opens:], *map(_WORD.findall, said))
        return {name for words in texts for name in _runs(words)}


def _runs(words: Sequence[str]) -> Iterator[Name]:
    """The names among words."""
    for named, run in groupby(words, key=_is_name):
        if named:
            yield tuple(word.casefold() for word in islice(run, LONGEST_NAME))


def _is_name(word: str) -> bool:
    return word != word.lower() or any(map(str.isdigit, word))


def _parts(name: Name) -> Iterator[Name]:
    """A name and its parts."""
    for start, end in combinations(range(len(name) + 1), 2):
        yield name[start:end]


def _said(question: Question) -> list[str]:
    """The accepted answers; of a choice question the texts of its right options."""
    options = dict(zip(LETTERS, question.choices, strict=False))
    return [options.get(answer, answer) for answer in question.answers]
