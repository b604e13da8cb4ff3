"""The command line: each command a few lines that call the library."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from demur import __version__
from demur.cli_ask import ask
from demur.cli_data import data_app
from demur.cli_serve import serve
from demur.cli_share import card, gguf, merge
from demur.cli_tax import export_tasks, tax
from demur.cli_trust import trust
from demur.errors import ConfigError, DemurError
from demur.files import explain_full_disk
from demur.stopping import Stopped, stop_on_signals

if TYPE_CHECKING:
    from demur.config import EndpointSettings
    from demur.scoring import Outputs

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
app.command("ask")(ask)
app.command("serve")(serve)
app.command("tax")(tax)
app.command("export-tasks")(export_tasks)
app.command("card")(card)
app.command("merge")(merge)
app.command("gguf")(gguf)
app.command("trust")(trust)

SHORT = {
    "model": "model.path",
    "data": "data.name",
    "method": "method",
    "out": "out",
    "seed": "seed",
    "launch": "training.launch.strategy",
    "processes": "training.launch.processes",
}
"""Short flags for the settings that are given most."""


class ConfigCommand(TyperCommand):
    """A command whose help also lists every setting of the configuration, each of them a flag."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The usual help, then the settings; they are looked up only here, so that help stays fast."""
        super().format_help(ctx, formatter)
        from rich.console import Console
        from rich.table import Table

        from demur.config import leaves

        short = {dotted: f", --{flag}" for flag, dotted in SHORT.items()}
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


Limit = Annotated[int | None, typer.Option(help="Use so many questions only: a trial.")]
Update = Annotated[
    bool, typer.Option("--update", help="Let a changed configuration redo what it changes in its folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Say the version where asked."""
    if version:
        typer.echo(f"demur {__version__}")
        raise typer.Exit


@app.command(**SETTINGS_AS_FLAGS)
def run(
    ctx: typer.Context,
    limit: Limit = None,
    update: Update = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """From a model and questions to an honest model and a report.

    Example: `demur run --model Qwen/Qwen3-4B --data my_qa.jsonl --out runs/mine`
    """
    settings = _settings(ctx, limit)
    if dry_run:
        from demur.dryrun import estimate, render

        plan = estimate(settings)
        typer.echo(json.dumps(plan, indent=2) if as_json else render(plan))
        return
    _carry_out(settings, update=update, as_json=as_json)


@app.command(**SETTINGS_AS_FLAGS)
def demo(ctx: typer.Context, update: Update = False, as_json: AsJson = False) -> None:
    """The whole of it on the pocket world, in about a minute on a laptop."""
    from demur.pocket import DEMO_CONFIG

    _carry_out(_settings(ctx, None, DEMO_CONFIG), update=update, as_json=as_json)


def _stage_command(stage: str, text: str) -> None:
    def command(
        ctx: typer.Context,
        limit: Limit = None,
        update: Update = False,
    ) -> None:
        _pipeline(_settings(ctx, limit), update=update).run(until=stage)

    app.command(name=stage, **SETTINGS_AS_FLAGS, help=text)(command)


_stage_command("probe", "Ask the base model every question and judge what it says.")
_stage_command("build", "Find what the model knows and build the training data.")
_stage_command("train", "Tune the model of every method.")
_stage_command("predict", "Ask every system every question.")
_stage_command("evaluate", "Measure every system, with intervals.")


@app.command(
    **{**SETTINGS_AS_FLAGS, "options_metavar": "[RUN | CONFIG.yaml] [--SETTING VALUE]... [OPTIONS]"}
)
def report(
    ctx: typer.Context,
    show: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
    csv: Annotated[
        Path | None, typer.Option(help="Also write every table and figure to this folder as CSV.")
    ] = None,
    limit: Limit = None,
    update: Update = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a finished run's folder anew; of a configuration, make what it needs first.

    Example: `demur report runs/mine --open`
    """
    from demur.provenance import notices
    from demur.reporting import write_csv, write_report

    folder, given = _parse(ctx.args)
    if folder is not None and folder.is_dir():
        if given or limit is not None or update:
            raise ConfigError(
                expected=f"no settings beside the finished run {folder}",
                found=", ".join(f"--{name}" for name in given) or "--limit or --update",
                where="the command line",
                fix="leave them out, or give a configuration in place of the run's folder",
            )
        page = write_report(folder)
        for refused in notices(folder):
            typer.echo(f"note: {refused.sentence(folder)}", err=True)
    else:
        made = _pipeline(_settings(ctx, limit), update=update).run(until="report")
        folder, page = made.root, made.report
    files = write_csv(folder, csv) if csv else []
    if as_json:
        typer.echo(json.dumps({"report": str(page), "csv": [str(path) for path in files]}))
    else:
        for path in [page, *files]:
            typer.echo(path)
    if show and not open_page(page):
        typer.echo("no browser could be started: open the file yourself", err=True)


def open_page(page: Path) -> bool:
    """Show a page in the user's browser; False where there is none."""
    import webbrowser

    return webbrowser.open(page.resolve().as_uri())


@app.command()
def status(
    run: Annotated[Path, typer.Argument(help="A run folder, also one that a process is at work in.")],
    watch: Annotated[bool, typer.Option("--watch", help="Look again until nobody works in it.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a run has done, what it is doing, and how long that will take.

    Example: `demur status runs/mine --watch`
    """
    import time

    from rich.live import Live

    from demur.console import print_wide
    from demur.status import render
    from demur.status import status as look

    found = look(run)
    if as_json:
        typer.echo(json.dumps(found))
        while watch and found["state"] == "running":
            time.sleep(2)
            found = look(run)
            typer.echo(json.dumps(found))
        return
    if not watch:
        print_wide(render(found))
        return
    with Live(render(found), auto_refresh=False) as live:
        while found["state"] == "running":
            time.sleep(2)
            found = look(run)
            live.update(render(found), refresh=True)


@app.command()
def study(
    config: Annotated[Path, typer.Argument(help="The study: out, seeds, jobs, run, datasets.")],
    out: Annotated[Path | None, typer.Option(help="Another folder than the study's own.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Runs at once.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Methods x seeds x datasets: every run, several at once, and their comparison.

    Example: `demur study examples/study-pocket.yaml`
    """
    from demur.console import Terminal
    from demur.study import failures, load_study, run_study

    given = {name: value for name, value in (("out", out), ("jobs", jobs)) if value is not None}
    settings = load_study(config, given)
    outcomes = run_study(settings, note=Terminal().note)
    problem = failures(outcomes)
    if problem is None:
        _compare([outcome.job.config.out for outcome in outcomes], settings.out, None, as_json=as_json)
    else:
        raise problem


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders that hold runs.")],
    out: Annotated[Path | None, typer.Option(help="Write compare.json and compare.html there.")] = None,
    against: Annotated[str | None, typer.Option(help="A system to compare all others with.")] = None,
    page: Annotated[Path | None, typer.Option(help="Also write a page in Markdown there.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the tables to this folder as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """One table for many runs: means and intervals over seeds, paired differences."""
    _compare(runs, out, against, page=page, csv=csv, as_json=as_json)


def _compare(
    runs: list[Path],
    out: Path | None,
    against: str | None,
    *,
    page: Path | None = None,
    csv: Path | None = None,
    as_json: bool,
) -> None:
    from demur.comparison import collect, find_runs, markdown, summarise, tables, write_csv, write_page
    from demur.files import write_json, write_text

    summary = summarise([collect(path) for path in find_runs(runs)], against=against)
    if out is not None:
        write_json(out / "compare.json", summary)
        write_page(summary, out / "compare.html")
    if csv is not None:
        write_csv(summary, csv)
    if page is not None:
        command = f"demur compare {' '.join(map(str, runs))}"
        write_text(page, markdown(summary, title=f"Comparison: {page.stem}", command=command))
    if as_json:
        typer.echo(json.dumps(summary))
        return
    from demur.console import print_wide

    notice = "always refusing scores 100% prudence and 50% honesty: read no column alone"
    print_wide(*tables(summary), notice)
    if out is not None:
        typer.echo(f"\ncomparison: {out / 'compare.html'}")


@app.command()
def claims(
    out: Annotated[Path, typer.Option(help="Folder of the runs; what is done there is kept.")] = Path(
        "runs/claims"
    ),
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=2)] = 5,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two seeds, few questions: a look, no proof.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Runs at once.", min=1)] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the page there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every claim of the papers on the pocket world, each with an interval and a verdict."""
    import time

    from demur.claims.page import markdown
    from demur.claims.work import as_json as to_json
    from demur.claims.work import check_claims, make_runs, tables
    from demur.console import Terminal
    from demur.files import write_text
    from demur.study import failures

    chosen = list(range(2 if quick else seeds))
    folder = out / "quick" if quick else out
    started = time.monotonic()
    problem = failures(make_runs(folder, chosen, quick=quick, jobs=jobs, note=Terminal().note))
    if problem is not None:
        raise problem
    minutes = (time.monotonic() - started) / 60
    findings = check_claims(folder, chosen, quick=quick)
    command = f"demur claims --seeds {len(chosen)}" + (" --quick" if quick else "")
    text = markdown(
        findings,
        seeds=chosen,
        command=command,
        minutes=minutes if minutes > 1 else None,
        tables=tables(folder, chosen),
    )
    write_text(folder / "claims.md", text)
    if page is not None:
        write_text(page, text)
    if as_json:
        typer.echo(json.dumps(to_json(findings)))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, or a text_only file of R-Tuning's scripts.")],
    format: Annotated[
        str,
        typer.Option(
            help="trl, llama-factory, axolotl, openai, sharegpt, lmflow or alignment-for-honesty."
        ),
    ] = "trl",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; by default in the run's.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Whose training data; by default the method's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write training data for another trainer, with a card.

    Example: `demur export runs/mine --format llama-factory`
    """
    from demur.exports import export_run

    folder = out or (run.parent if run.is_file() else run) / "exports" / format
    files = export_run(run, format, folder, system=system)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in files]}))
        return
    for path in files:
        typer.echo(path)


@app.command()
def score(
    outputs: Annotated[Path, typer.Argument(help="Rows with question, answers and response.")],
    before: Annotated[Path | None, typer.Option(help="The same, of the untuned system.")] = None,
    question_field: Annotated[str | None, typer.Option(help="Field of the question; guessed.")] = None,
    answers_field: Annotated[
        str | None, typer.Option(help="Field of the accepted answers; guessed.")
    ] = None,
    response_field: Annotated[str | None, typer.Option(help="Field of the response; guessed.")] = None,
    id_field: Annotated[
        str | None, typer.Option(help="Field of the id; guessed. none: match --before by the question.")
    ] = None,
    confidence_field: Annotated[str | None, typer.Option(help="Field of the confidence; guessed.")] = None,
    metrics: Annotated[str | None, typer.Option(help="Only these, with commas between.")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap draws; 0 for no intervals.", min=0)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    judge_url: Annotated[
        str | None, typer.Option(help="Let a model judge: an OpenAI-compatible server's address.")
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="The judge's name there.")] = None,
    judge_key_env: Annotated[
        str | None, typer.Option(help="The environment variable that holds its key.")
    ] = None,
    judge_set: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE: another setting of judge.llm, such as price_in=0.15; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure anybody's outputs: every metric that their fields allow, with intervals.

    No model is needed; one that judges may be named.

    Example: `demur score answers.jsonl --before base.jsonl`
    """
    from demur.scoring import judged, read_outputs
    from demur.scoring import score as measure

    judge = _judge(judge_url, judge_model, judge_key_env, judge_set or [])
    given = {
        "question": question_field,
        "answers": answers_field,
        "response": response_field,
        "id": id_field,
        "confidence": confidence_field,
    }
    fields = {role: name for role, name in given.items() if name is not None}

    def read(path: Path) -> Outputs:
        rows = read_outputs(path, keep=judge is not None, fields=fields)
        if judge is None:
            return rows
        from demur.console import Terminal

        with Terminal().bar(f"{judge.model} judges", len(rows), "responses") as advance:
            return judged(rows, judge, resamples=resamples, seed=seed, progress=advance)

    names = metrics.replace(",", " ").split() if metrics else None
    untuned = read(before) if before else None
    found = measure(read(outputs), untuned, metrics=names, resamples=resamples, seed=seed)
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    from demur.console import print_wide
    from demur.scoring.tables import tables

    print_wide(*tables(found))


@app.command()
def calibrate(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    max_error: Annotated[float, typer.Option(help="Largest share of wrong answers to allow.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Probability that the promise is kept.")] = 0.95,
    joint: Annotated[bool, typer.Option("--joint", help="Wrong among all, not among answered.")] = False,
    system: Annotated[str | None, typer.Option(help="By default the run's method.")] = None,
    signal: Annotated[str | None, typer.Option(help="By default the system's own.")] = None,
    by_group: Annotated[bool, typer.Option("--by-group", help="A threshold for each group.")] = False,
    recalibrate: Annotated[
        str,
        typer.Option(help="Also make the signal a probability: temperature, platt, isotonic, or choose."),
    ] = "none",
    as_json: AsJson = False,
) -> None:
    """Find the threshold that keeps wrong answers below a limit, and promise it.

    Example: `demur calibrate runs/mine --max-error 0.05 --confidence 0.95`
    """
    from demur.guarantees.work import calibrate_run

    found = calibrate_run(
        run,
        max_error=max_error,
        confidence=confidence,
        risk="joint" if joint else "selective",
        system=system,
        signal=signal,
        by_group=by_group,
        recalibrate=recalibrate,
    )
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    more = found.get("recalibration", {}).get("sentences", [])
    typer.echo("\n".join([*found["sentences"], *([""] if more else []), *more]))


@app.command()
def analyse(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    system: Annotated[str | None, typer.Option(help="By default the run's method.")] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="Also open the base model and score the questions' texts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """R-Tuning's analyses: certain and uncertain data, signals side by side, every threshold.

    Example: `demur analyse runs/mine`
    """
    from demur.analysis import analyse_run
    from demur.analysis.page import markdown
    from demur.console import print_wide, quiet_libraries
    from demur.provenance import notices

    quiet_libraries()
    found = analyse_run(run, system=system, questions=questions)
    for refused in notices(run):
        typer.echo(f"note: {refused.sentence(run)}", err=True)
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
        return
    from rich.markdown import Markdown

    print_wide(Markdown(markdown(found, run.resolve().name)))


@app.command("metrics")
def list_metrics(as_json: AsJson = False) -> None:
    """Every metric: what it needs, its range, which way is better, when it is undefined."""
    from demur.metrics import describe

    if as_json:
        typer.echo(json.dumps(describe(), indent=2))
        return
    from rich.console import Console

    from demur.scoring.tables import metrics_table

    Console().print(metrics_table())


@app.command()
def methods(as_json: AsJson = False) -> None:
    """Every method: what it needs, what it trains on, what it costs, where it deviates from its paper."""
    from demur.methods.table import entries, table

    if as_json:
        typer.echo(json.dumps(entries(), indent=2))
        return
    from rich.console import Console

    Console().print(table())


@app.command()
def init(
    data: Annotated[str, typer.Argument(help="A question file, or a dataset's name.")],
    out: Annotated[Path, typer.Option(help="The configuration to write.")] = Path("demur.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Look at a question file and write a commented configuration for it."""
    from demur.scaffold import write_config

    typer.echo(write_config(data, out, force=force))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What this machine has, and what is missing for what."""
    from demur.doctor import examine, render

    found = examine()
    typer.echo(json.dumps(found, indent=2) if as_json else render(found))


@pocket_app.command("build")
def pocket_build(
    out: Annotated[Path, typer.Option(help="Folder for the model.")] = Path("runs/pocket"),
    seed: Annotated[int, typer.Option(help="Draws the world and the model anew.")] = 0,
    name: Annotated[
        str, typer.Option(help="pocket, pocket-2, pocket-2-small, pocket-2-large or pocket-reader.")
    ] = "pocket",
    facts: Annotated[
        list[str] | None,
        typer.Option(
            help="A question file, or DATASET:PATH, whose facts the model reads instead; may be repeated."
        ),
    ] = None,
) -> None:
    """Train a small model that has read some facts often, some once, some never."""
    from demur.console import Terminal
    from demur.scaffold import build_pocket

    typer.echo(build_pocket(out, name=name, seed=seed, facts=facts or [], listener=Terminal()))


def _judge(
    url: str | None, model: str | None, key_variable: str | None, more: list[str]
) -> EndpointSettings | None:
    """The model that judges; None where a rule does."""
    from demur.config import load_config

    given = {"base_url": url, "model": model, "key_variable": key_variable}
    given = {name: value for name, value in given.items() if value is not None}
    for setting in more:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(
                expected="NAME=VALUE, such as price_in=0.15",
                found=repr(setting),
                where="--judge-set",
                fix="`demur run --help` lists the settings of judge.llm",
            )
        given[name] = value
    settings = load_config(None, {f"judge.llm.{name}": value for name, value in given.items()}).judge.llm
    if given and settings.base_url is None:
        raise ConfigError(
            expected="the judge's address and its name, beside the rest",
            found=", ".join(given),
            where="the command line",
            fix="give --judge-url and --judge-model, or nothing of the judge",
        )
    return settings if given else None


def _settings(ctx: typer.Context, limit: int | None, path: Path | None = None) -> Any:
    from demur.trust import load_own_config

    given_path, given = _parse(ctx.args)
    if path is not None and given_path is not None:
        raise _misplaced(str(given_path))
    if limit is not None:
        given["data.limit"] = limit
    return load_own_config(path or given_path, given)


def _parse(arguments: list[str]) -> tuple[Path | None, dict[str, Any]]:
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
        value = after if equals else next(rest, None)
        if value is None or (not equals and value.startswith("--")):
            raise ConfigError(
                expected=f"a value after {flag}",
                found="the end of the line" if value is None else repr(value),
                where="the command line",
                fix=f"write {flag} VALUE, or {flag}=VALUE",
            )
        name = flag[2:].replace("-", "_")
        given[SHORT.get(name, name)] = value
    return path, given


def _misplaced(argument: str) -> ConfigError:
    return ConfigError(
        expected="one configuration file at most, and flags of the form --setting VALUE",
        found=repr(argument),
        where="the command line",
        fix="`demur run --help` lists every setting",
    )


def _pipeline(settings: Any, *, update: bool) -> Any:
    from demur.console import Terminal, quiet_libraries

    quiet_libraries()
    from demur.pipeline import Pipeline

    return Pipeline(settings, listener=Terminal(), update=update)


def _carry_out(settings: Any, *, update: bool, as_json: bool) -> None:
    folder = _pipeline(settings, update=update).run()
    metrics, manifest = (json.loads(path.read_text("utf-8")) for path in (folder.metrics, folder.manifest))
    if as_json:
        typer.echo(json.dumps({"run": str(folder.root), "report": str(folder.report), **metrics}))
        return
    from rich.console import Console

    from demur.provenance import GUARANTEE, base_of_run, look
    from demur.reporting import headline, summary_table

    console = Console(highlight=False)
    console.print(summary_table(metrics, manifest))
    guarantee = look(folder.root, GUARANTEE, base=base_of_run(folder.root)).value
    for sentence in headline(metrics, manifest, guarantee):
        console.print(f"• {sentence}", markup=False)
    console.print(f"\nreport: {folder.report}", markup=False, soft_wrap=True)


def main() -> None:
    """Run the command line; a user's mistake is a message and exit code 2, never a traceback."""
    try:
        stop_on_signals()
        with explain_full_disk(Path.cwd()):
            app()
    except DemurError as error:
        typer.echo(f"demur: {type(error).__name__}\n{error.message()}", err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        typer.echo("demur: memory ran out; use a smaller model.batch_size, dtype or model", err=True)
        sys.exit(2)
    except Stopped as stopped:
        again = shlex.join(["demur", *sys.argv[1:]])
        typer.echo(f"\ndemur: stopped, everything finished is kept; to go on: {again}", err=True)
        sys.exit(stopped.code)
