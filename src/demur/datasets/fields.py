"""Which field of a file holds what: named by the user, or guessed from the names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from demur.core.config import NO_FIELD
from demur.datasets.options import Purpose, ReadOptions
from demur.datasets.problems import names

GUESSES: dict[str, tuple[str, ...]] = {
    "question": (
        *("question", "query", "question_text", "prompt", "instruction", "input", "problem", "claim", "q"),
        *("questions", "inputs", "frage", "pregunta", "pergunta", "вопрос", "问题", "質問", "سؤال", "प्रश्न"),
    ),
    "answers": (
        *("answers", "answer", "golden_answers", "gold_answers", "gold_answer", "gold", "accepted_answers"),
        *("correct_answer", "right_answer", "reference_answer", "references", "reference", "targets"),
        *("target", "expected", "ideal", "outputs", "output", "solution", "response", "completion"),
        *("labels", "label", "a", "possible_answers", "correct_answers", "short_answers", "short_answer"),
        *(
            "final_answer",
            "exact_answer",
            "expected_answer",
            "reference_answers",
            "ground_truth",
            "ground_truths",
        ),
        *(
            "gt_answer",
            "gt",
            "true_answer",
            "best_answer",
            "answer_list",
            "answer_text",
            "antwort",
            "respuesta",
        ),
        *("resposta", "réponse", "ответ", "答案", "回答", "إجابة", "उत्तर"),
    ),
    "id": ("id", "question_id", "qid", "uid", "uuid", "_id"),
    "choices": ("choices", "options"),
    "context": ("context", "passage", "knowledge"),
    "split": ("split",),
    "domain": ("domain",),
    "group": ("group", "category", "subject", "relation"),
    "answerable": ("answerable", "is_answerable", "has_answer"),
}
"""Names that a field may have, by what it holds, the likeliest first. Case, spaces and dashes do not
count: ``Gold Answer`` is ``gold_answer``."""
RESPONSES = (
    *("response", "pred_text", "prediction", "predicted_answer", "predicted", "pred", "model_response"),
    *("model_answer", "model_output", "generated_answer", "generated_text", "generated_response"),
    *("generation", "generated", "completion", "output", "reply", "hypothesis", "outputs", "predictions"),
    *("generations", "pred_answer", "answer_pred", "model_prediction", "model_completion", "llm_answer"),
    *("llm_response", "llm_output", "output_text", "actual", "actual_output", "sampled", "decoded"),
)
"""The same for the field of a system's responses."""
KNOWN = frozenset(guess for guesses in GUESSES.values() for guess in guesses) | set(RESPONSES)
"""All of these names."""

_OF_OUTPUTS: dict[str, tuple[str, ...]] = {
    **{role: GUESSES[role] for role in ("question", "answers", "id", "choices", "answerable")},
    "group": ("group",),
    "confidence": ("confidence",),
    "abstained": ("abstained",),
}
"""What rows of outputs hold beside their response."""
_LATE = ("group", "confidence", "abstained")
_OF_ASKED = {role: GUESSES[role] for role in ("question", "choices", "context")}
NAMED: dict[Purpose, tuple[str, ...]] = {
    "questions": tuple(GUESSES),
    "outputs": ("response", *_OF_OUTPUTS),
    "asked": tuple(_OF_ASKED),
}
"""What fields can be named for, by what rows are read for."""


_STRUCTURED = frozenset(
    (*GUESSES["answers"], *GUESSES["choices"], "messages", "conversations", "confidence")
)


class RowError(Exception):  # never leaves the reader
    """One row that cannot be read: what was found, and what to do."""

    def __init__(self, found: str, fix: str) -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


def plain_name(name: str) -> str:
    """A field's name without what does not count: case, spaces and dashes."""
    return re.sub(r"[\s_-]+", "_", str(name).strip().casefold()).strip("_") or name


def guess(found: Iterable[str], guesses: Sequence[str]) -> str | None:
    """The likeliest of the fields found; None where none of them is among the guesses."""
    by_plain_name = {plain_name(name): name for name in reversed(list(found))}
    return next((by_plain_name[name] for name in guesses if name in by_plain_name), None)


def answers_field(found: Iterable[str], options: ReadOptions) -> str | None:
    """The field that a file's answers stand in, before anything else is settled."""
    return options.fields.get("answers") or guess(found, GUESSES["answers"])


def question_field(found: Iterable[str], options: ReadOptions) -> str | None:
    """The field that a file's questions stand in."""
    return options.fields.get("question") or guess(found, GUESSES["question"])


def fields_of_turns(options: ReadOptions) -> frozenset[str]:
    """Plain names of the fields that may hold objects: answers, options, the turns of a conversation."""
    named = (options.fields.get(role) for role in ("question", "answers", "choices", "confidence"))
    return _STRUCTURED.union(plain_name(name) for name in named if name is not None)


class Fields:
    """The fields of one file by what they hold.

    Args:
        kind: the file's format, for messages.
        table: whether it is a table, whose first row holds the names.
    """

    def __init__(self, options: ReadOptions, purpose: Purpose, *, kind: str, table: bool) -> None:
        self.given, self.purpose = options.fields, purpose
        self.by_role: dict[str, str] = {}
        self.names: dict[str, None] = {}
        """Of all fields that were met."""
        self._kind, self._table = kind, table
        self._guesses = {"questions": GUESSES, "outputs": _OF_OUTPUTS, "asked": _OF_ASKED}[purpose]

    def take_note(self, found: Sequence[str]) -> None:
        """Settle which of the fields found holds what; what is settled stays.

        Raises:
            RowError: a field that is needed, or was named, is not among all that were met.
        """
        self.names.update(dict.fromkeys(found))
        if self.purpose == "outputs" and "response" not in self.by_role:
            self._settle_response(found)
        free = [name for name in found if name != self.by_role.get("response")]
        for role, guesses in self._guesses.items():
            wanted = self.given.get(role)
            if wanted == NO_FIELD or role in self.by_role:
                continue
            name = wanted if wanted is not None else guess(free, guesses)
            if name in self.names and (wanted or name not in self.by_role.values()):
                self._settle(role, str(name), late=len(found) < len(self.names))
        self._require()
        for role in _LATE if self.purpose == "outputs" else ():  # they may begin far down in a file
            if self.given.get(role) != NO_FIELD:
                self.by_role.setdefault(role, role)

    def _settle_response(self, found: Sequence[str]) -> None:
        wanted = self.given.get("response")
        name = guess(found, RESPONSES) if wanted is None else wanted
        if name is None:
            raise self._missing("response", "no field holds the response", "response")
        if name not in self.names:
            raise self._missing("response", f"no field is called {name!r}", name)
        self.by_role["response"] = name

    def _settle(self, role: str, name: str, *, late: bool) -> None:
        if late and role in ("id", "split") and self.purpose == "questions":
            fix = f"give every row this field, or add --{role}-field none"
            raise RowError(f"the field {name!r} begins here: earlier rows have none", fix)
        self.by_role[role] = name

    def _require(self) -> None:
        for role in self._guesses:
            wanted = self.given.get(role)
            if wanted not in (None, NO_FIELD) and role not in self.by_role:
                raise self._missing(role, f"no field is called {wanted!r}", str(wanted))
        if "question" not in self.by_role:
            raise self._missing("question", "no field holds the question", "question")
        if self.purpose != "asked" and not {"answers", "answerable"} & self.by_role.keys():
            raise self._missing("answers", "no field holds the answer", "answer")

    def _missing(self, role: str, what: str, wanted: str) -> RowError:
        plain = {plain_name(name): name for name in self.names}
        near = difflib.get_close_matches(plain_name(wanted), list(plain)[:1000], n=1)
        free = [name for name in plain if plain[name] not in self.by_role.values()]
        near = near or (free if len(free) == 1 else [])
        option = f"--{role}-field"
        fix = f"name the field with {option} FIELD"
        if near:
            fix = f"did you mean {plain[near[0]]!r}? Then add {option} {plain[near[0]]!r}"
        elif self._table:
            fix += "; the first row must hold the names of the columns"
        return RowError(f"{what}; the fields are {names(list(self.names))} (read as {self._kind})", fix)
