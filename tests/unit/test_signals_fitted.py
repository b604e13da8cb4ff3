"""What is fitted to labelled answers: the linear probe, the weighing, and the run that makes both."""

import dataclasses
import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from huggingface_hub import ModelCard
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chat_server import ChatServer
from chat_server import Said as ChatReply
from commands import run_demur, succeeded
from demur.ask import Query, load
from demur.ask.answer import UNASKED
from demur.core.config import FitSettings, load_config
from demur.core.errors import ConfigError, ModelError, TrainingDataError
from demur.core.records import Probe, Question, Response, Verdict
from demur.engines.base import Capabilities, States
from demur.pipeline.job import Job
from demur.pipeline.stages.fit import judged, weighed
from demur.pipeline.systems import check_states
from demur.report.headline import headline
from demur.runfolder.finished import FinishedRun
from demur.signals import Answered, Said
from demur.signals.beside import Beside
from demur.signals.fitted import SETTINGS, WEIGHTS, Fitted, Weighing, feature, fit_to
from demur.signals.likeness import Likeness
from demur.signals.linear import (
    STRENGTHS,
    Linear,
    auroc,
    fit,
    grouped_folds,
    layers_of,
    logistic,
    logistics,
    rising,
    standard_error,
)
from demur.signals.probe import Probe as ProbeSignal


def said(*logprobs, states=None, text="a"):
    response = Response(text=text, token_logprobs=logprobs)
    return Said(question=Question(id="q", text="Q?"), greedy=response, states=states)


def states(*rows, prompt=None):
    found = np.array(rows, np.float32)
    return States(prompt=found * 0 if prompt is None else np.array(prompt, np.float32), answer=found)


def labelled(n=80, *, layers=2, hidden=4, seed=0, groups=None, informative=True):
    """Answers whose first unit in each layer says whether they are right."""
    rng = np.random.default_rng(seed)
    right = rng.permutation(np.arange(n) % 2 == 0)
    found = []
    for place, is_right in enumerate(right):
        hidden_states = rng.normal(size=(layers, hidden))
        hidden_states[:, 0] += 3 * is_right * informative
        found.append(
            Answered(
                said=said(
                    *rng.uniform(-2, 0, size=3),
                    states=states(*hidden_states, prompt=rng.normal(size=(layers, hidden))),
                    text=f"answer {place % 7}",
                ),
                right=bool(is_right),
                group=str(place if groups is None else place % groups),
            )
        )
    return found


def test_a_linear_probe_by_hand():
    probe = Linear(weights=np.array([[1, 2], [0, -1]], np.float32), bias=np.array([0.5, 1], np.float32))
    # layer 1: 1 x 3 + 2 x 4 + 0.5 = 11.5; layer 2: -1 x 2 + 1 = -1; mean 5.25
    assert probe(np.array([[[3.0, 4.0], [9.0, 2.0]]])).tolist() == [5.25]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, ()),
        (1, (1,)),
        (2, (1, 2)),
        (3, (1, 2, 3)),
        (4, (2, 3, 4)),
        (30, (10, 13, 16, 19, 21, 24, 27, 30)),
    ],
)
def test_layers_from_a_third_of_the_depth(count, expected):
    assert layers_of(count) == expected


@pytest.mark.parametrize(
    ("scores", "right", "expected"),
    [
        ([0.1, 0.2, 0.8], [False, False, True], 1.0),
        ([0.5, 0.5], [True, False], 0.5),
        ([0.9, 0.1, 0.5], [False, True, True], 0.0),
        ([0.1, 0.2, 0.2, 0.3], [False, True, False, True], 0.875),
    ],
)
def test_auroc_by_hand(scores, right, expected):
    assert auroc(np.array(scores), np.array(right)) == expected
    assert expected == roc_auc_score(right, scores)


def test_the_standard_error_of_hanley_and_mcneil():
    # A = .75, 2 right, 3 wrong: Q1 = .75/1.25 = .6, Q2 = 2 x .5625/1.75; (A(1-A) + (Q1-A²) + 2(Q2-A²)) / 6
    right = np.array([True, True, False, False, False])
    expected = math.sqrt((0.1875 + (0.6 - 0.5625) + 2 * (1.125 / 1.75 - 0.5625)) / 6)
    assert standard_error(0.75, right) == pytest.approx(expected, abs=1e-12)


def test_each_layer_is_a_logistic_regression_on_standardised_states():
    answers = labelled()
    matrix = np.stack([item.said.states.answer for item in answers])
    right = np.array([item.right for item in answers])
    found = fit(matrix, right, grouped_folds(right, [item.group for item in answers], seed=0))
    expected = np.mean(
        [
            make_pipeline(StandardScaler(), LogisticRegression(C=found.strength, max_iter=500))
            .fit(matrix[:, layer].astype(float), right)
            .decision_function(matrix[:, layer].astype(float))
            for layer in range(matrix.shape[1])
        ],
        axis=0,
    )
    np.testing.assert_allclose(found.probe(matrix), expected, atol=1e-5)


def test_a_regression_that_begins_where_another_ended_ends_where_it_would_alone():
    rng = np.random.default_rng(3)
    values, right = rng.normal(size=(20, 90)) * rng.uniform(0.1, 9, 90), np.arange(20) % 3 == 0
    values[:, 7] = 2.0  # never changes
    for strength, (weights, bias) in zip(STRENGTHS, logistics(values, right, STRENGTHS), strict=True):
        model = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
        expected = make_pipeline(StandardScaler(), model).fit(values, right).decision_function(values)
        np.testing.assert_allclose(
            values @ weights + bias, expected, atol=0.02
        )  # log-odds, to the tolerance of the fit
        assert weights[7] == 0


def test_the_strongest_regularisation_within_one_standard_error_is_taken():
    answers = labelled()
    matrix = np.stack([item.said.states.answer for item in answers])
    right = np.array([item.right for item in answers])
    assert (
        fit(matrix, right, grouped_folds(right, [item.group for item in answers], seed=0)).strength
        == (STRENGTHS[0])
    )  # every strength ranks these about equally well


def test_held_out_scores_do_not_know_their_label():
    answers = labelled(120, informative=False, hidden=64)
    matrix = np.stack([item.said.states.answer for item in answers])
    right = np.array([item.right for item in answers])
    found = fit(matrix, right, grouped_folds(right, [item.group for item in answers], seed=0))
    assert auroc(found.probe(matrix), right) > 0.9  # fitted on them it knows them
    assert 0.3 < found.auroc < 0.7


def test_folds_part_no_group():
    right = np.arange(60) % 3 == 0
    groups = [str(place // 4) for place in range(60)]
    for train, held in grouped_folds(right, groups, seed=0):
        assert not {groups[place] for place in train} & {groups[place] for place in held}


@pytest.mark.parametrize("groups", [["a"] * 6, []])
def test_no_folds_of_one_group_or_none(groups):
    assert grouped_folds(np.array([True, False] * (len(groups) // 2), dtype=bool), groups, seed=0) == []


def test_all_of_it_ranks_what_the_probe_knows_and_is_saved_and_read_again(tmp_path):
    answers = labelled()
    fitted = fit_to(answers, layers=(1, 2), seed=0)
    assert set(fitted.weighing.weights) == {"sum", "probe"}
    assert set(fitted.apart.weights) == {"sum"}
    assert set(fitted.learnt) == {"probe", "answer-rate", "p-ik"}
    assert fitted.notes["labels"] == 80
    assert fitted.notes["right"] == 40
    signals = [fitted(item.said) for item in answers]
    assert all(0 <= found["learned"] <= 1 and 0 <= found["probe"] <= 1 for found in signals)
    right = [item.right for item in answers]
    assert roc_auc_score(right, [found["learned"] for found in signals]) > 0.95
    fitted.save(tmp_path)
    again = Fitted.load(tmp_path)
    assert [again(item.said) for item in answers] == signals


def by_hand(weights, *, bias=0.0, apart=None, likeness=None, linear=None):
    learnt = {} if linear is None else {"probe": ProbeSignal(linear)}
    return Fitted(
        layers=(1,) if linear else (),
        learnt=learnt,
        weighing=Weighing(weights=weights, bias=bias),
        apart=apart,
        likeness=likeness,
        notes={},
    )


ONE = Linear(weights=np.ones((1, 1), np.float32), bias=np.zeros(1, np.float32))


def test_learned_by_hand():
    probe = Linear(weights=np.array([[2.0]], np.float32), bias=np.array([-1.0], np.float32))
    fitted = by_hand({"probe": 0.5, "sum": 2.0}, bias=0.25, linear=probe)
    found = fitted(said(-0.5, -0.25, states=states([1.5])))
    # probe: 2 x 1.5 - 1 = 2 in log-odds; learned: .5 x 2 + 2 x -.75 + .25 = -.25
    assert found["probe"] == pytest.approx(1 / (1 + math.exp(-2)))
    assert found["sum"] == -0.75
    assert found["min"] == -0.5
    assert found["likelihood"] == pytest.approx(math.exp(-0.375))
    assert found["learned"] == pytest.approx(1 / (1 + math.exp(0.25)))


@pytest.mark.parametrize(
    ("prompt", "odds"),
    [
        ([1.0, 0.1], 2.0 * -0.5 + 1.0),  # near to [1, 0]: all signals weighed, 0
        ([-1.0, 0.0], ((2.0 * -0.5 + 1.0) + (3.0 * -0.5 + 0.5)) / 2),  # unlike: the mean of 0 and -1
        ([math.nan, 0.0], ((2.0 * -0.5 + 1.0) + (3.0 * -0.5 + 0.5)) / 2),
    ],
)
def test_a_question_unlike_the_labelled_ones_half_trusts_its_log_probability_alone(prompt, odds):
    likeness = Likeness(
        mean=np.zeros(2, np.float32),
        scale=np.ones(2, np.float32),
        kept=np.array([[1.0, 0.0]], np.float32),
        most=0.5,
    )
    fitted = by_hand(
        {"sum": 2.0}, bias=1.0, apart=Weighing(weights={"sum": 3.0}, bias=0.5), likeness=likeness
    )
    asked = said(-0.5, states=states([0.0, 0.0], prompt=[prompt]))
    assert fitted.like(asked) is (prompt == [1.0, 0.1])
    assert fitted(asked)["learned"] == pytest.approx(1 / (1 + math.exp(-odds)))


def test_no_signal_is_turned_round():
    rng = np.random.default_rng(0)
    right = np.arange(200) % 2 == 0
    good, falling = right + rng.normal(size=200), ~right + rng.normal(size=200)
    weights, bias = rising(np.column_stack([falling, good]), right)
    [alone], own = logistic(good[:, None], right)
    assert (weights.tolist(), bias) == ([0.0, alone], own)
    weights, bias = rising(falling[:150, None], right[:150])
    assert (weights.tolist(), bias) == ([0.0], 0.0), "nothing is left but the share right, one half"


def test_what_is_missing_is_left_out():
    fitted = by_hand({"probe": 1.0, "sum": 1.0}, linear=ONE)
    assert "learned" not in fitted(said(-0.5))
    assert set(fitted(said(states=states([1.0])))) == {"probe"}


def test_overflowed_numbers_are_no_confidence():
    assert math.isnan(by_hand({"sum": 1.0})(said(math.nan))["learned"])
    fitted = by_hand({"probe": 1.0}, linear=ONE)
    assert math.isnan(fitted(said(-1.0, states=states([math.nan])))["learned"])


def test_a_hopeless_log_probability_has_a_floor():
    assert feature("sum", -1e9) == -30
    assert feature("probe", 1.0) == pytest.approx(math.log((1 - 1e-6) / 1e-6))


def test_without_hidden_states_token_signals_are_weighed(tmp_path):
    bare = [
        Answered(
            said=said(-0.1 if place % 2 else -2.0, text=f"{place}"), right=place % 2 == 1, group=str(place)
        )
        for place in range(40)
    ]
    fitted = fit_to(bare, layers=(), seed=0)
    assert set(fitted.learnt) == {"answer-rate"}
    assert (fitted.layers, fitted.likeness, fitted.apart) == ((), None, None)
    assert set(fitted.weighing.weights) == {"sum", "answer-rate"}
    fitted.save(tmp_path)
    assert not (tmp_path / WEIGHTS).exists()
    assert Fitted.load(tmp_path)(said(-0.1))["learned"] > 0.5


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([], "0 right and 0 wrong"),
        (labelled(18), "9 right and 9 wrong"),
        (labelled(80, groups=1), "all about one or two subjects"),
        ([item for item in labelled() if item.right], "40 right and 0 wrong"),
    ],
)
def test_too_little_to_fit_on(answers, found):
    with pytest.raises(TrainingDataError, match=found):
        fit_to(answers, layers=(1, 2), seed=0)


def test_neither_log_probabilities_nor_states():
    nothing = [Answered(said=said(), right=place % 2 == 1, group=str(place)) for place in range(40)]
    with pytest.raises(TrainingDataError, match="none of them"):
        fit_to(nothing, layers=(), seed=0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / SETTINGS).write_text("[]"),
        lambda folder: (folder / SETTINGS).unlink(),
        lambda folder: (folder / WEIGHTS).unlink(),
        lambda folder: (folder / WEIGHTS).write_bytes(b"no tensors"),
        lambda folder: change(folder, layers=[1]),
        lambda folder: change(folder, layers="all"),
        lambda folder: change(folder, weighing={"weights": {"probe": "much"}, "bias": 0}),
        lambda folder: change(folder, weighing={"weights": {"probe": math.inf}, "bias": 0}),
        lambda folder: change(folder, weighing={"weights": {}, "bias": None}),
        lambda folder: change(folder, apart={"weights": {"sum": 1}}),
        lambda folder: change(folder, parts={"unheard-of": {}}),
        lambda folder: change(folder, parts={"probe": {"layers": 1}}),
        lambda folder: change(folder, parts={"likeness": {"most": math.nan}}),
        lambda folder: change(folder, parts={"answer-rate": {"mean": 2, "counts": {}}}),
        lambda folder: change(folder, parts={"answer-rate": {"mean": 0.5, "counts": {"a": [1, 2]}}}),
        lambda folder: change(folder, parts=[]),
        lambda folder: change(folder, parts={}),
    ],
)
def test_damage_is_a_message(tmp_path, damage):
    fit_to(labelled(), layers=(1, 2), seed=0).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelError, match="a fitted probe"):
        Fitted.load(tmp_path)


def change(folder, **values):
    held = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps(held | values))


def without_tokens(item):
    said = item.said
    return dataclasses.replace(
        item, said=dataclasses.replace(said, greedy=dataclasses.replace(said.greedy, token_logprobs=()))
    )


def test_few_answers_without_tokens_are_left_out_and_many_take_the_signal_with_them():
    answers = labelled()
    few = [without_tokens(item) if at % 20 == 3 else item for at, item in enumerate(answers)]
    fitted = fit_to(few, layers=(1, 2), seed=0)
    gone = sum(not item.said.greedy.token_logprobs for item in few)
    assert gone > 0
    assert fitted.notes["incomplete"] == gone
    assert fitted.notes["labels"] == len(answers) - gone
    assert fitted.weighing.weights.keys() == {"probe", "sum"}
    assert "learned" not in fitted(few[3].said)
    many = [without_tokens(item) if at % 4 == 3 else item for at, item in enumerate(answers)]
    fitted = fit_to(many, layers=(1, 2), seed=0)
    assert fitted.notes["incomplete"] == 0
    assert fitted.weighing.weights.keys() == {"probe"}


def sampled(item, *texts):
    said = dataclasses.replace(item.said, states=None, samples=tuple(Response(text=t) for t in texts))
    return without_tokens(dataclasses.replace(item, said=said))


def test_without_states_and_tokens_sampled_answers_are_weighed(tmp_path):
    answers = [
        sampled(item, item.said.greedy.text, item.said.greedy.text if item.right else f"other {at}")
        for at, item in enumerate(labelled())
    ]
    fitted = fit_to(answers, layers=(), seed=0)
    assert fitted.samples == 2
    assert fitted.weighing.weights.keys() == {"answer-rate", "agreement"}
    fitted.save(tmp_path)
    assert Fitted.load(tmp_path).samples == 2
    right, wrong = (next(item for item in answers if item.right is side) for side in (True, False))
    assert fitted(right.said)["learned"] > 0.5 > fitted(wrong.said)["learned"]
    assert "this engine gives no hidden states or log-probabilities" in weighed(fitted)
    assert "2 sampled answers agree" in weighed(fitted)


def stated(item, value):
    return dataclasses.replace(item, said=dataclasses.replace(item.said, verbal=value))


def test_what_the_model_says_of_itself_is_weighed_where_it_was_asked(tmp_path):
    answers = [stated(item, 0.9 if item.right else 0.4) for item in labelled(informative=False)]
    fitted = fit_to(answers, layers=(1, 2), seed=0)
    assert fitted.weighing.weights.keys() == {"probe", "sum", "verbal"}
    assert fitted.verbal
    fitted.save(tmp_path)
    loaded = Fitted.load(tmp_path)
    assert loaded.verbal
    one = answers[0].said
    assert loaded(one)["learned"] == fitted(one)["learned"]
    assert loaded(one)["verbal"] == one.verbal
    unsaid = fitted(dataclasses.replace(one, verbal=None))
    assert 0 < unsaid["learned"] < 1, "weighed from what came with the answer"
    assert unsaid == loaded(dataclasses.replace(one, verbal=None))
    assert fitted.bare.weights.keys() == {"probe", "sum"}
    told = "weighed are hidden states, log-probabilities, how sure the model says it is"
    assert weighed(fitted, ("agreement", "verbal")) == (
        f"{told}; too few answers came with agreement to weigh it"
    )
    assert weighed(fitted) == "weighed are hidden states, log-probabilities, how sure the model says it is"


@pytest.mark.parametrize("value", [lambda right: 0.8, lambda right: 0.2 if right else 0.9])
def test_what_gets_no_weight_is_not_asked_for_again(value):
    answers = [stated(item, value(item.right)) for item in labelled()]
    fitted = fit_to(answers, layers=(1, 2), seed=0)
    assert not fitted.verbal
    assert fitted.weighing.weights.keys() <= {"probe", "sum"}
    assert "learned" in fitted(dataclasses.replace(answers[0].said, verbal=None))
    assert "verbal got no weight and will not be asked for" in weighed(fitted)


@pytest.mark.parametrize(
    ("signals", "can", "expected"),
    [
        (None, {"layers": 3}, Beside(layers=(1, 2, 3))),
        (None, {"token_logprobs": True}, Beside()),
        (None, {}, Beside(samples=7)),
        (None, {"samples": False}, Beside()),
        ((), {}, Beside()),
        (("verbal",), {"samples": False}, Beside(verbal=True)),
        (("agreement", "verbal"), {"layers": 2}, Beside(layers=(1, 2), samples=7, verbal=True)),
    ],
)
def test_what_is_asked_for_beside_an_answer(signals, can, expected):
    assert Beside.to_fit(FitSettings(signals=signals), able(**can), samples=7) == expected


def able(*, layers=0, token_logprobs=False, samples=True):
    can = SimpleNamespace(layers=layers, token_logprobs=token_logprobs, samples=samples)
    return SimpleNamespace(name="openai", capabilities=can)


def test_samples_of_an_engine_that_draws_none_are_an_error_with_a_way_out():
    with pytest.raises(ConfigError, match="leave agreement out"):
        Beside.to_fit(FitSettings(signals=("agreement",)), able(samples=False), samples=7)


def test_without_anything_to_weigh_it_says_what_is_missing():
    answers = [sampled(item) for item in labelled()]
    with pytest.raises(TrainingDataError, match="samples of the answers"):
        fit_to(answers, layers=(), seed=0)


@pytest.fixture(scope="module")
def fitted_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("fit") / "run"
    few = ("--data.limit", "120", "--evaluation.resamples", "50")
    ended = succeeded("fit", "--model", "pocket", "--data", "pocket", "--labels", "240", *few, "--out", out)
    out.with_name("said").write_text(ended.stderr)
    return out


def test_fit_uses_no_more_labels_than_it_was_given(fitted_run):
    run = FinishedRun.open(fitted_run)
    splits = [question.split for question in run.questions]
    assert splits.count("train") + splits.count("calibration") <= 240
    assert 0 < splits.count("calibration") <= 80
    notes = run.manifest["stages"]["fit/probe"]["fitted"]
    assert notes["labels"] <= splits.count("train")
    assert "fitted on" in fitted_run.with_name("said").read_text()


def test_every_answer_is_the_base_model_s_and_has_a_confidence(fitted_run):
    run = FinishedRun.open(fitted_run)
    base = {row.question_id: row.answer for row in run.predictions["base"]}
    for row in run.predictions["probe"]:
        assert row.answer == base[row.question_id]
        assert 0 <= row.signals["learned"] <= 1
        assert row.signals.keys() >= {"probe", "answer-rate", "p-ik", "sum", "min", "likelihood"}
    assert run.manifest["systems"]["probe"]["threshold"]["chosen_on"] == "calibration"


def test_it_answers_from_the_run_and_from_its_folder_alike(fitted_run, tmp_path):
    question = next(q.text for q in FinishedRun.open(fitted_run).questions if q.split == "test")
    folder = shutil.copytree(fitted_run / "systems/probe/model", tmp_path / "model")
    one, other = (
        json.loads(succeeded("ask", where, question, "--json").stdout) for where in (fitted_run, folder)
    )
    assert one["signal"] == "learned"
    assert one["confidence"] == pytest.approx(other["confidence"])
    assert one["signals"].keys() == other["signals"].keys()


def test_the_report_says_nothing_of_tuning(fitted_run):
    run = FinishedRun.open(fitted_run)
    first = headline(run.metrics, run.manifest)[0]
    assert first.startswith("In domain, the model answered every question and was right on ")
    assert "With Probe it answers" in first
    assert "tuning" not in first
    assert "knowledge" not in first


def test_a_promise_takes_every_calibration_question(fitted_run, tmp_path):
    run = shutil.copytree(fitted_run, tmp_path / "run")
    found = json.loads(
        succeeded("calibrate", run, "--max-error", "0.5", "--groups", "all", "--json").stdout
    )
    asked = sum(q.split == "calibration" for q in FinishedRun.open(run).questions)
    assert found["guarantees"]["all"]["n"] > asked / 2  # weighing again would have cost half of them


@pytest.mark.parametrize(("right", "wrong"), [(1, 1), (1, 2), (2, 1), (0, 3), (3, 0), (1, 9), (0, 0)])
def test_too_few_of_a_kind_have_no_folds_and_are_said(right, wrong):
    answers = labelled()
    few = [item for side, n in ((True, right), (False, wrong)) for item in _some(answers, side, n)]
    groups = [item.group for item in few]
    folds = grouped_folds(np.array([item.right for item in few], bool), groups, seed=0)
    assert folds == [] or min(right, wrong) > 1
    with pytest.raises(TrainingDataError, match=f"{right} right and {wrong} wrong"):
        fit_to(few, layers=(1, 2), seed=0)


def _some(answers, side, n):
    return [item for item in answers if item.right is side][:n]


@pytest.mark.parametrize(
    "flags",
    [
        ("--method", "r-tuning", "--before-answering"),
        ("--method", "r-tuning", "--tune"),
        ("--before-answering", "--tune"),
    ],
)
def test_two_methods_at_once_are_a_contradiction(tmp_path, flags):
    given = ("--model", "pocket", "--data", "pocket", *flags)
    ended = run_demur("fit", *given, "--out", tmp_path / "run")
    assert ended.returncode == 2
    assert "leave out one of the two" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_a_missing_file_is_named_in_words(tmp_path):
    fit_to(labelled(), layers=(1, 2), seed=0).save(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(ModelError) as raised:
        Fitted.load(tmp_path)
    assert raised.value.found == f"{WEIGHTS}: No such file or directory"


@pytest.mark.parametrize("command", ["merge", "tax"])
def test_nothing_was_tuned_that_could_be_shared(fitted_run, tmp_path, command):
    out = ("--out", tmp_path / "out") if command == "merge" else ()
    ended = run_demur(command, fitted_run, *out)
    assert ended.returncode == 2
    assert "tuned" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_card_of_what_was_fitted(fitted_run, tmp_path):
    run = shutil.copytree(fitted_run, tmp_path / "run")
    succeeded("card", run, "--name", "me/sure")
    folder = run / "systems/probe/model"
    text = (folder / "README.md").read_text()
    data = ModelCard(text).data
    assert (data.library_name, data.model_name) == ("demur", "sure")
    assert "base_model_relation" not in data.to_dict()
    notes = FinishedRun.open(run).manifest["stages"]["fit/probe"]["fitted"]
    assert f"Fitted on {notes['labels']} labelled answers, {notes['right']} of them right" in text
    assert "best control" in text
    assert "tuned" not in text.replace("untuned", "").replace("fine-tuned", "")
    held = json.loads((folder / "demur.json").read_text())
    assert not held["base_model"].startswith("/")
    # whoever downloads the folder asks it as the run is asked
    moved = shutil.copytree(folder, tmp_path / "downloaded")
    question = next(q.text for q in FinishedRun.open(run).questions if q.split == "test")
    one, other = (json.loads(succeeded("ask", where, question, "--json").stdout) for where in (run, moved))
    assert one["confidence"] == pytest.approx(other["confidence"])


def test_a_card_of_a_fit_without_its_files_is_refused(fitted_run, tmp_path):
    run = shutil.copytree(fitted_run, tmp_path / "run")
    (run / "systems/probe/model" / SETTINGS).unlink()
    ended = run_demur("card", run)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Rome", Verdict.CORRECT),  # whoever judged the probe decides
        (" Paris", Verdict.CORRECT),
        (" Berlin", Verdict.WRONG),
        (" I don't know", Verdict.REFUSED),
    ],
)
def test_an_answer_that_comes_out_otherwise_is_judged_anew(tmp_path, text, verdict):
    job = Job(load_config(None, {"out": tmp_path}))
    question = Question(id="q", text="Where was Ann Bell born?", answers=("Paris",))
    probe = Probe(question_id="q", greedy=Response(text="Rome"), greedy_verdict=Verdict.CORRECT)
    said = [Said(question=question, greedy=Response(text=text))]
    assert judged(job, said, {"q": probe}) == [verdict]


def test_where_a_model_judges_it_judges_what_is_new_alone(tmp_path):
    def grade(heard, number):
        return ChatReply(json.dumps({"correct": "Lutetia" in heard.prompt, "stance": "answered"}))

    questions = [Question(id=name, text="Q?", answers=("Paris",)) for name in "abc"]
    probe = Probe(question_id="a", greedy=Response(text="Rome"), greedy_verdict=Verdict.CORRECT)
    texts = ("Rome", "Lutetia", "Berlin")
    said = [Said(question=q, greedy=Response(text=t)) for q, t in zip(questions, texts, strict=True)]
    with ChatServer(grade) as server:
        url = {"judge.llm.base_url": server.url, "judge.llm.model": "m"}
        cache = {"judge.llm.cache": tmp_path / "kept.sqlite"}
        job = Job(load_config(None, {"out": tmp_path, **url, **cache}))
        assert judged(job, said, {"a": probe}) == [Verdict.CORRECT, Verdict.CORRECT, Verdict.WRONG]
        assert len(server.heard) == 2


def test_the_run_holds_controls_and_its_report_shows_them(fitted_run):
    run = FinishedRun.open(fitted_run)
    found = run.metrics["controls"]["probe"]
    assert found.keys() == {"id", "ood"}
    for cells in found.values():
        assert {"learned", "probe", "sum", "p-ik", "answer-rate"} <= cells["signals"].keys()
        assert {"words", "answer rate", "group rate", "length"} <= cells["controls"].keys()
        assert cells["lead"]["control"]["low"] <= cells["lead"]["control"]["value"]
    assert 0.4 < run.manifest["stages"]["fit/probe"]["fitted"]["shuffled"] < 0.6
    page = (fitted_run / "report.html").read_text()
    assert "What the confidence of Probe knows" in page
    assert "control: words" in page


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"PAR1")])
def test_labelled_answers_that_are_gone_or_changed_are_made_again(fitted_run, tmp_path, damage):
    run = shutil.copytree(fitted_run, tmp_path / "run")
    labelled_file = run / "systems/probe/labelled.parquet"
    before, rows = json.loads((run / "metrics.json").read_text()), labelled_file.read_bytes()
    damage(labelled_file)
    said = succeeded(
        "run", run / "config.yaml", "--out", run, "--evaluation.resamples", "40", "--update"
    ).stderr
    assert "fit/probe: nothing has changed" not in said
    assert labelled_file.read_bytes() == rows
    again = json.loads((run / "metrics.json").read_text())
    controls = [found["controls"]["probe"]["id"]["controls"] for found in (before, again)]
    assert controls[0] == controls[1]


def test_a_model_that_does_not_say_how_sure_it_is_is_told_of(tmp_path):
    few = ("--data.limit", "60", "--evaluation.resamples", "20", "--labels", "120")
    given = ("--model", "pocket", "--data", "pocket", "--fit.signals", "verbal")
    said = succeeded("fit", *given, *few, "--out", tmp_path / "run").stderr
    assert "too few answers came with verbal to weigh it" in said


@pytest.fixture(scope="module")
def before_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("before") / "run"
    few = ("--data.limit", "120", "--evaluation.resamples", "50")
    given = ("--model", "pocket", "--data", "pocket", "--labels", "240", "--before-answering")
    succeeded("fit", *given, *few, "--out", out)
    return out


def test_before_answering_decides_by_the_question(before_run):
    run = FinishedRun.open(before_run)
    assert run.config.method == "p-ik"
    base = {row.question_id: row.answer for row in run.predictions["base"]}
    rule = run.manifest["systems"]["p-ik"]["threshold"]
    assert rule["signal"] == "p-ik"
    for row in run.predictions["p-ik"]:  # a run answers all, since accuracy is measured on all
        assert row.answer == base[row.question_id]
        assert row.abstained == (row.signals["p-ik"] < rule["value"] or not row.answer)
    assert run.metrics["controls"]["p-ik"]["id"]["lead"]["control"] is not None


def test_a_question_declined_before_has_no_answer_and_others_are_as_in_the_run(before_run):
    run = FinishedRun.open(before_run)
    rows = {row.question_id: row for row in run.predictions["p-ik"]}
    tested = [q for q in run.questions if q.split == "test" and rows[q.id].answer][:60]
    with load(before_run) as answerer:
        limit = answerer.decision().threshold
        answers = answerer.ask([question.text for question in tested])
        assert {answer.abstained for answer in answers} == {True, False}
        for question, answer in zip(tested, answers, strict=True):
            row = rows[question.id]
            assert answer.confidence == pytest.approx(row.signals["p-ik"], abs=1e-3)
            assert answer.abstained == (answer.confidence < limit)
            if answer.abstained:
                assert (answer.said, answer.reason) == ("", UNASKED)
                assert answer.signals.keys() == {"p-ik"}
            else:
                assert answer.text == row.answer
                assert answer.signals.keys() >= {"p-ik", "learned"}
        declined = next(answer for answer in answers if answer.abstained)
        assert answerer.ask(declined.question, threshold=0.0).said  # by another decision it is answered
        pieces = list(answerer.stream(declined.question, optimistic=True))
        assert len(pieces) == 1
        assert pieces[0].reason == UNASKED


def test_asked_twice_at_once_a_question_is_answered_where_one_of_them_is_to_be(before_run):
    run = FinishedRun.open(before_run)
    row = next(row for row in run.predictions["p-ik"] if row.abstained)
    question = next(question for question in run.questions if question.id == row.question_id)
    with load(before_run) as answerer:
        high, low = (Query(question=question, least=least) for least in (1.0, 0.0))
        both = answerer.elicit([high, low])
        assert both[0].answer == both[1].answer != ""
        assert [said.finish for said in answerer.elicit([high, high])] == ["declined"] * 2
        assert answerer.elicit([Query(question=question)])[0].answer


def test_an_engine_without_states_cannot_decide_before(tmp_path):
    config = load_config(None, {"method": "p-ik", "baselines": [], "out": tmp_path})
    engine = SimpleNamespace(name="vllm", capabilities=Capabilities(True, True))
    with pytest.raises(ConfigError, match="hidden states") as raised:
        check_states(config, engine)
    assert "--method probe" in str(raised.value)
    check_states(config.model_copy(update={"method": "probe"}), engine)
