"""The command line: each command a few lines that call the library."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.ask import ask
from demur.cli.atlas import atlas_app
from demur.cli.claims import claims
from demur.cli.compare import compare, study
from demur.cli.convert import convert
from demur.cli.data import data_app
from demur.cli.files import FileCommand, StartCommand
from demur.cli.finished import analyse, calibrate, export
from demur.cli.lists import list_metrics, list_signals, methods
from demur.cli.report import report
from demur.cli.run import demo, fit, run, stage_command, status
from demur.cli.score import score
from demur.cli.serve import ServeOptions, serve
from demur.cli.settings import SETTINGS_AS_FLAGS, as_command
from demur.cli.share import card, gguf, merge
from demur.cli.start import doctor, init, pocket_build
from demur.cli.tax import export_tasks, tax
from demur.cli.trust import trust
from demur.cli.verify import verify
from demur.core.errors import DemurError, plain
from demur.core.files import explain_disk
from demur.core.stopping import Stopped, stop_on_signals
from demur.core.version import __version__

app = typer.Typer(
    name="demur",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Teach a language model to say \"I don't know\" when it doesn't know, and prove that it does.",
)
pocket_app = typer.Typer(
    no_args_is_help=True, help="The pocket world: a model whose reading is known exactly."
)
app.add_typer(pocket_app, name="pocket")
app.add_typer(data_app, name="data")
app.add_typer(atlas_app, name="atlas")
app.command("ask", cls=FileCommand)(ask)
app.command("serve")(as_command(serve, ServeOptions))
app.command("tax")(tax)
app.command("export-tasks")(export_tasks)
app.command("card")(card)
app.command("merge")(merge)
app.command("gguf")(gguf)
app.command("convert")(convert)
app.command("trust")(trust)
app.command("verify")(verify)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Say the version where asked."""
    if version:
        typer.echo(f"demur {__version__}")
        raise typer.Exit


app.command(**SETTINGS_AS_FLAGS)(run)
app.command(**SETTINGS_AS_FLAGS)(fit)
app.command(**SETTINGS_AS_FLAGS)(demo)
app.command("probe", **SETTINGS_AS_FLAGS, help="Ask the base model every question and judge what it says.")(
    stage_command("probe")
)
app.command("build", **SETTINGS_AS_FLAGS, help="Find what the model knows and build the training data.")(
    stage_command("build")
)
app.command("train", **SETTINGS_AS_FLAGS, help="Tune the model of every method.")(stage_command("train"))
app.command("predict", **SETTINGS_AS_FLAGS, help="Ask every system every question.")(
    stage_command("predict")
)
app.command("evaluate", **SETTINGS_AS_FLAGS, help="Measure every system, with intervals.")(
    stage_command("evaluate")
)
app.command(
    **{**SETTINGS_AS_FLAGS, "options_metavar": "[RUN | CONFIG.yaml] [--SETTING VALUE]... [OPTIONS]"}
)(report)
app.command()(status)
app.command()(study)
app.command()(compare)
app.command()(claims)
app.command()(export)
app.command("score", cls=FileCommand)(score)
app.command()(calibrate)
app.command()(analyse)
app.command("metrics")(list_metrics)
app.command()(methods)
app.command("signals")(list_signals)
app.command(
    "init",
    **{**SETTINGS_AS_FLAGS, "cls": StartCommand, "options_metavar": "[OPTIONS] [--SETTING VALUE]..."},
)(init)
app.command()(doctor)
pocket_app.command("build")(pocket_build)


def main() -> None:
    """Run the command line; a user's mistake is a message and exit code 2, never a traceback."""
    try:
        stop_on_signals()
        with explain_disk(Path.cwd()):
            app()
    except DemurError as error:
        typer.echo(plain(f"demur: {type(error).__name__}\n{error.message()}"), err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        typer.echo("demur: memory ran out; use a smaller model.batch_size, dtype or model", err=True)
        sys.exit(2)
    except Stopped as stopped:
        again = shlex.join(["demur", *sys.argv[1:]])
        typer.echo(plain(f"\ndemur: stopped, everything finished is kept; to go on: {again}"), err=True)
        sys.exit(stopped.code)
