"""The command line as it describes itself: the reference page, and which flags a command takes."""

from collections.abc import Iterator
from typing import Any

import typer

from demur.cli.main import app
from demur.cli.settings import ConfigCommand


def commands(group: Any = None, name: str = "demur") -> Iterator[tuple[str, Any]]:
    """Every command by its full name, in the order of `demur --help`."""
    for word, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def takes_settings(command: Any) -> bool:
    """Whether every setting of the configuration is a flag of it."""
    return isinstance(command, ConfigCommand)


def flags(command: Any) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}


def reference() -> str:
    """The page that lists every command."""
    lines = [line for name, command in commands() for line in _section(name, command)]
    return "\n" + "\n".join(lines)


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [item for item in command.params if not item.opts[0].startswith("--")]
    options = [item for item in command.params if item not in arguments and not item.hidden]
    yield from (f"## {name}", "", command.help, "")
    usage = [command.options_metavar] if takes_settings(command) else [*map(_usage, arguments), "[OPTIONS]"]
    yield from ("```text", " ".join([name, *usage]), "```", "")
    if takes_settings(command):
        yield from ("Every [setting](../configuration.md) is a flag, too.", "")
    yield from ("| option | meaning |", "| --- | --- |")
    yield from (f"| `{_placeholder(item)}` | {_cell(item.help)} |" for item in arguments)
    for option in options:
        default = "" if option.default is None or option.is_flag else f" Default: `{option.default}`."
        yield f"| `{', '.join(option.opts)}` | {_cell(option.help)}{default} |"
    yield ""


def _usage(argument: Any) -> str:
    shown = _placeholder(argument) + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")
