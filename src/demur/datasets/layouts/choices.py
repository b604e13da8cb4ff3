"""ARC, CommonsenseQA, OpenBookQA: options as texts with labels, and the label of the right one
(``answerKey``).

On the Hub, ``choices`` is an object of two lists; as first published, ``question`` is an object of a
``stem`` and a list of options. Labels may be letters or numbers: an answer is looked up among them, never
counted. Sources: arXiv 1803.05457 (ARC), 1811.00937 (CommonsenseQA), 1809.02789 (OpenBookQA).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import GUESSES, guess
from demur.datasets.layouts.base import Layout, Row, Wanted, fields_of, most, objects

_KEYS = ("answerkey", "answer_key", *GUESSES["answers"])


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with labelled options.

    Args:
        choices: the field of the options.
        key: the field of the right one's label; None where there is none.
        answers: the field that the right option's text is written to.
    """

    choices: str
    key: str | None
    answers: str
    note: str = "read as options with labels (ARC, CommonsenseQA): the answer is the option of that label"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its options as a list of texts, and the text of the right one."""
        row = _stemmed(value, self.choices)
        options = _options(row.get(self.choices)) if row is not None else None
        if row is None or options is None:
            return (value,)
        labels, texts = options
        gold = None if self.key is None else row.get(self.key)
        label = str(gold).strip()
        right = texts[labels.index(label)] if label in labels else gold
        return ({**row, self.choices: texts, self.answers: right},)


def _find(first: Sequence[Any], wanted: Wanted) -> Labelled | None:
    given = wanted.options.fields
    choices = given.get("choices") or "choices"
    rows = [_stemmed(row, choices) or row for row in objects(first)]
    found = fields_of(rows)
    choices = given.get("choices") or guess(found, GUESSES["choices"]) or choices
    if not most(rows, lambda row: _options(row.get(choices)) is not None):
        return None
    key = given.get("answers") or guess(found, _KEYS)
    return Labelled(choices, key, given.get("answers") or "answers")


def _stemmed(row: Any, choices: str) -> Row | None:
    """A row with the stem of its question and the options as fields; None for no object."""
    if not isinstance(row, dict):
        return None
    question = row.get("question")
    if isinstance(question, dict) and "stem" in question and "choices" in question:
        return {**row, "question": question["stem"], choices: question["choices"]}
    if "question_stem" in row and "question" not in row:
        return {**row, "question": row["question_stem"]}
    return row


def _options(value: Any) -> tuple[list[str], list[Any]] | None:
    """The labels and the texts of options; None where they are not labelled."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        value = {name: [item.get(name) for item in value] for name in ("text", "label")}
    if not isinstance(value, dict):
        return None
    texts, labels = value.get("text"), value.get("label")
    if (
        not isinstance(texts, list)
        or not isinstance(labels, list)
        or len(texts) != len(labels)
        or not texts
    ):
        return None
    return [str(label).strip() for label in labels], texts


LAYOUT = Layout(name="choices", title="options with labels (ARC, CommonsenseQA, OpenBookQA)", find=_find)
