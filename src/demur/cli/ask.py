"""`demur ask`: one question, or a conversation at the prompt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from demur.ask import Answer, Answerer

Source = Annotated[
    str, typer.Argument(help="A run's folder, a model's folder, or an untuned model's name.")
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


def ask(
    source: Source,
    questions: Annotated[
        list[str] | None, typer.Argument(help="One or more; without any you are asked for them.")
    ] = None,
    system: SystemName = None,
    threshold: Threshold = None,
    max_error: MaxError = None,
    context: Annotated[str | None, typer.Option(help="A passage that holds the answer.")] = None,
    model_set: ModelSettings = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Ask a tuned model: an answer, or a refusal, and how sure it is.

    Example: `demur ask runs/mine "Who wrote The Hobbit?"`
    """
    from demur.ask import load
    from demur.core.console import quiet_libraries

    quiet_libraries()
    settings = as_settings(model_set)
    with load(source, system=system, threshold=threshold, max_error=max_error, model=settings) as answerer:
        if answerer.system.refused is not None:
            typer.echo(f"note: {answerer.system.refused.sentence(answerer.system.run)}", err=True)
        asked = questions or _typed(answerer, as_json=as_json)
        for question in asked:
            answer = answerer.ask(question, context=context)
            typer.echo(json.dumps(answer.to_json(), ensure_ascii=False) if as_json else shown(answer))


def as_settings(pairs: list[str] | None) -> dict[str, Any]:
    """The settings of ``--model-set``.

    Raises:
        ConfigError: a pair without an equals sign.
    """
    from demur.cli.settings import name_values

    fix = "write the setting's name, an equals sign and its value"
    return {**name_values(pairs or [], "--model-set", example="device=cuda", fix=fix)}


def shown(answer: Answer) -> str:
    """An answer for the terminal: the text, and below it how sure it is."""
    lines = [answer.text]
    if answer.reason is not None:
        lines.append(f"  {answer.reason}")
    if answer.confidence is not None:
        filled = round(BAR * min(max(answer.confidence, 0.0), 1.0))
        bar = "━" * filled + "╌" * (BAR - filled)
        lines.append(f"  {bar} {answer.signal} {answer.confidence:.2f}{_limit(answer)}")
    if answer.guarantee is not None:
        limit, sure = answer.guarantee.max_error, answer.guarantee.confidence
        lines.append(f"  promised: at most {limit:.0%} of the answers wrong, at {sure:.0%} confidence")
    return "\n".join(lines)


def _limit(answer: Answer) -> str:
    limit = "" if answer.threshold is None else f", answers from {answer.threshold:.2f}"
    likely = "" if answer.probability is None else f"; right with probability {answer.probability:.2f}"
    return limit + likely


def _typed(answerer: Answerer, *, as_json: bool) -> Iterator[str]:
    """Questions as they are typed, or as they stand in what is piped in; an empty line is passed over."""
    interactive = sys.stdin.isatty() and not as_json
    if interactive:
        typer.echo(f"{answerer.system.name}, {answerer.system.base}. Ask; end with Ctrl-D.")
    while True:
        try:
            line = input("? " if interactive else "").strip()
        except EOFError:
            return
        if line:
            yield line
