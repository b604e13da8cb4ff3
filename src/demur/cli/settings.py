"""What commands share: settings as flags, common options, and the pipeline that they open."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence, Set
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from typer.core import TyperCommand

from demur.core.errors import ConfigError

Options = TypeVar("Options")

SHORT = {
    "name": "data.name",
    "model": "model.path",
    "data": "data.name",
    "method": "method",
    "out": "out",
    "seed": "seed",
    "launch": "training.launch.strategy",
    "processes": "training.launch.processes",
    # How a file is read: the flags that all commands have which read one (`demur.cli.files`).
    **{
        name: f"data.{name}"
        for name in (
            *(f"{role}_field" for role in ("question", "answers", "id", "choices", "context", "split")),
            *("domain_field", "group_field", "answerable_field"),
            *("layout", "answers_separator", "encoding", "open_sealed"),
        )
    },
}
"""Short flags for the settings that are given most."""
BARE = ("--open-sealed", "--data.open_sealed")
"""Flags that may stand without a value, as in the commands that read a file."""


class ConfigCommand(TyperCommand):
    """A command that takes every setting of the configuration as a flag, and lists them in its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Set the settings aside first: else a value, or `--seed=3`, is taken for an argument's."""
        flags = {flag for given in self.params for flag in (*given.opts, *given.secondary_opts)}
        own, settings = _divided(args, flags)
        super().parse_args(ctx, own)
        rest: list[str] = [*settings, *ctx.args]
        ctx.args = rest
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The usual help, then the settings; they are looked up only here, so that help stays fast."""
        super().format_help(ctx, formatter)
        from rich.console import Console
        from rich.table import Table

        from demur.core.config import leaves

        short = {dotted: f", --{flag.replace('_', '-')}" for flag, dotted in SHORT.items()}
        table = Table("setting", "default", "meaning", title="Settings", title_justify="left", box=None)
        for dotted, info in leaves():
            default = info.get_default(call_default_factory=True)
            table.add_row(f"--{dotted}{short.get(dotted, '')}", str(default), info.description)
        Console().print(table)


SETTINGS_AS_FLAGS: dict[str, Any] = {
    "cls": ConfigCommand,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
    "options_metavar": "[CONFIG.yaml] [--SETTING VALUE]... [OPTIONS]",
}


def name_values(pairs: Sequence[str], flag: str, *, example: str, fix: str) -> dict[str, str]:
    """NAME=VALUE pairs by name; a name with dots reaches into a section.

    Args:
        flag: the option that gives them.
        example: a pair, for the message.
        fix: what to do where one has no equals sign.

    Raises:
        ConfigError: a pair without an equals sign.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(
                expected=f"NAME=VALUE, such as {example}", found=repr(pair), where=flag, fix=fix
            )
        found[name] = value
    return found


Limit = Annotated[int | None, typer.Option(help="Use at most N questions per split, for a trial.")]
Update = Annotated[
    bool, typer.Option("--update", help="Let a changed configuration redo what it changes in its folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")]


def as_command(run: Callable[[Options], None], options: type[Options]) -> Callable[..., None]:
    """A command with an option for each field of a dataclass.

    Args:
        run: takes the options that were given; its docstring is the command's help.
        options: the dataclass; its annotations are what typer takes for a parameter.
    """
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(options)  # type: ignore[arg-type]
    ]

    def command(**given: Any) -> None:
        run(options(**given))

    command.__doc__ = run.__doc__
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return command


def read_settings(
    ctx: typer.Context,
    limit: int | None,
    path: Path | None = None,
    *,
    preset: Mapping[str, Any] | None = None,
) -> Any:
    """The configuration that a command line gives: its file, its flags, its limit.

    Args:
        preset: settings of the command itself, which flags override.
    """
    from demur.core.trust import load_own_config
    from demur.pipeline.prompts import TRIAL, left_open

    given_path, flags = parse(ctx.args)
    given = {**(preset or {}), **flags}
    if path is not None and given_path is not None:
        raise _misplaced(str(given_path))
    if limit is not None:
        given["data.limit"] = limit
    if path is None and given_path is None and left_open(given):
        given[TRIAL] = True
    return load_own_config(path or given_path, given)


def parse(arguments: list[str]) -> tuple[Path | None, dict[str, Any]]:
    """The configuration file, and settings from ``--name VALUE`` and ``--name=VALUE``.

    Short names stand for dotted ones.
    """
    path: Path | None = None
    given: dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        flag, equals, after = argument.partition("=")
        if not flag.startswith("--"):
            if path is not None or flag.startswith("-"):
                raise _misplaced(argument)
            path = Path(argument)
            continue
        if argument in BARE:
            given["data.open_sealed"] = True
            continue
        value = after if equals else next(rest, None)
        name = flag[2:].replace("-", "_")
        if value is None or (not equals and value.startswith("--")):
            raise _without_value(flag, name, value)
        given[SHORT.get(name, name)] = value
    return path, given


def _divided(arguments: Sequence[str], own: Set[str]) -> tuple[list[str], list[str]]:
    """A command's own options and arguments, and its settings as flags, each with its value.

    Args:
        own: the flags of the command's own options.
    """
    kept: list[str] = []
    settings: list[str] = []
    rest = list(reversed(arguments))
    while rest:
        argument = rest.pop()
        flag, equals, _ = argument.partition("=")
        if argument == "--":
            return [*kept, argument, *reversed(rest)], settings
        if not flag.startswith("--") or flag in {*own, "--help"}:
            kept.append(argument)
            continue
        settings.append(argument)
        if not equals and argument not in BARE and rest and not rest[-1].startswith("--"):
            settings.append(rest.pop())
    return kept, settings


def _without_value(flag: str, name: str, following: str | None) -> ConfigError:
    from demur.core.config import leaves

    if name not in SHORT and name.partition(".")[0] not in {
        dotted.partition(".")[0] for dotted, _ in leaves()
    }:
        return ConfigError(
            expected="an option of this command, or a setting",
            found=repr(flag),
            where="the command line",
            fix="leave it out; `demur run --help` lists every setting with its meaning",
        )
    return ConfigError(
        expected=f"a value after {flag}",
        found="the end of the line" if following is None else repr(following),
        where="the command line",
        fix=f"write {flag} VALUE, or {flag}=VALUE",
    )


def _misplaced(argument: str) -> ConfigError:
    return ConfigError(
        expected="one configuration file at most, and flags of the form --setting VALUE",
        found=repr(argument),
        where="the command line",
        fix="`demur run --help` lists every setting",
    )


def require_input(ctx: typer.Context) -> None:
    """Refuse to begin a run of nothing that was asked for.

    Raises:
        ConfigError: neither a configuration file nor data, a model or a folder is given.
    """
    path, given = parse(ctx.args)
    sections = {name.partition(".")[0] for name in given}
    if path is None and not sections & {"data", "model", "out"}:
        raise ConfigError(
            expected="a configuration file, or questions and a model",
            found="neither",
            where="the command line",
            fix="try `demur demo`; for your own questions, `demur init questions.jsonl` writes demur.yaml; "
            "or give --data questions.jsonl --model NAME",
        )


def open_pipeline(settings: Any, *, update: bool) -> Any:
    """A run's pipeline, which tells this terminal how it gets on."""
    from demur.core.console import Terminal, quiet_libraries

    quiet_libraries()
    from demur.pipeline.pipeline import Pipeline

    return Pipeline(settings, listener=Terminal(), update=update)
