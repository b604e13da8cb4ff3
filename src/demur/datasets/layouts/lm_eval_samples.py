"""lm-evaluation-harness's ``samples_TASK_TIME.jsonl`` (written with ``--log_samples``).

A row holds the document, the target and what the model gave: a text (``filtered_resps``; the unfiltered
one where the filter found nothing), or a log-likelihood for each option, of which the likeliest is the
response and its share the confidence. A file holds every row once for each of the task's filters: those of
its first filter are read. Source: lm_eval 0.4 (`lm_eval.result_schema`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.templates import LETTERS
from demur.datasets.fields import GUESSES, guess
from demur.datasets.layouts.base import Layout, Row, Wanted, most, objects

_FIELDS = frozenset({"doc_id", "doc", "resps", "filtered_resps"})
_NOTHING_FOUND = ("[invalid]", "")
_KEPT = ("id", "question_id", "answerable", "group", "category", "subject", "context")


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of one filter.

    Args:
        filter: its name; None where rows name none.
    """

    filter: str | None

    @property
    def note(self) -> str:
        """What was understood."""
        which = "" if self.filter in (None, "none") else f", filter {self.filter!r}, others left out"
        return f"read as samples of lm-evaluation-harness{which}"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row with its question, answers and response; none where it is of another filter."""
        if not isinstance(value, dict) or not value.keys() >= _FIELDS:
            return (value,)
        if value.get("filter") != self.filter:
            return ()
        doc = value["doc"] if isinstance(value["doc"], Mapping) else {}
        row = {name: doc[name] for name in _KEPT if name in doc} | {"question": _question(value, doc)}
        scores = _scores(value["filtered_resps"])
        told = _generated(value, doc) if scores is None else _chosen(value, scores)
        return ({"id": value["doc_id"], **row, **told},)


def _generated(value: Row, doc: Row) -> dict[str, Any]:
    """A text and what is accepted."""
    filtered, raw = _text(value["filtered_resps"]), _text(value["resps"])
    answers = value.get("target")
    listed = doc.get("answers") if isinstance(doc.get("answers"), list) else None
    if listed and all(isinstance(item, str) for item in listed):  # the target may be one of several
        answers = listed
    return {"answers": answers, "response": raw if filtered in _NOTHING_FOUND else filtered}


def _chosen(value: Row, scores: Sequence[float]) -> dict[str, Any]:
    """The likeliest option, its share, and the right one."""
    options = _continuations(value.get("arguments"), len(scores))
    best = max(range(len(scores)), key=scores.__getitem__)
    share = 1 / sum(math.exp(score - scores[best]) for score in scores)
    told = {"answers": _right(value.get("target"), options), "response": options[best]}
    whole = len(set(options)) == len(options) <= len(LETTERS)
    return {**told, "confidence": {"likelihood": share}, **({"choices": options} if whole else {})}


def _right(target: Any, options: Sequence[str]) -> Any:
    """The right option's text: a target may be its number, several of them, or a text."""
    if isinstance(target, list):
        return [_right(item, options) for item in target]
    text = str(target).strip()
    counted = not isinstance(target, bool) and text not in options and text.isdecimal() and len(text) < 4
    return options[int(text)] if counted and int(text) < len(options) else target


def _question(value: Row, doc: Row) -> Any:
    """The document's own question, or else the prompt."""
    name = guess(doc, GUESSES["question"])
    text = doc.get("text") if name is None else doc.get(name)
    return text if isinstance(text, str) else _argument(value.get("arguments"), 0, 0)


def _argument(arguments: Any, request: int, place: int) -> Any:
    """What a request was made with: lists, or objects of numbered names as newer versions write them."""
    if isinstance(arguments, Mapping):
        inner = arguments.get(f"gen_args_{request}")
        return inner.get(f"arg_{place}") if isinstance(inner, Mapping) else None
    inner = arguments[request] if isinstance(arguments, list) and request < len(arguments) else None
    return inner[place] if isinstance(inner, list) and place < len(inner) else None


def _continuations(arguments: Any, size: int) -> list[str]:
    """The options that were weighed, as texts."""
    found = [_argument(arguments, request, 1) for request in range(size)]
    return [
        text.strip() if isinstance(text, str) else f"option {n}" for n, text in enumerate(found, start=1)
    ]


def _scores(filtered: Any) -> list[float] | None:
    """The log-likelihood of each of two options or more; None where a text was generated."""
    if not isinstance(filtered, list) or len(filtered) < 2:
        return None
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in filtered):
        return None
    try:
        return [float(pair[0]) for pair in filtered]
    except (TypeError, ValueError):
        return None


def _text(responses: Any) -> Any:
    """The first text of nested lists."""
    while isinstance(responses, list) and responses:
        responses = responses[0]
    return responses if isinstance(responses, str) else ""


def _find(first: Sequence[Any], wanted: Wanted) -> Samples | None:  # noqa: ARG001
    rows = objects(first)
    if not most(rows, lambda row: row.keys() >= _FIELDS):
        return None
    return Samples(next(row.get("filter") for row in rows if row.keys() >= _FIELDS))


LAYOUT = Layout(name="lm-eval-samples", title="samples of lm-evaluation-harness", find=_find)
