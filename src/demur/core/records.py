"""The words of Demur as frozen dataclasses, and their Parquet and JSONL form; nothing else.

question -> probe -> knowledge -> example -> prediction: each stage writes one of these, and every
later stage reads it, so a run folder can be opened with any Parquet or JSON tool.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import types
import typing
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from demur.core.errors import RunFolderError
from demur.core.files import atomic_path, parse_json, write_json_lines

if TYPE_CHECKING:
    import pyarrow as pa

Task = Literal["open", "choice", "contextual"]
Domain = Literal["id", "ood"]
Reading = Literal["refused", "answered", "hedged", "corrects-premise", "contradicts", "unclear"]
"""What a response does: see `demur.judging.refusals.refusal_state`."""
Finish = Literal["stop", "length", "thinking", "declined"]
"""Why a text ends: a stop string or the end of text; the token limit. ``thinking``: the reply of a server
ended within the model's reasoning, so there is no answer and the text is empty. ``declined``: nothing was
generated, since what the question's hidden states say of it was too little."""

SIGNALS = (
    *("sure", "likelihood", "combined", "agreement", "consistency", "verbal", "learned", "familiarity"),
    *("probe", "answer-rate", "p-ik", "sum", "min"),
)
"""Names of confidence signals. ``sure``: probability of the certain word against the uncertain one; where a
method refuses in words, that it does not refuse.
``likelihood``: geometric mean of the answer's token probabilities. ``combined``: mean of the two.
``agreement``: share of samples that agree. ``consistency``: one minus the entropy of the sampled answers
over its maximum. ``verbal``: the confidence stated in words. ``learned``: signals combined by a regression,
fitted on the calibration split, or on training questions (method `probe`). ``familiarity``: how often the
subject's other facts were read (pocket world), or the logarithm of its population (atlas). ``probe``: read
off hidden states. ``answer-rate``: share right of the same answer. ``p-ik``: read off hidden states before
an answer. ``sum`` and ``min``: of the tokens' log-probabilities, at most 0. All but these two and
``familiarity`` are in [0, 1]. See also `demur.signals`."""


class Verdict(StrEnum):
    """What a judge says of one response: the field's c(x, y) = 1, 0, -1, and 'could not be judged'."""

    CORRECT = "correct"
    WRONG = "wrong"
    REFUSED = "refused"
    UNSCORED = "unscored"


TOGETHER = "together"
"""In a question's ``meta``: what keeps it in one part with others, which are likely to fail together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question and what is known about it before any model is asked."""

    id: str
    """Unique within a run: the dataset's own id, or `question_id` of the content."""
    text: str
    """The question as asked, without any prompt around it."""
    answers: tuple[str, ...] = ()
    """Accepted answers, the preferred one first; empty where the question has no answer."""
    task: Task = "open"
    choices: tuple[str, ...] = ()
    """The options of a choice question, in order A, B, C, …; the answer is then the letter."""
    context: str | None = None
    """A passage given with the question; None where there is none."""
    form: str = ""
    """The prompt form it is published in (see `demur.core.templates.FORMS`); empty: that of its task."""
    preface: str = ""
    """What stands before the prompt: a heading, worked examples."""
    dataset: str = ""
    split: str = "train"
    """``train``, ``calibration``, ``test``, or another part of the dataset that is only tested on."""
    domain: Domain = "id"
    """``id`` where the tuning data has its like, ``ood`` where it has not."""
    answerable: bool = True
    """False where no answer can be right: a false premise, something that does not exist."""
    group: str | None = None
    """A part that is reported by itself: a relation, a subject, a kind of person; None for none."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the dataset knows beyond that (JSON values). No method reads it; analyses may. Under
    `TOGETHER`: the entity, topic or document that the question shares with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One generated text."""

    text: str
    """What was generated, up to but without the stop string, special tokens removed, not stripped."""
    token_logprobs: tuple[float, ...] = ()
    """Natural-log probability of each token of ``text`` under the unmodified model (temperature 1);
    of the stopping token alone where the text is empty; empty where the engine gives none."""
    finish: Finish = "stop"
    token_entropies: tuple[float, ...] = ()
    """Entropy of the next token's distribution at each token of ``token_logprobs``, in nats; empty where it
    was not asked for."""
    token_margins: tuple[float, ...] = ()
    """At each of them, the probability of the likeliest token minus that of the second, in [0, 1]."""
    answer: str | None = None
    """What was judged, extracted from the text; empty where it holds no answer. None where it is the text
    itself, stripped."""

    @property
    def silent(self) -> bool:
        """Whether there is no answer: an empty text, or one that ended within the model's reasoning."""
        return not (self.text.strip() if self.answer is None else self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one model did with one question."""

    question_id: str
    greedy: Response
    greedy_verdict: Verdict
    samples: tuple[Response, ...] = ()
    sample_verdicts: tuple[Verdict, ...] = ()
    answer_probability: float | None = None
    """Exact probability of the accepted answers, together, after the probe's prompt; None where it was not
    asked for or nothing is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """An estimate k(x) of whether a model knows the answer to a question."""

    question_id: str
    estimator: str
    """The estimator's name with its parameter, such as ``expected-accuracy(0.1)``."""
    known: bool | None
    """None where no verdict that the estimator needs could be given."""
    expected_accuracy: float | None = None
    """Share of correct responses among those scored, in [0, 1]; None where none was scored."""
    entropy: float | None = None
    """Entropy of the sampled answers in nats; None where nothing was sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One training row: loss falls on the completion only (TRL's prompt-completion form)."""

    prompt: str
    completion: str
    question_id: str
    certain: bool | None = None
    """True for certain data (D1), False for uncertain data (D0), None where a method has no such thing."""
    ends: bool = False
    """The text ends after the completion: an end-of-text (in a chat, end-of-turn) token is learned too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one system answered, how confident it is, and whether it declines to answer."""

    question_id: str
    system: str
    answer: str
    """The answer as a user would read it; where the text states a final answer, that; empty where there is
    none."""
    response: str
    """The raw text that the answer was read from."""
    verdict: Verdict
    """Of the answer itself, refusals by threshold ignored; REFUSED where the text is a refusal."""
    abstained: bool
    """True where the system declines, by its own rule or in words, or gives no answer."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """Confidence signals by name (see `SIGNALS`); an absent one is unknown."""
    reading: Reading | None = None
    """Whether the text answers or declines, as the rules read it; None where nobody looked."""

    @property
    def silent(self) -> bool:
        """Whether the model gave no answer: an empty text, or one that ended within its reasoning."""
        return self.verdict is Verdict.UNSCORED and not self.answer

    @property
    def outcome(self) -> Verdict:
        """The verdict after abstention: REFUSED where the system declined; UNSCORED without an answer."""
        return Verdict.REFUSED if self.abstained and not self.silent else self.verdict


_quoted = json.encoder.encode_basestring


def question_id(text: str, *, context: str | None = None, choices: Sequence[str] = ()) -> str:
    """An id from a question's content, 16 hex digits: the same content has the same id anywhere."""
    passage = "null" if context is None else _quoted(context)
    content = f"[{_quoted(text)}, {passage}, [{', '.join(map(_quoted, choices))}]]"  # JSON, written faster
    return hashlib.sha256(content.encode()).hexdigest()[:16]


R = TypeVar("R")


def to_row(record: Any) -> dict[str, Any]:
    """A record as plain JSON values; enums become their text, tuples become lists."""
    return {f.name: _plain(getattr(record, f.name)) for f in dataclasses.fields(record)}


def from_row(kind: type[R], row: Mapping[str, Any]) -> R:
    """The record that `to_row` made ``row`` from; fields absent from the row take their default."""
    readers = _readers(typing.cast(Any, kind))
    return kind(**{name: read(row[name]) for name, read in readers.items() if name in row})


ROWS = 2048
"""Records of one row group: as many as are held in memory while a file is written or read."""


def write_parquet(path: Path, records: Iterable[Any], kind: type[Any]) -> None:
    """Write records of one kind to a Parquet file, atomically, with the kind's own schema.

    They are taken from ``records`` as they are written, so a generator never has all of them in memory.
    """
    import pyarrow.parquet as pq

    options = {"compression": "zstd", "write_page_checksum": True}
    rows, schema = iter(records), arrow_schema(typing.cast(Any, kind))
    with atomic_path(path) as partial, pq.ParquetWriter(partial, schema, **options) as writer:
        while part := list(itertools.islice(rows, ROWS)):
            writer.write_table(to_table(part, kind))


def read_parquet(path: Path, kind: type[R]) -> list[R]:
    """Read every record of one kind from a Parquet file; `demur.core.stored` reads some at a time."""
    import pyarrow.parquet as pq

    return from_table(pq.read_table(path), kind)


def to_table(records: Sequence[Any], kind: type[Any]) -> pa.Table:
    """Records of one kind as an Arrow table."""
    import pyarrow as pa

    rows = [_parquet_row(record) for record in records]
    return pa.Table.from_pylist(rows, schema=arrow_schema(typing.cast(Any, kind)))


def from_table(table: pa.Table, kind: type[R]) -> list[R]:
    """The records that `to_table` made a table of."""
    return [_from_parquet_row(kind, row) for row in table.to_pylist()]


def write_jsonl(path: Path, records: Iterable[Any]) -> None:
    """Write records as JSON lines, atomically."""
    write_json_lines(path, map(to_row, records))


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Read records that `write_jsonl` wrote, one at a time.

    Raises:
        RunFolderError: a line is none of them, naming it.
    """
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            try:
                record = from_row(kind, parse_json(line))
                if wrong := [*_wrong_types(record)]:
                    raise ValueError(f"{', '.join(wrong)} of another type")
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise RunFolderError(
                    expected=f"a JSON object with {', '.join(field_types(kind))}",
                    found=" ".join(str(error).split())[:200],
                    where=f"{path}, line {number}",
                    fix="take the file from a copy of the run, or delete it and run the same command again",
                ) from error
            yield record


def _wrong_types(record: Any) -> Iterator[str]:
    """The fields of a record that hold no text, truth value or number, where they should."""
    for name, hint in field_types(type(record)).items():
        value, plain = getattr(record, name), _without_none(hint)
        if plain in (str, bool, int, float) and not (value is None and is_optional(hint)):
            numbers = plain is float and type(value) is int
            if type(value) is not plain and not numbers:
                yield name


def field_types(kind: Any) -> dict[str, Any]:
    """The annotation of each field of a record, in order."""
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def is_optional(hint: Any) -> bool:
    """Whether an annotation allows None."""
    return _without_none(hint) is not hint


@cache
def arrow_schema(kind: Hashable) -> pa.Schema:
    """The Arrow schema of a record: derived from its annotations, so the two cannot drift apart."""
    import pyarrow as pa

    hints = field_types(kind)
    return pa.schema([pa.field(name, _arrow_type(hint)) for name, hint in hints.items()])


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_row(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _parquet_row(record: Any) -> dict[str, Any]:
    """`to_row`, with free-form mappings as JSON text and numeric ones as Arrow maps."""
    row = to_row(record)
    if "meta" in row:
        row["meta"] = json.dumps(row["meta"], ensure_ascii=False, sort_keys=True)
    if "signals" in row:
        row["signals"] = list(row["signals"].items())
    return row


def _from_parquet_row(kind: type[R], row: dict[str, Any]) -> R:
    if "meta" in row:
        row["meta"] = json.loads(row["meta"])
    if "signals" in row:
        row["signals"] = dict(row["signals"])
    return from_row(kind, row)


def _arrow_type(hint: Any) -> pa.DataType:
    import pyarrow as pa

    hint = _without_none(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return pa.list_(_arrow_type(arguments[0]))
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return pa.string()
    if origin is not None and issubclass(origin, Mapping):
        return pa.map_(pa.string(), pa.float64()) if arguments[1] is float else pa.string()
    if dataclasses.is_dataclass(hint):
        return pa.struct(arrow_schema(typing.cast(Any, hint)))
    return {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}[hint]


@cache
def _readers(kind: Hashable) -> dict[str, typing.Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in field_types(kind).items()}


def _reader(hint: Any) -> typing.Callable[[Any], Any]:
    """How one field's plain value becomes the field's type again."""
    inner = _without_none(hint)
    if inner is not hint:
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if typing.get_origin(hint) is tuple:
        read = _reader(typing.get_args(hint)[0])
        return lambda value: tuple(read(item) for item in value)
    if dataclasses.is_dataclass(hint):
        return lambda value: from_row(typing.cast("type[Any]", hint), value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if typing.get_origin(hint) is Literal:
        return lambda value: _one_of(value, typing.get_args(hint))
    return lambda value: value


def _one_of(value: Any, known: tuple[Any, ...]) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value


def _without_none(hint: Any) -> Any:
    """``X`` for ``X | None``, any other hint unchanged."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    rest = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    return rest[0] if len(rest) == 1 else hint


AnsweredQuestion = tuple[Question, Prediction]
"""A question, and what a system answered."""
