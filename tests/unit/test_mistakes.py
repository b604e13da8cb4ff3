"""A mistake of the user is answered with an error about that mistake, before anything is done."""

import itertools
import json
import math
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

import demur
from demur.ask.calibration import Calibration
from demur.ask.system import from_model
from demur.cli.main import app
from demur.confidence.combination import MIN_OF_EACH, choose, fit, most_honest
from demur.core.config import Config, TrainingSettings, load_config
from demur.core.errors import (
    ConfigError,
    DataError,
    ModelError,
    PluginError,
    RunFolderError,
    TrainingDataError,
)
from demur.core.names import group_key, group_of_key
from demur.core.records import Knowledge, Probe, Question, Response, Verdict
from demur.core.registry import Registry
from demur.core.templates import TEMPLATES
from demur.engines import Sampling
from demur.engines.encoding import Encoder
from demur.methods import Labelled, Setup
from demur.methods.r_tuning_u import RTuningU
from demur.pocket import bundled_model
from demur.runfolder.calibration import calibration_rows
from demur.runfolder.card import read_card
from demur.training.plan import TokenisedRow, plan_training

RIGHT, WRONG = Verdict.CORRECT, Verdict.WRONG


def said(*arguments, cwd=None):
    """The error of a command that must fail with one."""
    ended = CliRunner().invoke(app, [str(argument) for argument in arguments])
    error = ended.exception
    assert isinstance(error, demur.core.errors.DemurError), (error, ended.output)
    return error


# -- the command line --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "probe", "build", "train", "predict", "evaluate", "report"])
@pytest.mark.parametrize("given", [(), ("--seed", "1"), ("--method", "vanilla")])
def test_a_command_without_input_begins_nothing(command, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = said(command, *given)
    assert "demur demo" in error.fix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threshold", ["80", "1.01", "-0.1", "nan", "inf", "1e9"])
def test_a_threshold_that_no_confidence_can_reach_is_refused(threshold):
    error = said("ask", "pocket", "Who?", "--threshold", threshold)
    assert "between 0 and 1" in error.expected
    assert ("0.8 for 80 %" in error.fix) is (threshold == "80")


@pytest.mark.parametrize(
    "source", ["runs/missing", "./missing", "/no/such", "a/b/c", "~/no-such-folder", "runs/"]
)
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if source == "runs/missing":
        (tmp_path / "runs").mkdir()
    error = said("ask", source, "Who?")
    assert isinstance(error, RunFolderError)
    assert error.found == "no such folder"


@pytest.mark.parametrize("there", [True, False])
def test_init_speaks_of_the_file_that_is_missing(there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if there:
        (tmp_path / "demur.yaml").write_text("old")
    error = said("init", "missing.csv")
    assert (error.where, error.found) == ("missing.csv", "no such file")


@pytest.mark.parametrize(
    "given",
    [
        ("questions.csv", "--seed", "3", "--data.test", "0.3"),
        ("--seed", "3", "questions.csv", "--data.test=0.3"),
        ("--seed=3", "--data.test=0.3", "--force", "questions.csv"),
        ("--data.test", "0.3", "--out", "demur.yaml", "--seed", "3", "--", "questions.csv"),
    ],
)
def test_settings_may_stand_before_the_question_file(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"What is the capital of land {n}?,Town {n}" for n in range(20))
    (tmp_path / "questions.csv").write_text(f"question,answer\n{rows}\n")
    ended = CliRunner().invoke(app, ["init", *given])
    assert ended.exit_code == 0, ended.output
    written = load_config(tmp_path / "demur.yaml")
    assert (written.seed, written.data.test, written.data.path.name) == (3, 0.3, "questions.csv")


def test_a_setting_without_a_value_is_still_a_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "questions.csv").write_text("question,answer\nWho?,Nobody\n")
    assert said("init", "questions.csv", "--seed").found == "the end of the line"
    assert said("init", "--seed", "--data.test", "0.3", "questions.csv").found == "'--data.test'"


def test_report_speaks_of_the_folder_that_is_missing():
    error = said("report", "/no/such/folder")
    assert isinstance(error, RunFolderError)
    assert (error.where, error.found) == ("/no/such/folder", "no such file or folder")


TEXTS = ["{question} Answer:", "[{question}", "{", "[/x]", "{a: b", "{a: 1}", "[1, 2]", "- a: b", "nullify"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["template.refusal", "model.revision", "model.options.own"])
def test_a_setting_that_holds_a_text_takes_any_text(text, name):
    found = load_config(None, {name: text})
    for part in name.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    values = {"{a: 1}": {"a": 1}, "[1, 2]": [1, 2], "[/x]": ["/x"]}  # an open name may hold any value
    assert found == (values.get(text, text) if name == "model.options.own" else text)


def test_null_turns_a_setting_off():
    assert load_config(None, {"model.revision": "null"}).model.revision is None


@pytest.mark.parametrize("text", ["[a", "{a: [}", "[a: b: c"])
def test_a_list_that_is_none_is_an_error_and_no_traceback(text):
    with pytest.raises(ConfigError) as error:
        load_config(None, {"baselines": text})
    assert error.value.where == "--baselines"


# -- signals ----------------------------------------------------------------------------------------


def test_the_most_honest_threshold_lies_half_way():
    """Right at .8 and .6, wrong at .2: at .4 both right ones are given and the wrong one is declined."""
    assert most_honest([(0.8, RIGHT), (0.6, RIGHT), (0.2, WRONG)]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("rows", "threshold"),
    [
        ([(1.0, RIGHT), (1.0, WRONG)], 1.0),
        ([(0.3, RIGHT), (0.9, RIGHT)], 0.3),
        ([(0.3, WRONG), (0.9, WRONG)], math.inf),
        ([(0.5, RIGHT), (math.nan, WRONG), (0.2, WRONG)], 0.35),
        ([(-math.inf, WRONG), (math.inf, RIGHT)], math.inf),
        ([(-math.inf, WRONG), (0.5, RIGHT)], 0.5),
        ([(1.7e308, RIGHT), (1.6e308, WRONG)], 1.65e308),
        ([(math.nextafter(0.5, 1), RIGHT), (0.5, WRONG)], math.nextafter(0.5, 1)),
    ],
)
def test_saturated_and_missing_signals_have_a_threshold(rows, threshold):
    found = most_honest(rows)
    assert found == pytest.approx(threshold)
    if any(verdict is RIGHT for _, verdict in rows) and any(verdict is WRONG for _, verdict in rows):
        assert any(value >= found for value, verdict in rows if verdict is RIGHT)


@pytest.mark.parametrize("rows", [[], [(None, RIGHT)], [(math.nan, WRONG)], [(0.5, Verdict.REFUSED)]])
def test_no_signal_at_all_is_an_error(rows):
    with pytest.raises(DataError, match="none"):
        most_honest(rows)
    assert choose(rows) is None


@pytest.mark.parametrize("extreme", [0.0, 1.0, math.inf, -math.inf])
def test_saturated_signals_can_be_weighed(extreme):
    rows = [({"a": extreme}, RIGHT), ({"a": extreme}, WRONG)] * (2 * MIN_OF_EACH)
    combine = fit(rows, ("a",))
    assert combine({"a": extreme}) == pytest.approx(0.5, abs=0.01)
    assert most_honest([(combine(signals), verdict) for signals, verdict in rows]) == combine(
        {"a": extreme}
    )


def test_a_signal_that_is_no_number_takes_no_part():
    good = [({"a": 0.9, "b": 0.8}, RIGHT), ({"a": 0.2, "b": 0.3}, WRONG)] * MIN_OF_EACH
    bad = [({"a": math.nan, "b": 0.5}, RIGHT), ({"a": 0.5}, WRONG)] * MIN_OF_EACH
    assert fit(good + bad, ("a", "b")) == fit(good, ("a", "b"))
    assert fit(bad, ("a", "b")) is None
    assert fit(good, ("a", "b"))({"a": math.nan, "b": 0.5}) is None


# -- groups -----------------------------------------------------------------------------------------

NAMES = ["all", "none", "", None, "=all", "=", "==none", "a", "None", "ALL"]


def test_no_two_groups_have_one_key_and_none_means_all():
    keys = {name: group_key(name) for name in NAMES}
    different = {name or None for name in NAMES}
    assert len({keys[name] for name in NAMES}) == len(different)
    assert "all" not in keys.values()
    for one in NAMES:
        assert group_of_key(keys[one]) == (one or "none")


@pytest.mark.parametrize("name", ["all", "none", "=all"])
def test_a_promise_by_group_is_of_that_group_only(name, tmp_path):
    questions = [
        Question(id=str(n), text="?", split="calibration", group=group)
        for n, group in enumerate([name, None, "other"])
    ]
    row = demur.core.records.Prediction(
        question_id="", system="s", answer="", response="", verdict=RIGHT, abstained=False
    )
    found = calibration_rows([(question, row) for question in questions], True, tmp_path)
    assert {key: [q.group for q, _ in rows] for key, rows in found.items()} == {
        f"={name}": [name], "none": [None], "other": ["other"],
    }  # fmt: skip
    assert found.get("all") is None


# -- training rows ----------------------------------------------------------------------------------


def labelled(*answers, known=True):
    question = Question(id="1", text="Who?", answers=answers)
    probe = Probe(question_id="1", greedy=Response(text=" Ada."), greedy_verdict=RIGHT)
    return Labelled(
        question=question, probe=probe, knowledge=Knowledge(question_id="1", estimator="e", known=known)
    )


@pytest.mark.parametrize("how", ["gold", "own"])
def test_r_tuning_u_needs_no_gold_answer(how):
    config = Config.model_validate({"r_tuning": {"answers": how, "loss": "answer+certainty"}})
    setup = Setup(
        config=config, template=TEMPLATES["r-tuning-code"], render=str, sampling=Sampling(), engine=None
    )
    [without] = RTuningU().build([labelled()], setup)["sft"]
    assert "Ada." in without.completion
    [given] = RTuningU().build([labelled("Bob")], setup)["sft"]
    assert ("Bob" in given.completion) is (how == "gold")


def row(prompt, completion):
    return TokenisedRow(
        input_ids=[1] * (prompt + completion), completion_mask=[0] * prompt + [1] * completion
    )


@pytest.mark.parametrize(
    ("length", "tokens", "supervised", "without"),
    [(None, 23, 6, 0), (9, 22, 5, 0), (8, 21, 4, 1), (7, 19, 3, 1), (5, 15, 2, 2), (3, 9, 0, 3)],
)
def test_rows_are_counted_as_they_are_cut(length, tokens, supervised, without):
    """Rows of 8 + 2, 3 + 2 and 6 + 2 tokens; the first has lost its completion at 8, the last at 6."""
    rows = [row(8, 2), row(3, 2), row(6, 2)]
    settings = TrainingSettings(max_length=length, batch_size=1, accumulate=1, epochs=1)
    if not supervised:
        with pytest.raises(TrainingDataError, match="0 supervised"):
            plan_training(rows, settings, where="here")
        return
    plan = plan_training(rows, settings, where="here")
    assert (plan.tokens, plan.supervised_tokens, plan.unsupervised_rows) == (tokens, supervised, without)
    assert ("no supervised token" in plan.sentence()) is bool(plan.unsupervised_rows)


# -- chat templates and tokenizers -------------------------------------------------------------------

TEMPLATES_THAT_FAIL = {
    "raises": "{{ raise_exception('never') }}",
    "does not parse": "{% for m in messages %}{{ m.content }",
    "unknown filter": "{{ messages | nosuch }}",
    "adds texts to numbers": "{{ 1 + messages[0].content }}",
    "divides by zero": "{{ 1 / 0 }}",
    "reads parts": "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}",
    "says nothing": "hello",
    "only the role": "{% for m in messages %}{{ m.role }}{% endfor %}",
}


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(bundled_model())


@pytest.mark.parametrize("name", TEMPLATES_THAT_FAIL)
def test_a_chat_template_that_fails_is_named(name, tokenizer):
    tokenizer.chat_template = TEMPLATES_THAT_FAIL[name]
    with pytest.raises(ModelError, match="chat template") as error:
        Encoder(tokenizer, format="chat").render("Who wrote The Hobbit?")
    assert str(tokenizer.name_or_path) in error.value.where


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}",
        "{{ messages[-1].content | trim }}",
        "{{ messages[-1].content | replace('\n', ' ') }}",
    ],
)
def test_a_chat_template_that_writes_the_question_is_used(template, tokenizer):
    tokenizer.chat_template = template
    assert "The Hobbit?" in Encoder(tokenizer, format="chat").render(" Who wrote\nThe Hobbit? ")


def without_end(folder):
    """The pocket model, whose tokenizer has no end-of-text token."""
    model = shutil.copytree(bundled_model(), folder)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (model / name).exists():
            values = json.loads((model / name).read_text())
            (model / name).write_text(json.dumps({k: v for k, v in values.items() if k != "eos_token"}))
    return model


def test_a_tokenizer_without_an_end_is_refused_before_any_work(tmp_path):
    model = without_end(tmp_path / "model")
    rows = [{"question": f"Question {n}?", "answer": str(n)} for n in range(40)]
    data = tmp_path / "qa.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    error = said("run", "--model", model, "--data", "file", "--data.path", data, "--out", tmp_path / "run")
    assert isinstance(error, ModelError)
    assert "end-of-text" in error.expected
    assert not (tmp_path / "run").exists()


# -- registries, cards -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["no_such_module:x", "demur.no_such:x", "json:no_such", "this.is.none:y"]
)
def test_a_target_that_cannot_be_imported_is_left_out_and_named(target, caplog):
    registry = Registry("thing", {"good": "json:dumps"})
    registry.register("bad", target)
    assert dict(registry.items()) == {"good": json.dumps}
    assert "bad" in caplog.text
    with pytest.raises(PluginError, match=target.partition(":")[0]):
        registry.get("bad")


CARD = {
    "method": "r-tuning", "base_model": "pocket", "format": "plain", "stop": ["."], "max_new_tokens": 8,
    "threshold": {"signal": "sure", "value": 0.5},
    "learned": {
        "r-tuning-learned": {"combination": {"weights": {"sure": 1.0}, "bias": 0.0, "n": 20},
                             "threshold": 0.4}
    },
}  # fmt: skip
ODD = [None, True, "x", [], {}, math.nan, {"weights": []}]
PLACES = [
    ("threshold", "value"),
    ("learned",),
    ("learned", "r-tuning-learned"),
    ("learned", "r-tuning-learned", "combination"),
    ("learned", "r-tuning-learned", "combination", "weights"),
    ("learned", "r-tuning-learned", "combination", "weights", "sure"),
    ("learned", "r-tuning-learned", "combination", "bias"),
    ("learned", "r-tuning-learned", "combination", "n"),
    ("learned", "r-tuning-learned", "threshold"),
    ("format",),
    ("max_new_tokens",),
    ("stop",),
]


FIT = {
    (("learned",), "{}"),
    (("learned", "r-tuning-learned", "combination", "weights"), "{}"),
    (("format",), "null"),
    (("format",), '"x"'),
    (("max_new_tokens",), "null"),
    (("stop",), "[]"),
}
"""Those of the odd values that may stand where they are put."""


@pytest.mark.parametrize(("place", "value"), list(itertools.product(PLACES, ODD)))
def test_a_value_of_another_type_in_a_card_is_an_error(place, value, tmp_path):
    card = json.loads(json.dumps(CARD))
    inner = card
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / "demur.json").write_text(json.dumps(card))
    needs = ("method", "format", "stop", "threshold", "max_new_tokens")
    if (place, json.dumps(value)) in FIT:
        read_card(tmp_path, *needs)
        return
    with pytest.raises(ModelError, match=place[0]):
        read_card(tmp_path, *needs)


def test_the_base_of_a_shared_card_is_found_again(tmp_path):
    """`demur card` leaves only the name of a local base model."""
    (tmp_path / "demur.json").write_text(json.dumps(CARD | {"base_model": "./pocket"}))
    assert from_model(tmp_path, None, {}).base == str(bundled_model())
    base = shutil.copytree(bundled_model(), tmp_path / "elsewhere/own-base")
    run = tmp_path / "run"
    model = run / "systems/r-tuning/model"
    model.mkdir(parents=True)
    (run / "config.yaml").write_text(json.dumps({"model": {"path": str(base)}}))
    (model / "demur.json").write_text(json.dumps(CARD | {"base_model": "./own-base"}))
    assert from_model(model, None, {}).base == str(base)


def test_what_an_uncalibrated_learned_system_is_said_to_do_is_what_answers(tmp_path, monkeypatch):
    """The answers that describe it have the confidences that the run gave them, not those of a refit."""
    confidences, wrong = np.array([0.9, 0.4]), np.array([False, True])
    promise = Calibration("learned", np.array([0.1, 0.1]), np.array([True, True]), None, seed=0)
    monkeypatch.setattr("demur.ask.calibration.answers_of", lambda *_: (confidences, wrong))
    described = promise.answering(tmp_path, "r-tuning-learned")
    assert (described.expected(0.5).answered, described.expected(0.5).error) == (1, 0.0)
    assert promise.expected(0.5).answered == 0
    assert next(point.answered for _, point in described.curve()) == 2
    assert described.confidences is promise.confidences, "promises keep their own"
