"""`demur ask`: one question, or a conversation at the prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demur.cli.files import AskedOptions, field_option
from demur.cli.output import json_text, say
from demur.cli.settings import as_command

if TYPE_CHECKING:
    from demur.ask import Answer, Answerer
    from demur.core.records import Question

Source = Annotated[
    str, typer.Argument(help="A run's folder, a model's folder or .gguf file, or an untuned model's name.")
]
SystemName = Annotated[
    str | None, typer.Option("--system", help="Which system of the run; by default its method.")
]
Threshold = Annotated[
    float | None,
    typer.Option(help="Answer from this confidence up; by default as calibrated, else the system's rule."),
]
MaxError = Annotated[
    float | None, typer.Option(help="Keep errors among the answers below this share, promised by the run.")
]
ModelSettings = Annotated[
    list[str] | None,
    typer.Option("--model-set", help="NAME=VALUE: another setting of the model, such as device=cuda."),
]
BAR = 20


STDIN = "-"
"""In place of a question: what is piped in, read like any question file."""


@dataclass(frozen=True, kw_only=True)
class AskOptions(AskedOptions):
    """What `demur ask` is given."""

    source: Source
    questions: Annotated[
        list[str] | None,
        typer.Argument(help="One or more; - reads a question file from standard input; default: a prompt."),
    ] = None
    system: SystemName = None
    threshold: Threshold = None
    max_error: MaxError = None
    context: Annotated[str | None, typer.Option(help="A passage that holds the answer.")] = None
    context_field: Annotated[str | None, field_option("context", "passage")] = None
    model_set: ModelSettings = None
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False


def put(given: AskOptions) -> None:
    """Ask a tuned or fitted model: an answer, or a refusal, and how sure it is.

    Example: `demur ask runs/mine "Who wrote The Hobbit?"`
    """
    from demur.ask import load
    from demur.ask.query import as_question
    from demur.core.console import quiet_libraries

    quiet_libraries()
    piped = _piped(given) if STDIN in (given.questions or ()) else []
    for question in given.questions or ():
        as_question(question)  # what is none is said before a model is opened
    settings = as_settings(given.model_set)
    with load(
        given.source,
        system=given.system,
        threshold=given.threshold,
        max_error=given.max_error,
        model=settings,
    ) as answerer:
        if answerer.system.refused is not None:
            say(f"note: {answerer.system.refused.sentence(answerer.system.run)}", err=True)
        for question in given.questions or _typed(answerer, as_json=given.as_json):
            for asked in piped if question == STDIN else [question]:
                answer = answerer.ask(asked, context=given.context if isinstance(asked, str) else None)
                say(as_line(answer) if given.as_json else shown(answer))


ask = as_command(put, AskOptions)


def _piped(given: AskOptions) -> list[Question]:
    """The questions of a file on standard input.

    Raises:
        DataError: it cannot be read, or it holds none.
    """
    from demur.core.errors import DataError
    from demur.datasets.asked import EXPECTED, read_asked
    from demur.datasets.files import Content

    found = read_asked(Content(Path("standard input"), sys.stdin.buffer.read()), given.options())
    if not found:
        raise DataError(expected=EXPECTED, found="none", where="standard input", fix="pipe a file in")
    return found


def as_settings(pairs: list[str] | None) -> dict[str, Any]:
    """The settings of ``--model-set``.

    Raises:
        ConfigError: a pair without an equals sign.
    """
    from demur.cli.settings import name_values

    fix = "write the setting's name, an equals sign and its value"
    return {**name_values(pairs or [], "--model-set", example="device=cuda", fix=fix)}


def as_line(answer: Answer) -> str:
    """An answer as a line of JSON."""
    return json_text(answer.to_json())


def shown(answer: Answer) -> str:
    """An answer for the terminal: the text, and below it how sure it is."""
    lines = [answer.text]
    if answer.reason is not None:
        lines.append(f"  {answer.reason}")
    if answer.confidence is not None:
        filled = round(BAR * min(max(answer.confidence, 0.0), 1.0))
        bar = "━" * filled + "╌" * (BAR - filled)
        digits = _digits(answer.confidence, answer.threshold)
        lines.append(f"  {bar} {answer.signal} {answer.confidence:.{digits}f}{_limit(answer, digits)}")
    if answer.guarantee is not None:
        limit, sure = answer.guarantee.max_error, answer.guarantee.confidence
        lines.append(f"  promised: at most {limit:.0%} of the answers wrong, at {sure:.0%} confidence")
    return "\n".join(lines)


def _digits(confidence: float, threshold: float | None) -> int:
    """As many as tell the two apart: 2, or more where they are nearly the same."""
    if threshold is None or confidence == threshold:
        return 2
    return next((n for n in range(2, 8) if round(confidence, n) != round(threshold, n)), 8)


def _limit(answer: Answer, digits: int) -> str:
    limit = "" if answer.threshold is None else f", answers from {answer.threshold:.{digits}f}"
    likely = "" if answer.probability is None else f"; right with probability {answer.probability:.2f}"
    return limit + likely


def _typed(answerer: Answerer, *, as_json: bool) -> Iterator[str]:
    """Questions as they are typed, or as they stand in what is piped in; an empty line is passed over."""
    interactive = sys.stdin.isatty() and not as_json
    if interactive:
        say(f"{answerer.system.name}, {answerer.system.base}. Ask; end with Ctrl-D.")
    while True:
        try:
            line = input("? " if interactive else "").strip()
        except EOFError:
            return
        if line:
            yield line
