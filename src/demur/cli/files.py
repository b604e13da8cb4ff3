"""Options that every command has which reads a file: the same names, with the same meaning."""

from __future__ import annotations

import dataclasses
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from demur.cli.settings import ConfigCommand

if TYPE_CHECKING:
    from demur.core.config import DataSettings
    from demur.datasets.options import ReadOptions


def field_option(role: str, what: str) -> Any:
    """An option that names a field."""
    return typer.Option(f"--{role}-field", help=f"Field of the {what}; default: guessed.")


class FileCommand(TyperCommand):
    """A command whose options are also taken by the names that they have in a configuration."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The usual parsing, with ``--data.answers_field`` as ``--answers-field``."""
        known = {option for parameter in self.params for option in parameter.opts}
        return super().parse_args(ctx, [_dashed(argument, known) for argument in args])


def _dashed(argument: str, known: Container[str]) -> str:
    """An option of the data section by its short name, where the command has it."""
    flag, equals, value = argument.partition("=")
    short = f"--{flag.removeprefix('--data.').replace('_', '-')}"
    return short + equals + value if flag.startswith("--data.") and short in known else argument


class StartCommand(FileCommand, ConfigCommand):
    """The same for a command that takes every setting too."""


@dataclass(frozen=True, kw_only=True)
class AskedOptions:
    """How questions alone are read."""

    question_field: Annotated[str | None, field_option("question", "question")] = None
    choices_field: Annotated[str | None, field_option("choices", "options of a choice question")] = None
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            help="How rows hold a question; default: recognised. plain: as they stand.",
        ),
    ] = None
    encoding: Annotated[str | None, typer.Option("--encoding", help="Text encoding; default: UTF-8.")] = (
        None
    )

    def options(self) -> ReadOptions:
        """The options, as the reader takes them."""
        from demur.datasets.options import ReadOptions

        given = {name: value for name, value in _given(self).items() if name.endswith("_field")}
        return ReadOptions(
            fields={name.removesuffix("_field"): value for name, value in given.items()},
            encoding=self.encoding,
            layout=self.layout,
            separator=getattr(self, "answers_separator", None),
        )


@dataclass(frozen=True, kw_only=True)
class AnsweredOptions(AskedOptions):
    """How questions with their accepted answers are read."""

    answers_field: Annotated[str | None, field_option("answers", "accepted answers")] = None
    answers_separator: Annotated[
        str | None,
        typer.Option(
            "--answers-separator",
            help="Divide answers at this text, such as ';'.",
        ),
    ] = None
    id_field: Annotated[str | None, field_option("id", "id (none: no ids)")] = None
    answerable_field: Annotated[
        str | None, field_option("answerable", "truth value: can it be answered?")
    ] = None
    group_field: Annotated[str | None, field_option("group", "group")] = None


@dataclass(frozen=True, kw_only=True)
class FileOptions(AnsweredOptions):
    """How a file of questions is read."""

    name: Annotated[
        str | None,
        typer.Option("--name", help="Read it as this dataset; default: your own file."),
    ] = None
    context_field: Annotated[str | None, field_option("context", "passage")] = None
    split_field: Annotated[str | None, field_option("split", "part (train, calibration, test)")] = None
    domain_field: Annotated[str | None, field_option("domain", "domain (id or ood)")] = None
    open_sealed: Annotated[
        bool | None,
        typer.Option("--open-sealed", help="Also read the sealed part (atlas: confirm); recorded."),
    ] = None

    def settings(self) -> DataSettings:
        """These as settings of the data section; what was not given is left out."""
        from demur.core.config import DataSettings

        return DataSettings.model_validate(self.given())

    def given(self) -> dict[str, Any]:
        """What was given, by the names of the settings."""
        known = {field.name for field in dataclasses.fields(FileOptions)}
        return {name: value for name, value in _given(self).items() if name in known}


def _given(options: Any) -> dict[str, Any]:
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: value for name, value in values.items() if value is not None}
