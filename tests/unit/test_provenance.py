"""A finding is used with the files that it was computed from, and with no others.

The run is made up; its tuned system has real weights, those of the pocket model.
"""

import dataclasses
import json
import os
import re
import shutil
import sys

import pytest
from reporting_run import make_run
from starlette.testclient import TestClient

import demur
from demur.analyse import analyse_run
from demur.calibrate import calibrate_run
from demur.cli import main
from demur.core.errors import ModelError, RunFolderError
from demur.core.files import file_digest
from demur.core.records import Prediction, Question, read_parquet, write_parquet
from demur.core.templates import TEMPLATES
from demur.pocket import bundled_model
from demur.report import write_report
from demur.runfolder.digests import weights_of
from demur.serve import ServeSettings, create_app
from demur.share import convert_run, merge_run, write_card

PROMISE = "at most 70"
KNOWN = "Where was Dora Pomash born?"
COMMANDS = {
    "guarantee.json": "demur calibrate RUN --system r-tuning --signal sure --max-error 0.7 "
    "--confidence 0.6",
    "analysis.json": "demur analyse RUN --system r-tuning",
    "tax.json": "demur tax RUN --system r-tuning",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A calibrated and analysed run whose r-tuning has weights of its own."""
    root = make_run(tmp_path_factory.mktemp("made") / "run", people=400)
    model = root / "systems/r-tuning/model"
    shutil.copytree(bundled_model(), model)
    template = dataclasses.asdict(TEMPLATES["r-tuning-code"])
    card = {
        "schema_version": 1, "demur": "0", "method": "r-tuning", "base_model": str(bundled_model()),
        "revision": None, "format": "plain", "template": template, "stop": ["."], "max_new_tokens": 15,
        "primary_signal": "sure", "quantize": "none", "threshold": {"signal": "sure", "value": 0.5},
    }  # fmt: skip
    (model / "demur.json").write_text(json.dumps(card))
    with (root / "config.yaml").open("a") as config:
        config.write("model: {path: pocket}\nevaluation: {resamples: 20}\n")
    found = calibrate_run(root, signal="sure", max_error=0.7, confidence=0.6)
    assert found["guarantees"]["all"]["threshold"] is not None
    shutil.copyfile(root / "guarantee.json", root / "kept.json")
    (root / "guarantee.json").unlink()  # or the analyses would be of that as well
    probe = root / "probe.parquet"
    assert not probe.exists()
    analyse_run(root)
    weights = weights_of(model)
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6}
    cell = {
        "better": "higher", "unit": "share", "n": 10, "unscored": 0, "lost": 1, "gained": 1,
        "base": estimate, "tuned": estimate, "difference": {"value": 0.0, "low": -0.1, "high": 0.1},
    }  # fmt: skip
    tax = {
        "schema_version": 3,
        "computed_from": {"files": {}, "weights": {"system": "r-tuning", "files": weights}},
        "system": "r-tuning",
        "weights": "r-tuning",
        "tasks": {"facts": {"n": 10, "metrics": {"accuracy": cell}}},
        "settings": {"level": 0.95, "limit": None, "lm_eval": "0.4.13"},
    }
    (root / "tax.json").write_text(json.dumps(tax))
    (root / "kept.json").rename(root / "guarantee.json")
    return root


@pytest.fixture
def run(whole, tmp_path):
    """A copy: its times are other ones, its content the same."""
    root = shutil.copytree(whole, tmp_path / "run", copy_function=shutil.copyfile)
    for file in root.rglob("*"):
        os.utime(file, (1, 1))
    return root


def only(root, file):
    """Leave one file of findings."""
    for other in COMMANDS:
        if other != file:
            (root / other).unlink()
    return root / file


def change_predictions(root, file):
    path = root / "predictions/r-tuning.parquet"
    first, *rest = read_parquet(path, Prediction)
    write_parquet(path, [dataclasses.replace(first, answer="another"), *rest], Prediction)


def change_questions(root, file):
    path = root / "questions.parquet"
    first, *rest = read_parquet(path, Question)
    write_parquet(path, [dataclasses.replace(first, text="Another?"), *rest], Question)


def change_weights(root, file):
    change_bytes(root / "systems/r-tuning/model/model.safetensors")


def change_bytes(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


def without_digests(root, file):
    found = json.loads(file.read_text())
    del found["computed_from"], found["schema_version"]
    file.write_text(json.dumps(found | {"schema": 1}))


def damage(root, file):
    file.write_text(file.read_text()[:-20])


def no_object(root, file):
    file.write_text("[]")


CHANGES = [change_predictions, change_questions, change_weights, without_digests, damage, no_object]
REASONS = {
    change_predictions: "predictions/r-tuning.parquet has changed since it was computed",
    change_questions: "questions.parquet has changed since it was computed",
    change_weights: "systems/r-tuning/model/model.safetensors has changed since it was computed",
    without_digests: "it does not say what it was computed from",
    damage: "it cannot be read",
    no_object: "it cannot be read",
}


def command(monkeypatch, *arguments):
    """The exit code of `demur …` in this process."""
    monkeypatch.setattr(sys, "argv", ["demur", *map(str, arguments)])
    try:
        main.main()
    except SystemExit as end:
        return end.code or 0
    return 0


def ask(root, monkeypatch, *options):
    return command(monkeypatch, "ask", root, KNOWN, *options)


def serve(root, monkeypatch, *options):
    return command(monkeypatch, "serve", root, "--port", 0, *options)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("surface", [ask, serve])
def test_a_promise_of_other_files_stops_what_would_have_used_it(run, surface, change, monkeypatch, capfd):
    change(run, only(run, "guarantee.json"))
    assert surface(run, monkeypatch) == 2
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert REASONS[change] in said
    assert f"demur calibrate {run}" in said
    if change not in (damage, no_object):
        assert "--signal sure --max-error 0.7 --confidence 0.6" in said


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("file", ["analysis.json", "tax.json"])
def test_who_asks_needs_no_analyses(run, file, change, monkeypatch, capfd):
    change(run, only(run, file))
    assert ask(run, monkeypatch) == 0
    assert "sure" in capfd.readouterr().out


@pytest.mark.parametrize("change", CHANGES)
def test_a_threshold_of_ones_own_is_used_and_the_promise_named(run, change, monkeypatch, capfd):
    change(run, only(run, "guarantee.json"))
    assert ask(run, monkeypatch, "--threshold", "0.0") == 0
    said = capfd.readouterr()
    assert "promised" not in said.out
    assert f"note: guarantee.json is not used: {REASONS[change]}" in said.err


def outdates(file, change):
    """Whether a finding was computed from what is changed: a tax asks questions of its own."""
    return file != "tax.json" or change not in (change_predictions, change_questions)


def states(file, text):
    """Whether a page or a card states what a file holds."""
    marks = {"guarantee.json": PROMISE, "tax.json": "measurably worse than the base model on none"}
    return marks[file] in text


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("file", COMMANDS)
def test_the_report_says_what_it_leaves_out(run, file, change):
    path = only(run, file)
    change(run, path)
    page = write_report(run).read_text()
    notice = f"{file} is not used: {REASONS[change]}"
    assert (notice in page) is outdates(file, change)
    if file != "analysis.json":
        assert states(file, page) is not outdates(file, change)
    if outdates(file, change):
        known = COMMANDS[file].split(" --")[0] if change in (damage, no_object) else COMMANDS[file]
        assert f"To compute it again: `{known}" in page
        assert str(run) not in page


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("file", ["guarantee.json", "tax.json"])
def test_the_card_says_what_it_leaves_out(run, file, change):
    path = only(run, file)
    change(run, path)
    shared = write_card(run)
    text = shared.card.read_text()
    assert (f"{file} is not used: {REASONS[change]}" in text) is outdates(file, change)
    assert states(file, text) is not outdates(file, change)
    assert any(file in notice for notice in shared.notices) is outdates(file, change)
    assert str(run) not in text
    assert (run / "systems/r-tuning/model/demur.json").exists()


@pytest.mark.parametrize("change", [change_predictions, change_questions, change_weights])
def test_no_promise_of_other_files_goes_out_with_the_weights(run, tmp_path, change):
    change(run, run / "guarantee.json")
    merge_run(run, tmp_path / "merged")
    write_card(run)
    for folder in (tmp_path / "merged", run / "systems/r-tuning/model"):
        settings = json.loads((folder / "demur.json").read_text())
        assert "guarantee" not in settings
        assert settings["threshold"] == {"signal": "sure", "value": 0.5}
        assert PROMISE not in (folder / "README.md").read_text()


def test_a_copied_run_keeps_its_findings(run, monkeypatch, capfd):
    page = write_report(run).read_text()
    assert "is not used" not in page
    assert states("guarantee.json", page)
    assert states("tax.json", page)
    assert ask(run, monkeypatch) == 0
    assert "promised: at most 70% of the answers wrong" in capfd.readouterr().out
    assert write_card(run).notices == ()


def test_calibrating_again_is_the_way_out(run):
    change_predictions(run, None)
    with pytest.raises(RunFolderError, match="predictions/r-tuning"):
        demur.load(run)
    calibrate_run(run, signal="sure", max_error=0.7, confidence=0.6)
    with demur.load(run) as opened:
        assert opened.decision().guarantee is not None


def test_the_promise_of_another_system_is_in_nobodys_way(run):
    change_predictions(run, None)
    with demur.load(run, system="base") as opened:
        assert opened.system.refused is None


def test_findings_of_a_newer_version_are_not_guessed_at(run):
    path = run / "guarantee.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 9}))
    with pytest.raises(RunFolderError, match="newer Demur"):
        demur.load(run)


def test_another_base_model_is_noticed(run, tmp_path):
    base = shutil.copytree(bundled_model(), tmp_path / "base")
    with demur.load(run, model={"path": str(base)}) as opened:
        assert opened.decision().guarantee is not None, "the same model in another folder"
    change_bytes(base / "model.safetensors")
    with pytest.raises(RunFolderError, match="the base model is another"):
        demur.load(run, model={"path": str(base)})


# -- a model's own folder -------------------------------------------------------------------------


@pytest.fixture
def folder(run, tmp_path):
    return shutil.copytree(run / "systems/r-tuning/model", tmp_path / "alone")


def test_a_model_on_its_own_keeps_its_promise(folder):
    with demur.load(folder) as opened:
        assert opened.decision().guarantee.max_error == 0.7


def test_a_model_states_what_it_does_since_it_was_calibrated(run, folder):
    found = json.loads((run / "guarantee.json").read_text())
    stated = json.loads((folder / "demur.json").read_text())["guarantee"]
    assert stated["signal"] == "sure"
    assert stated["threshold"] == found["guarantees"]["all"]["threshold"]
    assert stated["test"] == found["test"]
    assert stated["computed_from"] == found["computed_from"]


def test_other_weights_beside_a_promise_are_refused(folder):
    change_bytes(folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.safetensors has changed"):
        demur.load(folder)
    with demur.load(folder, threshold=0.2) as opened:
        assert opened.decision().guarantee is None
        assert opened.system.refused is not None


@pytest.mark.parametrize("broken", [{"computed_from": None}, {"groups": 3}, {"groups": {"all": {}}}])
def test_a_promise_in_a_card_must_be_one(folder, broken):
    card = json.loads((folder / "demur.json").read_text())
    card["guarantee"] |= broken
    (folder / "demur.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="guarantee"):
        demur.load(folder)


def test_merged_weights_take_their_promise_along_unless_they_are_rounded(run, tmp_path):
    merge_run(run, tmp_path / "merged")
    with demur.load(tmp_path / "merged") as opened:
        assert opened.decision().guarantee.max_error == 0.7
    assert PROMISE in (tmp_path / "merged/README.md").read_text()
    merge_run(run, tmp_path / "half", dtype="bfloat16")
    assert "guarantee" not in json.loads((tmp_path / "half/demur.json").read_text())
    text = (tmp_path / "half/README.md").read_text()
    assert PROMISE not in text
    assert "computed with weights in other numbers" in text


def test_a_gguf_file_promises_nothing(run, tmp_path):
    script = tmp_path / "convert.py"
    script.write_text("import sys; open(sys.argv[sys.argv.index('--outfile') + 1], 'w').write('x')")
    _, settings = convert_run(run, tmp_path / "model.gguf", converter=script)
    kept = json.loads(settings.read_text())
    assert kept["method"] == "r-tuning"
    assert "guarantee" not in kept


# -- what was loaded stays ------------------------------------------------------------------------


def test_a_server_keeps_its_promises_while_its_run_is_made_anew(run):
    def client():
        return TestClient(create_app(opened, ServeSettings()), base_url="http://localhost")

    def asked(server, **limits):
        body = {"messages": [{"role": "user", "content": KNOWN}], "demur": limits}
        return server.post("/v1/chat/completions", json=body).json()["demur"]

    def everything(server):
        said = [
            server.get(f"/api/{path}").json()
            for path in ("calibration", "system", "expected?threshold=0.4")
        ]
        return [*said, asked(server), asked(server, max_error=0.6), asked(server, max_error=0.8)]

    with demur.load(run) as opened:
        before = everything(client())
    assert before[0]["available"] is True
    assert before[4]["guarantee"]["max_error"] == 0.6
    with demur.load(run) as opened:
        server = client()
        rows = read_parquet(run / "predictions/r-tuning.parquet", Prediction)
        lower = [dataclasses.replace(row, signals={"sure": row.signals["sure"] / 2}) for row in rows]
        write_parquet(run / "predictions/r-tuning.parquet", lower, Prediction)
        assert everything(server) == before
    shutil.copyfile(run / "guarantee.json", run / "kept")
    calibrate_run(run, signal="sure", max_error=0.7, confidence=0.6)
    with demur.load(run) as opened:
        server = client()
        new = everything(server)
        assert new != before
    with demur.load(run) as opened:
        server = client()
        for name in ("guarantee.json", "questions.parquet", "manifest.json", "metrics.json", "config.yaml"):
            (run / name).unlink()
        shutil.rmtree(run / "predictions")
        assert everything(server) == new


def test_a_run_without_its_predictions_is_asked_and_promises_nothing_new(run):
    only(run, "tax.json")
    shutil.rmtree(run / "predictions")
    with demur.load(run) as opened:
        assert opened.ask(KNOWN).guarantee is None
        with pytest.raises(RunFolderError, match=r"no predictions/r-tuning\.parquet"):
            opened.ask(KNOWN, max_error=0.5)


def test_predictions_of_other_weights_promise_nothing(run):
    manifest = json.loads((run / "manifest.json").read_text())
    weights = weights_of(run / "systems/r-tuning/model")
    manifest["stages"]["predict/r-tuning"] = {"seconds": 1.0, "weights": weights}
    (run / "manifest.json").write_text(json.dumps(manifest))
    calibrate_run(run, signal="sure", max_error=0.7, confidence=0.6)
    change_weights(run, None)
    with pytest.raises(RunFolderError, match="demur run"):
        calibrate_run(run, signal="sure", max_error=0.7, confidence=0.6)
    with pytest.raises(RunFolderError, match="weights that have changed"):
        demur.load(run, max_error=0.7)
    with demur.load(run, threshold=0.5) as opened:
        client = TestClient(create_app(opened, ServeSettings()), base_url="http://localhost")
        body = {"messages": [{"role": "user", "content": KNOWN}], "demur": {"max_error": 0.7}}
        reply = client.post("/v1/chat/completions", json=body)
        assert reply.status_code == 400
        assert str(run) not in reply.text
        said = client.get("/api/calibration").json()
        assert said["reason"].startswith("The run's weights have changed")
        system = client.get("/api/system").json()
        assert system["guarantee"] is None
        assert system["notice"].startswith("guarantee.json is not used: systems/r-tuning")
        assert str(run) not in json.dumps(system)


# -- what a calibrated system is said to do -------------------------------------------------------


def shares(run):
    """What the calibrated threshold does in domain, and what the system's own rule did."""
    cell = json.loads((run / "guarantee.json").read_text())["test"]["id"]
    own = json.loads((run / "metrics.json").read_text())["metrics"]["r-tuning"]["id"]["coverage"]["value"]
    assert abs(cell["coverage"] - own) > 0.02
    return cell, own


def test_the_report_says_first_what_the_calibrated_system_does(run):
    cell, own = shares(run)
    threshold = json.loads((run / "guarantee.json").read_text())["guarantees"]["all"]["threshold"]
    page = write_report(run).read_text()
    first, second = re.findall(r'<p class="finding">(.*?)</p>', page)[:2]
    assert first.startswith(
        f"R-Tuning as calibrated answers {100 * cell['coverage']:.0f}% of {cell['n']:,}"
    )
    assert f"wrong on {100 * cell['error']:.1f}%" in first
    assert f"threshold {threshold:.4f} on sure: at most 70% of answers are wrong (60% guarantee)" in first
    assert f"After R-Tuning, by its own rule, it answers {100 * own:.0f}%" in second


def test_the_card_says_which_threshold_decides_and_which_did(run):
    cell, own = shares(run)
    threshold = json.loads((run / "guarantee.json").read_text())["guarantees"]["all"]["threshold"]
    text = write_card(run).card.read_text()
    rule = f"declines as calibrated (threshold {threshold:.4f} on sure: at most 70% of answers are wrong"
    assert f"It {rule}" in text
    assert "By its own rule, it declines where sure" in text
    assert f"answers {100 * cell['coverage']:.0f}% of {cell['n']:,} questions" in text
    assert f"by its own rule, it answers {100 * own:.0f}%" in text
    assert f">= {threshold!r}" in text, "its program decides so, too"
    with demur.load(run) as opened:
        assert opened.decision().threshold == threshold, "and so does whoever asks"


def test_a_threshold_that_cannot_be_promised_leaves_the_own_rule_and_says_so(run):
    calibrate_run(run, signal="sure", max_error=0.0001)
    page = write_report(run).read_text()
    assert "no threshold on sure could be guaranteed" in page
    assert "so its own rule decides" in page
    assert "by its own rule, it answers" not in page, "there is no other rule"
    with demur.load(run) as opened:
        assert opened.decision() == opened.system.rule


def test_thresholds_by_group_are_all_said(run):
    found = calibrate_run(run, signal="sure", max_error=0.7, confidence=0.6, by_group=True)
    page = write_report(run).read_text()
    for group, item in found["guarantees"].items():
        assert f"{group} {item['threshold']:.4f}" in page


# -- digests --------------------------------------------------------------------------------------


def test_large_weights_are_read_in_parts_and_small_ones_whole(tmp_path):
    from demur.runfolder.digests import BLOCK, BLOCKS, WHOLE, weights_digest

    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x")
    assert weights_digest(small) == file_digest(small)
    size = WHOLE + 12_345
    with large.open("wb") as handle:
        handle.truncate(size)
    seen = {weights_digest(large)}
    step = -(-(size - BLOCK) // (BLOCKS - 1))
    for place in (0, 2**20 - 1, size // 2, size - 1):  # a step's length of other bytes, wherever it lies
        with large.open("r+b") as handle:
            handle.seek(min(place, size - step))
            handle.write(b"\1" * step)
        seen.add(weights_digest(large))
        os.utime(large, (1, 1))
        assert weights_digest(large) in seen, "times are not content"
    with large.open("r+b") as handle:
        handle.truncate(size - 1)
    seen.add(weights_digest(large))
    assert len(seen) == 6


def test_findings_say_what_they_are_of(whole):
    origin = json.loads((whole / "guarantee.json").read_text())["computed_from"]
    assert origin["files"] == {
        name: file_digest(whole / name) for name in ("questions.parquet", "predictions/r-tuning.parquet")
    }
    model = whole / "systems/r-tuning/model"
    assert origin["weights"] == {"system": "r-tuning", "files": weights_of(model)}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= weights_of(model).keys()
    assert origin["base_model"]
    analysis = json.loads((whole / "analysis.json").read_text())["computed_from"]["files"]
    assert analysis.keys() == {*origin["files"], "predictions/base.parquet"}
