"""SQuAD and its kin (XQuAD, MLQA, CMRC, MRQA): passages with questions, some of which they do not answer.

Nested: articles of ``paragraphs``, each a ``context`` with ``qas``; or paragraphs themselves; CMRC's first
form has ``context_text``, ``query_text`` and ``query_id``. Flat, as on the Hub: rows whose ``answers`` are
an object of lists (``{"text": […], "answer_start": […]}``) or a list of such objects. A question is not
answerable where ``is_impossible`` says so, or where there is no answer. Sources: arXiv 1606.05250,
1806.03822 (SQuAD), 1910.11856 (XQuAD), 1910.07475 (MLQA), 1810.07366 (CMRC).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets.fields import answers_field
from demur.datasets.layouts.base import Layout, Row, Wanted, fields_of, most, objects, texts_in

_IMPOSSIBLE = ("is_impossible", "unanswerable", "is_unanswerable")
_TRUE = frozenset({"true", "1", "1.0", "yes"})


@dataclass(frozen=True, slots=True)
class Nested:
    """Articles or paragraphs."""

    note: str = "read as SQuAD's layout: each of the `qas` is a question, its passage the context"

    def rows(self, value: Any) -> Iterable[Any]:
        """A row for each question."""
        if not _is_nested(value):
            return () if isinstance(value, dict) and value.keys() == {"header"} else (value,)
        return self._questions(value)

    def _questions(self, article: Row) -> Iterator[Any]:
        for paragraph in article.get("paragraphs", [article]):
            if not isinstance(paragraph, dict) or not isinstance(paragraph.get("qas"), list):
                yield paragraph
                continue
            context = paragraph.get("context", paragraph.get("context_text"))
            for asked in paragraph["qas"]:
                yield _question(asked, context, article.get("title")) if isinstance(asked, dict) else asked


@dataclass(frozen=True, slots=True)
class Flat:
    """Rows as on the Hub.

    Args:
        answers: the field of the answers.
    """

    answers: str
    note: str = "read as SQuAD's layout: questions without an answer in their row are not answerable"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row, with its answers as a list and whether it can be answered."""
        if not isinstance(value, dict):
            return (value,)
        none = self.answers in value and value[self.answers] in (None, [])
        if not (none or _is_span(value.get(self.answers)) or _impossible(value) is not None):
            return (value,)
        return ({**value, **_answered(value, self.answers)},)


def _find(first: Sequence[Any], wanted: Wanted) -> Nested | Flat | None:
    rows = objects(first)
    if rows and rows[0].keys() == {"header"}:  # MRQA's first line
        rows = rows[1:]
    if most(rows, _is_nested):
        return Nested()
    name = answers_field(fields_of(rows), wanted.options)
    if name is None:
        return None
    spans = most(rows, lambda row: _is_span(row.get(name)) or row.get(name) in (None, "", []))
    given = spans and any(_is_span(row.get(name)) for row in rows)
    return Flat(name) if given or most(rows, lambda row: _impossible(row) is not None) else None


def _is_nested(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    paragraphs = row.get("paragraphs", [row])
    return (
        isinstance(paragraphs, list)
        and bool(paragraphs)
        and all(isinstance(part, dict) and isinstance(part.get("qas"), list) for part in paragraphs)
    )


def _is_span(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("text"), list | str)
    return (
        isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "text" in v for v in value)
    )


def _question(asked: Row, context: Any, title: Any) -> dict[str, Any]:
    """A question of a paragraph as a plain row."""
    row = {name: value for name, value in asked.items() if name not in ("query_text", "query_id", "qid")}
    return {
        **row,
        "id": asked.get("id", asked.get("query_id", asked.get("qid"))),
        "question": asked.get("question", asked.get("query_text")),
        "context": context,
        **({} if title is None else {"title": title}),
        **_answered(asked, "answers"),
    }


def _answered(row: Row, field: str) -> dict[str, Any]:
    """The answers as a list of texts, and whether there are any."""
    value = row.get(field)
    found = list(dict.fromkeys(texts_in(value)))
    listed = found if found or not isinstance(value, int | float) else value
    answerable = row.get("answerable", not _impossible(row) and listed not in (None, [], [""]))
    return {field: listed, "answerable": answerable}


def _impossible(row: Row) -> bool | None:
    """Whether a row says that it has no answer; None where it says nothing of that."""
    name = next((name for name in _IMPOSSIBLE if name in row), None)
    return None if name is None else str(row[name]).strip().casefold() in _TRUE


LAYOUT = Layout(name="squad", title="SQuAD's layout (SQuAD, XQuAD, MLQA, CMRC, MRQA)", find=_find)
