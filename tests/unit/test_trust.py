"""A run or model folder from somebody else acts on nothing: no address, no variable, no file, no code."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from reporting_run import make_run
from typer.testing import CliRunner

import demur
from chat_server import ChatServer, Said
from commands import run_demur
from demur.analyse.perplexity import question_log_perplexities
from demur.ask import system as systems
from demur.cli.main import app
from demur.core import signing, trust
from demur.core.config import load_config
from demur.core.errors import DataError, RunFolderError, TrustError
from demur.core.records import Probe, Question, Response, Verdict, read_parquet, write_parquet
from demur.pocket import bundled_model
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder

SECRET = "AKIA-the-secret-of-the-victim"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run of a method that asks the base model, and of one with weights of its own."""
    run = make_run(tmp_path_factory.mktemp("made") / "run", people=60)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["systems"]["honesty-prompt"] = {"primary_signal": "likelihood"}
    (run / "manifest.json").write_text(json.dumps(manifest))
    wrong, answer = Verdict.WRONG, Response(text="Oslo")
    said = {
        "greedy": answer,
        "greedy_verdict": wrong,
        "samples": [answer] * 10,
        "sample_verdicts": [wrong] * 10,
    }
    asked = read_parquet(run / "questions.parquet", Question)
    write_parquet(run / "probe.parquet", [Probe(question_id=q.id, **said) for q in asked], Probe)
    model = run / "systems/r-tuning/model"
    shutil.copytree(bundled_model(), model)
    (model / "demur.json").write_text(json.dumps({"method": "r-tuning", "threshold": {"value": 0.5}}))
    configure(run)
    return run


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def configure(run, **settings):
    """Write the configuration of a run; settings by dotted name, with two underscores for the dot."""
    given = {"method": "honesty-prompt", "baselines": [], "out": str(run), "probe.samples": 10}
    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    config = load_config(None, given | dotted)
    (run / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))


def demur_says(*arguments, **environment):
    return run_demur(*arguments, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)


def invoked(*arguments, **more):
    """The same in this process."""
    return CliRunner().invoke(app, [*map(str, arguments)], env={"AWS_SECRET_ACCESS_KEY": SECRET}, **more)


@pytest.fixture
def server():
    with ChatServer(lambda heard, number: Said(text="Oslo")) as server:
        yield server


# -- a stranger's server -----------------------------------------------------------------------------------


def to_a_server(run, server, tmp_path):
    """The settings of a run that sends a variable of the environment to a stranger, and keeps what came."""
    configure(
        run,
        model__engine="openai",
        model__path="m",
        model__endpoint__base_url=server.url,
        model__endpoint__key_variable="AWS_SECRET_ACCESS_KEY",
        model__endpoint__cache=str(tmp_path / "anywhere/replies.sqlite"),
        model__endpoint__extra={"note": "x"},
    )
    return ("ask", run, "Where is Oslo?", "--json")


def test_asking_a_strangers_run_connects_to_nobody(run, server, tmp_path):
    ask = to_a_server(run, server, tmp_path)
    done = demur_says(*ask, AWS_SECRET_ACCESS_KEY=SECRET)
    assert server.heard == []
    assert not (tmp_path / "anywhere").exists()
    assert done.returncode == 2
    assert "TrustError" in done.stderr
    for name in ("base_url", "key_variable", "cache", "extra.note"):
        assert f"model.endpoint.{name}" in done.stderr
    assert f"demur trust {run}" in done.stderr


def test_what_the_user_trusts_is_asked(run, server, tmp_path):
    ask = to_a_server(run, server, tmp_path)
    done = demur_says("trust", run, "--yes")
    assert done.returncode == 0, done.stderr
    assert server.url in done.stdout
    done = demur_says(*ask, AWS_SECRET_ACCESS_KEY=SECRET)
    assert done.returncode == 0, done.stderr
    assert {heard.headers["Authorization"] for heard in server.heard} == {f"Bearer {SECRET}"}
    assert (tmp_path / "anywhere/replies.sqlite").exists()


def test_what_the_user_gives_is_the_users_own(run, server, tmp_path):
    ask = to_a_server(run, server, tmp_path)
    mine = {"base_url": server.url, "key_variable": "null", "cache": "null", "extra": "{}"}
    given = [word for name, value in mine.items() for word in ("--model-set", f"endpoint.{name}={value}")]
    for missing in range(0, len(given), 2):
        done = invoked(*ask, *given[:missing], *given[missing + 2 :])
        assert isinstance(done.exception, TrustError)
    assert server.heard == []
    done = invoked(*ask, *given)
    assert done.exit_code == 0, done.output
    assert server.heard
    assert SECRET not in str([heard.headers for heard in server.heard])
    assert not (tmp_path / "anywhere").exists()


ACTING = (
    ("ask", "Who?", "--system", "base"),
    ("serve", "--system", "base", "--port", "0"),
    ("tax", "--tasks", "pocket"),
    ("export-tasks",),
    ("card",),
    ("merge", "--out", "merged"),
    ("gguf", "--out", "x.gguf", "--converter", __file__),
)
EXPORT = ("export", "--format", "alignment-for-honesty")
by_command = pytest.mark.parametrize("command", ACTING, ids=lambda words: words[0])


@by_command
def test_no_command_connects_by_a_strangers_settings(run, server, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    to_a_server(run, server, tmp_path)
    done = invoked(command[0], run, *command[1:])
    assert isinstance(done.exception, TrustError), done.output
    assert server.heard == []
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_upstream_server_does_not_get_a_variable_that_the_run_names(run, server, tmp_path):
    """The address is the user's own, the name of the variable is not."""
    to_a_server(run, server, tmp_path)
    done = invoked("serve", run, "--port", "0", "--upstream", server.url)
    assert isinstance(done.exception, TrustError)
    assert "model.endpoint.key_variable" in done.exception.found
    assert "base_url" not in done.exception.found
    assert server.heard == []


def test_the_judge_of_a_run_is_asked_by_nobody_who_opens_it(run, server, tmp_path):
    configure(
        run,
        judge__llm__base_url=server.url,
        judge__llm__model="m",
        judge__llm__key_variable="AWS_SECRET_ACCESS_KEY",
        judge__llm__cache=str(tmp_path / "anywhere/replies.sqlite"),
    )
    assert isinstance(invoked(EXPORT[0], run, *EXPORT[1:]).exception, DataError), "no training questions"
    assert invoked("export-tasks", run).exit_code == 0
    done = invoked("ask", run, "Where is Oslo?", "--json")
    assert done.exit_code == 0, "what it does not act on is nobody's concern"
    assert server.heard == []
    assert not (tmp_path / "anywhere").exists()


def test_in_python_the_same_error_is_raised(run, server, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    to_a_server(run, server, tmp_path)
    with pytest.raises(TrustError, match=r"model\.endpoint\.base_url"):
        demur.load(run)
    own = {"base_url": server.url, "cache": str(tmp_path / "mine.sqlite")}
    with demur.load(run, model={"endpoint": own}) as answerer:
        answerer.ask("Where is Oslo?")
    assert server.heard
    assert SECRET not in str([heard.headers for heard in server.heard])


def test_harmless_runs_open_whether_they_are_signed_or_not(run):
    """As a run of version 0.1.0: it has no signature."""
    for _ in range(2):
        done = invoked("ask", run, "Where is Oslo?", "--json")
        assert done.exit_code == 0, done.output
        signing.sign(run)


READING = (("report",), ("compare",), ("status",), ("analyse",), ("calibrate", "--max-error", "0.9"))


def test_commands_that_only_read_need_no_trust(run, server, tmp_path):
    to_a_server(run, server, tmp_path)
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(run)}
    own = ("--system", "r-tuning")
    for command in READING:
        more = own if command[0] in ("analyse", "calibrate") else ()
        done = CliRunner().invoke(app, [command[0], str(run), *command[1:], *more])
        assert done.exit_code == 0, (command, done.output, done.exception)
    assert server.heard == []
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(run)} == before
    assert not signing.is_signed(run), "nothing that a stranger's run is put to makes it one's own"


def test_the_texts_of_questions_are_not_scored_by_a_strangers_settings(run, server, tmp_path):
    to_a_server(run, server, tmp_path)
    with pytest.raises(TrustError):
        question_log_perplexities(FinishedRun.open(run), FinishedRun.open(run).questions[:2])


# -- a stranger's code -------------------------------------------------------------------------------------


@pytest.fixture
def ran(run, tmp_path):
    """A model that comes with code, as the run's base model; the file that is there once the code ran."""
    mark, base = tmp_path / "the code ran", tmp_path / "base"
    shutil.copytree(bundled_model(), base)
    bring_code(base, mark)
    configure(run, method="r-tuning", model__path=str(base), model__trust_remote_code=True)
    return mark


def bring_code(folder, mark):
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    for name, kinds in {
        "config.json": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
        "tokenizer_config.json": {"AutoTokenizer": ["evil.Tokenizer", None]},
    }.items():
        values = json.loads((folder / name).read_text())
        values |= {"auto_map": kinds, "model_type": "evil", "tokenizer_class": "Tokenizer"}
        (folder / name).write_text(json.dumps(values))


@by_command
def test_no_command_runs_the_code_of_a_strangers_run(run, ran, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    done = invoked(command[0], run, *command[1:], input="y\n" * 9)
    assert isinstance(done.exception, TrustError), done.output
    assert "model.trust_remote_code: true" in done.exception.found
    assert not ran.exists()


@pytest.mark.parametrize("command", [*ACTING, EXPORT], ids=lambda words: words[0])
def test_no_command_asks_whether_code_may_run(run, ran, tmp_path, monkeypatch, command):
    """Libraries ask at the terminal where nobody told them, and run the code after a hasty yes."""
    monkeypatch.chdir(tmp_path)
    configure(run, method="r-tuning", model__path=str(tmp_path / "base"))
    done = invoked(command[0], run, *command[1:], input="y\n" * 9)
    assert done.exit_code != 0
    assert not ran.exists()


def test_code_beside_tuned_weights_is_not_run(run, ran):
    configure(run, method="r-tuning")
    bring_code(run / "systems/r-tuning/model", ran)
    assert invoked("ask", run, "Who?", input="y\n" * 9).exit_code != 0
    assert not ran.exists()


@pytest.mark.parametrize("how", ["trust", "given"])
def test_code_runs_where_the_user_says_so(run, ran, how):
    given = ("--model-set", "trust_remote_code=true") if how == "given" else ()
    if how == "trust":
        signing.sign(run)
    invoked("ask", run, "Who?", "--system", "base", *given)
    assert ran.exists()


def test_a_run_that_may_use_code_does_not_use_a_strangers(run, ran, tmp_path):
    """The permission is the base model's; somebody's tuned weights in the folder do not have it."""
    config = load_config(run / "config.yaml")
    RunFolder(run).check_claim(config, update=True)
    bring_code(run / "systems/r-tuning/model", ran)
    with pytest.raises(TrustError, match=r"systems/r-tuning/model/evil\.py"):
        RunFolder(run).check_claim(config, update=True)
    signing.sign(run / "systems/r-tuning/model")
    RunFolder(run).check_claim(config, update=True)
    (run / "work/training/x").mkdir(parents=True)
    (run / "work/training/x/evil.py").write_text("")
    with pytest.raises(TrustError, match=r"work/training/x/evil\.py"):
        RunFolder(run).check_claim(config, update=True)
    signing.sign(run)
    RunFolder(run).check_claim(config, update=True)


@pytest.mark.parametrize("strategy", [None, "ddp", "fsdp", "deepspeed-zero3", "own.yaml"])
def test_checkpoints_that_are_pickles_are_not_taken_over_from_a_stranger(run, strategy):
    configure(run, training__launch__strategy=strategy)
    config, folder = load_config(run / "config.yaml"), RunFolder(run)
    folder.check_claim(config, update=False)
    (run / "work/training/vanilla/hash/round1/sft/checkpoint-5").mkdir(parents=True)
    if strategy in (None, "ddp"):
        folder.check_claim(config, update=False)
        return
    with pytest.raises(TrustError, match="checkpoint-5"):
        folder.check_claim(config, update=False)
    signing.sign(run)
    folder.check_claim(config, update=False)


# -- what acts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.trust_remote_code", True),
        ("model.endpoint", {"base_url": "http://x/v1"}),
        ("model.endpoint", {"key_variable": "HOME"}),
        ("model.endpoint", {"cache": "/x"}),
        ("model.endpoint", {"extra": {"tools": {"a": 1}}}),
        ("model.options", {"address": "ray://x"}),
        ("model.options", {"logits_processors": ["os:system"]}),
        ("model.options", {"options": {"download_dir": "/x"}}),
        ("model.options", {"options": {"download_dir": "/x"}, "options.download_dir": None}),
        ("model.options", {"max_model_len": {"x": 1}}),
        ("judge.llm", {"base_url": "http://x/v1", "model": "m"}),
        ("training.launch.strategy", "/x/accelerate.yaml"),
        ("training.report_to", ["wandb"]),
        ("stages", {"sft": {"report_to": ["wandb"]}}),
        ("stages", {"sft": {"launch": {"strategy": "x.yaml"}}}),
        ("overrides", {"vanilla": {"training": {"report_to": ["wandb"]}}}),
        ("overrides", {"vanilla": {"stages": {"sft": {"launch": {"strategy": "x.yaml"}}}}}),
    ],
)
def test_settings_that_act_are_found_refused_and_left_out(run, name, value):
    configure(run, **{name.replace(".", "__"): value})
    found = trust.acting(load_config(run / "config.yaml"))
    assert found
    assert all(one.startswith(name) for one in found)
    with pytest.raises(TrustError):
        trust.settings_of(run, acting_on=trust.EVERYTHING)
    assert trust.acting(trust.settings_of(run)) == {}
    assert trust.acting(trust.settings_of(run, acting_on=trust.EVERYTHING, given={name: value})) == found
    signing.sign(run)
    assert trust.acting(trust.settings_of(run, acting_on=trust.EVERYTHING)) == found


def test_ordinary_settings_do_not_act(run):
    configure(
        run,
        model__engine="ray",
        model__path="some/model",
        model__options={"engine": "vllm", "workers": 2, "options": {"tensor_parallel_size": 2}},
        training__launch__strategy="fsdp",
        data__path="questions.jsonl",
        judge__rule="exact",
    )
    assert trust.acting(load_config(run / "config.yaml")) == {}


def test_of_the_examples_one_acts_by_the_address_of_a_cluster():
    files = Path(__file__).parents[2].joinpath("examples").rglob("*.yaml")
    found = [trust.acting(load_config(path)) for path in files if not path.name.startswith("study")]
    assert [acts for acts in found if acts] == [{"model.options.address": "auto"}]


# -- `demur run RUN/config.yaml` ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "probe", "report"])
def test_the_configuration_of_a_strangers_run_is_not_carried_out(run, server, tmp_path, command):
    to_a_server(run, server, tmp_path)
    done = invoked(command, run / "config.yaml")
    assert isinstance(done.exception, TrustError), done.output
    with pytest.raises(TrustError):
        demur.run(run / "config.yaml")
    (tmp_path / "mine.yaml").symlink_to(run / "config.yaml")
    assert isinstance(invoked(command, tmp_path / "mine.yaml").exception, TrustError)
    assert server.heard == []


def test_the_configuration_of_a_strangers_run_names_no_other_folder(run, tmp_path):
    configure(run, out=str(tmp_path / "elsewhere"))
    done = invoked("probe", run / "config.yaml", "--limit", "8")
    assert isinstance(done.exception, TrustError)
    assert "out: " in done.exception.found
    assert not (tmp_path / "elsewhere").exists()


def test_a_configuration_of_ones_own_needs_no_signature(run, tmp_path):
    configure(run, training__report_to=["tensorboard"])
    (tmp_path / "own").mkdir()
    shutil.copy(run / "config.yaml", tmp_path / "own")
    assert trust.load_own_config(tmp_path / "own/config.yaml", {}).training.report_to
    assert trust.load_own_config(run / "config.yaml", {"training.report_to": ""}).training.report_to == ()
    signing.sign(run)
    assert trust.load_own_config(run / "config.yaml", {}).training.report_to


# -- signatures --------------------------------------------------------------------------------------------


@pytest.fixture
def signed(run):
    """A signed run with two tuned systems."""
    shutil.copytree(run / "systems/r-tuning", run / "systems/vanilla")
    (run / "systems/vanilla/model/demur.json").write_text('{"method": "vanilla"}')
    (run / "systems/r-tuning/model/adapter_config.json").write_text("{}")
    assert signing.sign(run)
    assert signing.is_signed(run)
    return run


@pytest.mark.parametrize(
    "name",
    [
        "config.yaml",
        "manifest.json",
        "systems/r-tuning/model/demur.json",
        "systems/vanilla/model/demur.json",
        "systems/r-tuning/model/adapter_config.json",
        "systems/r-tuning/model/config.json",
    ],
)
def test_one_byte_or_a_missing_file_makes_a_run_a_strangers(signed, name):
    content = bytearray((signed / name).read_bytes())
    for place in (0, len(content) // 2, len(content) - 1):
        changed = content.copy()
        changed[place] ^= 1
        (signed / name).write_bytes(changed)
        assert not signing.is_signed(signed)
    (signed / name).write_bytes(content + b" ")
    assert not signing.is_signed(signed)
    (signed / name).write_bytes(content)
    assert signing.is_signed(signed)
    (signed / name).unlink()
    assert not signing.is_signed(signed)


def swap_systems(run):
    a, b = (run / f"systems/{name}/model/demur.json" for name in ("r-tuning", "vanilla"))
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)


def add_a_system(run):
    shutil.copytree(run / "systems/vanilla", run / "systems/another")


def rename_a_system(run):
    (run / "systems/vanilla").rename(run / "systems/another")


def move_the_end_of_a_file_to_the_next(run):
    config, manifest = run / "config.yaml", run / "manifest.json"
    content = config.read_bytes()
    config.write_bytes(content[:-9])
    manifest.write_bytes(content[-9:] + manifest.read_bytes())


def add_code(run):
    (run / "systems/vanilla/model/code.py").write_text("")


def link_the_signature(run):
    (run / "signature.json").rename(run / "other.json")
    (run / "signature.json").symlink_to("other.json")


def delete_the_signature(run):
    (run / "signature.json").unlink()


def take_the_signature_of_a_model(run):
    signing.sign(run / "systems/vanilla/model")
    shutil.copy(run / "systems/vanilla/model/signature.json", run / "signature.json")


def take_the_signature_of_another_run(run):
    other = shutil.copytree(run, run.parent / "other")
    (other / "config.yaml").write_text("seed: 5")
    signing.sign(other)
    shutil.copy(other / "signature.json", run / "signature.json")


def say_another_version(run):
    found = json.loads((run / "signature.json").read_text())
    (run / "signature.json").write_text(json.dumps(found | {"schema_version": 2}))


def sign_with_a_hash(run):
    """What anybody can compute: the same without a key."""
    (run / "signature.json").write_text(
        json.dumps({"schema_version": 1, "hmac_sha256": signing._seal(run, b"")})
    )


@pytest.mark.parametrize(
    "change",
    [
        swap_systems,
        add_a_system,
        rename_a_system,
        move_the_end_of_a_file_to_the_next,
        add_code,
        link_the_signature,
        delete_the_signature,
        take_the_signature_of_a_model,
        take_the_signature_of_another_run,
        say_another_version,
        sign_with_a_hash,
    ],
    ids=lambda change: change.__name__,
)
def test_a_changed_run_is_a_strangers(signed, change):
    change(signed)
    assert not signing.is_signed(signed)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"schema_version": 1, "hmac_sha256": "é"}', "x" * 9999]
)
def test_a_damaged_signature_is_none(signed, text):
    (signed / "signature.json").write_text(text)
    assert not signing.is_signed(signed)


def test_a_signature_that_is_no_file_is_none(signed):
    (signed / "signature.json").unlink()
    os.mkfifo(signed / "signature.json")
    assert not signing.is_signed(signed)


def test_results_and_weights_are_not_signed(signed):
    for name in ("report.html", "guarantee.json", "systems/vanilla/model/model.safetensors", "other/x"):
        (signed / name).parent.mkdir(exist_ok=True)
        (signed / name).write_text("changed")
    assert signing.is_signed(signed)
    assert signing.is_signed(shutil.copytree(signed, signed.parent / "copied"))


def test_a_model_folder_has_a_signature_of_its_own(signed):
    model = signed / "systems/vanilla/model"
    assert not signing.is_signed(model)
    signing.sign(model)
    assert signing.is_signed(model)
    (model / "demur.json").write_text("{}")
    assert not signing.is_signed(model)


@pytest.mark.parametrize("before", [True, False])
def test_calibrating_keeps_a_signature_and_makes_none(signed, before):
    model = signed / "systems/r-tuning/model"
    if before:
        signing.sign(model)
    else:
        delete_the_signature(signed)
    kept = (model / "demur.json").read_text()
    done = invoked("calibrate", signed, "--max-error", "0.9", "--system", "r-tuning")
    assert done.exit_code == 0, done.output
    assert (model / "demur.json").read_text() != kept
    assert signing.is_signed(signed) is signing.is_signed(model) is before


def test_a_run_is_signed_and_signed_again_when_it_is_resumed(tmp_path):
    command = ("probe", "--limit", "8", "--out", tmp_path / "run")
    assert demur_says(*command).returncode == 0
    assert signing.is_signed(tmp_path / "run")
    delete_the_signature(tmp_path / "run")  # as a kill before it was written leaves it
    assert invoked(*command).exit_code == 0
    assert signing.is_signed(tmp_path / "run")


# -- the key -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The data folder of a user who has no key yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home/demur"


def test_only_its_user_can_read_the_key(run, home):
    assert not signing.is_signed(run)
    assert not home.exists(), "looking makes no key"
    signing.sign(run)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {
        "signing.key": 0o600
    }
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_another_users_signature_is_a_strangers(signed, home):
    assert not signing.is_signed(signed)
    signing.sign(signed)
    assert signing.is_signed(signed)


def test_processes_that_make_a_key_at_once_have_the_same(run, home):
    script = (
        "import pathlib, sys, demur.core.signing; print(demur.core.signing.seal(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", script, str(run)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
    assert len({process.communicate()[0] for process in started}) == 1
    assert [path.name for path in home.iterdir()] == ["signing.key"]


def a_link(home):
    (home.parent / "theirs").write_bytes(b"k" * 32)
    (home / "signing.key").symlink_to(home.parent / "theirs")


def too_short(home):
    (home / "signing.key").write_bytes(b"k")


def a_folder(home):
    (home / "signing.key").mkdir()


@pytest.mark.parametrize("damage", [a_link, too_short, a_folder], ids=lambda damage: damage.__name__)
def test_without_a_usable_key_nothing_is_signed_and_nothing_fails(run, home, damage):
    home.mkdir(parents=True)
    damage(home)
    assert not signing.sign(run)
    assert not signing.is_signed(run)
    assert isinstance(invoked("trust", run, "--yes").exception, TrustError)
    assert invoked("report", run).exit_code == 0


def test_where_no_key_can_be_made_nothing_is_signed_and_nothing_fails(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert not signing.sign(run)


def test_the_data_folder_is_no_relative_one(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert signing.key_path() == Path.home() / ".local/share/demur/signing.key"


# -- demur trust -------------------------------------------------------------------------------------------


def test_trust_shows_what_the_folder_does_and_asks(run, server, tmp_path):
    to_a_server(run, server, tmp_path)
    done = invoked("trust", run, input="n\n")
    assert done.exit_code == 1
    assert f'model.endpoint.base_url: "{server.url}"' in done.output
    assert 'model.endpoint.key_variable: "AWS_SECRET_ACCESS_KEY"' in done.output
    assert not signing.is_signed(run)
    assert invoked("trust", run).exit_code == 1, "nobody there to say yes"
    assert not signing.is_signed(run)
    assert invoked("trust", run, input="y\n").exit_code == 0
    assert signing.is_signed(run)


def test_trust_in_json_only_looks_unless_it_is_told(run, ran):
    found = json.loads(invoked("trust", run, "--json").output)
    assert found["settings"]["model.trust_remote_code"] is True
    assert found["settings"]["model.path"] == str(ran.parent / "base")
    assert found["signed"] is False
    assert json.loads(invoked("trust", run, "--json", "--yes").output)["signed"] is True
    bring_code(run / "systems/r-tuning/model", ran)
    found = json.loads(invoked("trust", run, "--json").output)
    assert "systems/r-tuning/model/evil.py" in found["settings"]["code in the folder"]


def test_nothing_that_trust_shows_can_move_the_cursor(run):
    """A terminal's escapes could hide the line that matters."""
    configure(run, model__endpoint__extra={"\x1b[2K\r\n": "\x1b[1A\u202e"})
    done = invoked("trust", run, input="n\n")
    assert not {"\x1b", "\r", "\u202e"} & set(done.output)
    refused = invoked("ask", run, "Who?").exception
    assert not {"\x1b", "\r", "\u202e"} & set(str(refused))


def test_what_changes_while_the_user_reads_is_not_signed(run, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda *_, **__: (run / "config.yaml").write_text("seed: 6"))
    assert invoked("trust", run).exit_code == 0
    assert not signing.is_signed(run)


def test_what_is_no_folder_of_demurs_is_not_signed(tmp_path):
    assert isinstance(invoked("trust", tmp_path, "--yes").exception, RunFolderError)
    assert list(tmp_path.iterdir()) == []


def test_a_strangers_model_folder_opens_for_its_weights(run, ran):
    """Its demur.json names prompts and a threshold; it can name no address and allow no code."""
    model = run / "systems/r-tuning/model"
    card = {"base_model": str(model), "format": "plain", "stop": ["."], "max_new_tokens": 5}
    more = {
        "trust_remote_code": True,
        "endpoint": {"base_url": "http://127.0.0.1:9/v1"},
        "model": {"engine": "openai"},
    }
    written = json.loads((model / "demur.json").read_text())
    (model / "demur.json").write_text(json.dumps(written | card | more))
    found = systems.from_model(model, None, {})
    assert trust.acting(found.config) == {}
    bring_code(model, ran)
    assert invoked("ask", model, "Who?", input="y\n" * 9).exit_code != 0
    assert not ran.exists()


@pytest.mark.parametrize("yes", [[], ["--yes"]])
def test_a_run_without_its_configuration_is_not_signed(signed, yes):
    (signed / "config.yaml").unlink()
    error = invoked("trust", signed, *yes, input="y\n").exception
    assert isinstance(error, RunFolderError)
    assert error.where == str(signed / "config.yaml")
    assert not signing.is_signed(signed)
