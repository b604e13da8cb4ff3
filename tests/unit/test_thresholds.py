"""The threshold of a method that declines by one signal: chosen on calibration questions, or fixed."""

import itertools
import json
import random
from pathlib import Path

import pytest
import yaml
from reporting_run import make_small_run

from demur.ask.system import from_model, from_run
from demur.claims.places import PLACES
from demur.confidence.combination import MIN_OF_EACH, choose, most_honest
from demur.core.config import RTuningSettings, load_config
from demur.core.errors import ConfigError, UnknownNameError
from demur.core.records import Prediction, Question, Verdict
from demur.methods import METHODS, thresholds
from demur.pipeline.stages.evaluate import compared
from demur.pipeline.systems import system_info
from demur.report.headline import headline
from demur.report.report import write_report
from demur.report.words import methods, title

RIGHT, WRONG = Verdict.CORRECT, Verdict.WRONG
INFO = METHODS.get("r-tuning").info
EXAMPLES = Path(__file__).parents[2] / "examples"


def asked(pairs, split="calibration"):
    """Questions of a split and predictions with these values of `sure` and verdicts."""
    questions, rows = [], []
    for number, (sure, verdict) in enumerate(pairs):
        key = f"{split}/{number}"
        questions.append(Question(id=key, text="Q?", answers=("a",), dataset="d", split=split))
        signals = {} if sure is None else {"sure": sure}
        rows.append(
            Prediction(question_id=key, system="r-tuning", answer="a", response="a", verdict=verdict,
                       abstained=sure is not None and sure < 0.5, signals=signals)
        )  # fmt: skip
    return questions, rows


def low_base_rate(n=400, seed=0):
    """A model that is rarely right, and a `sure` that ranks well but never reaches one half."""
    rng = random.Random(seed)
    known = [rng.random() < 0.1 for _ in range(n)]
    return [(rng.uniform(0.2, 0.4) if k else rng.uniform(0.0, 0.22), RIGHT if k else WRONG) for k in known]


def test_where_the_papers_rule_answers_nothing_the_chosen_one_answers():
    pairs = low_base_rate()
    questions, rows = asked(pairs)
    assert all(row.abstained for row in rows), "the fixed rule collapses"
    found = thresholds.rule(INFO, RTuningSettings(), rows, questions)
    assert (found["signal"], found["how"], found["chosen_on"]) == ("sure", "calibrated", "calibration")
    assert (found["n"], found["right"]) == (400, sum(verdict is RIGHT for _, verdict in pairs))
    assert found["honesty"] > 0.95
    test = list(thresholds.decided(asked(low_base_rate(seed=1), "test")[1], "sure", found["value"]))
    given = [row for row in test if not row.abstained]
    assert 0.05 < len(given) / len(test) < 0.2
    assert sum(row.verdict is RIGHT for row in given) / len(given) > 0.6, "one in ten before"
    assert json.loads(json.dumps(found)) == found, "it goes into the manifest as it is"


def test_it_is_the_criterion_by_which_demur_chooses_and_test_questions_take_no_part():
    pairs = low_base_rate()
    questions, rows = asked(pairs)
    others = asked([(0.9, WRONG)] * 50 + [(0.01, RIGHT)] * 50, "test")
    found = thresholds.rule(INFO, RTuningSettings(), rows + others[1], questions + others[0])
    assert found["value"] == most_honest(pairs)
    assert found == thresholds.rule(INFO, RTuningSettings(), rows, questions)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([], "0 right and 0 wrong calibration answers, and choosing needs 10 of each"),
        ([(0.3, RIGHT)] * 9 + [(0.1, WRONG)] * 50, "9 right and 50 wrong"),
        ([(0.3, WRONG)] * 100, "0 right and 100 wrong"),
        ([(0.3, Verdict.UNSCORED)] * 100, "0 right and 0 wrong"),
        ([(0.3, RIGHT), (0.3, WRONG)] * 10, "all with the same confidence"),
        ([(None, RIGHT), (None, WRONG)] * 20, "20 right and 20 wrong"),
    ],
)
def test_too_little_to_choose_on_leaves_the_papers_rule_and_says_why(pairs, reason):
    questions, rows = asked(pairs)
    found = thresholds.rule(INFO, RTuningSettings(), rows, questions)
    assert (found["value"], found["how"], found["chosen_on"]) == (0.5, "fallback", None)
    assert reason in found["reason"]
    assert "the paper's rule (" in thresholds.sentence(found)
    assert not thresholds.chosen(found), "there is no other rule to report beside it"


def test_ten_of_each_are_enough():
    questions, rows = asked([(0.3, RIGHT), (0.1, WRONG)] * MIN_OF_EACH)
    found = thresholds.rule(INFO, RTuningSettings(), rows, questions)
    assert (found["how"], found["value"], found["n"]) == ("calibrated", pytest.approx(0.2), 20)


def test_a_fixed_number_stays_one():
    questions, rows = asked(low_base_rate())
    found = thresholds.rule(INFO, RTuningSettings(threshold=0.5), rows, questions)
    assert (found["value"], found["how"], found["chosen_on"]) == (0.5, "given", None)
    assert thresholds.sentence(found) == "answers where sure is at least 0.5, a fixed rule"


@pytest.mark.parametrize("name", METHODS.names())
def test_exactly_the_methods_that_decline_by_one_signal_have_a_rule(name):
    info = METHODS.get(name).info
    found = thresholds.rule(info, RTuningSettings(), [], [])
    assert (found is not None) == (name in ("r-tuning", "r-tuning-u", "probe", "p-ik", "demur"))


def test_what_is_refused_in_words_or_has_no_signal_is_declined_at_any_threshold():
    odd = [(0.9, Verdict.REFUSED), (None, RIGHT), (float("nan"), RIGHT)]
    _, rows = asked([*odd, (0.3, RIGHT), (0.2, RIGHT)])
    declined = [row.abstained for row in thresholds.decided(rows, "sure", 0.3)]
    assert declined == [True, True, True, False, True]


def test_the_fixed_reading_is_the_papers_rule_under_its_own_name():
    _, rows = asked([(0.49, RIGHT), (0.5, WRONG)])
    chosen = list(thresholds.decided(rows, "sure", 0.1))
    read = list(thresholds.fixed(chosen, "sure"))
    assert {row.system for row in read} == {"r-tuning-fixed"}
    assert [row.abstained for row in read] == [True, False]
    assert [row.signals for row in read] == [row.signals for row in rows]


def old_most_honest(rows):
    """The definition, threshold by threshold."""
    values = sorted({value for value, _ in rows})
    middles = [(a + b) / 2 for a, b in itertools.pairwise(values)]
    right, wrong = ([v for v, verdict in rows if verdict is side] for side in (RIGHT, WRONG))

    def honesty(t):
        return (sum(v >= t for v in right) / len(right) + sum(v < t for v in wrong) / len(wrong)) / 2

    scores = [honesty(t) for t in middles]
    good = [t for t, score in zip(middles, scores, strict=True) if score >= max(scores) - 0.01]
    middle = len(good) // 2
    return good[middle] if len(good) % 2 else (good[middle - 1] + good[middle]) / 2


@pytest.mark.parametrize("seed", range(5))
def test_the_most_honest_threshold_is_found_by_sorting_as_by_trying_each(seed):
    rng = random.Random(seed)
    rows = [(round(rng.random(), 2), RIGHT if rng.random() < 0.4 else WRONG) for _ in range(200)]
    assert most_honest(rows) == pytest.approx(old_most_honest(rows))
    assert choose(rows).value == most_honest(rows)


def test_many_calibration_answers_take_no_table_of_all_against_all():
    rng = random.Random(0)
    rows = [(rng.random(), RIGHT if rng.random() < 0.5 else WRONG) for _ in range(60_000)]
    assert 0 < choose(rows).value < 1  # 60,000 x 60,000 truth values would be 3.6 GB


def test_equal_confidences_answer_everything():
    assert most_honest([(0.4, RIGHT), (0.4, WRONG)]) == 0.4


@pytest.mark.parametrize(("given", "fixed"), [("calibrated", 0.5), ("0.9", 0.9), (0, 0.0), ("1", 1.0)])
def test_the_setting_takes_a_word_or_a_share(given, fixed):
    settings = load_config(None, {"r_tuning.threshold": given}).r_tuning
    assert settings.fixed == fixed
    assert settings.calibrated == (given == "calibrated")
    again = load_config(None, {"r_tuning": settings.model_dump(mode="json")})
    assert again.r_tuning == settings


@pytest.mark.parametrize("given", ["1.1", "-0.1", "nan", "auto", "", True, [0.5]])
def test_any_other_threshold_is_refused_in_one_line(given):
    with pytest.raises(ConfigError, match="'calibrated' or a number from 0 to 1") as caught:
        load_config(None, {"r_tuning.threshold": given})
    assert caught.value.found.count("\n") == 0
    assert caught.value.found.startswith("r_tuning.threshold: ")


def test_the_default_is_calibrated_and_single_systems_may_differ():
    config = load_config(None, {"overrides": {"r-tuning-u": {"r_tuning": {"threshold": 0.7}}}})
    assert config.r_tuning.calibrated
    assert config.for_system("r-tuning-u").r_tuning.fixed == 0.7


# -- a model in use -------------------------------------------------------------------------------

CHOSEN = {"signal": "sure", "value": 0.1234, "how": "calibrated", "chosen_on": "calibration",
          "n": 360, "right": 100, "honesty": 0.8}  # fmt: skip
OLD = {"signal": "sure", "value": 0.5}
"""As version 0.1.0 wrote it."""


def run_with(folder, threshold, *, card=CHOSEN):
    """A finished run with a tuned model's card, without its weights."""
    make_small_run(folder)
    (folder / "config.yaml").write_text(
        f"method: r-tuning\nmodel: {{path: pocket}}\nr_tuning: {{threshold: {threshold}}}\n", "utf-8"
    )
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["systems"]["r-tuning-fixed"] = {"primary_signal": "combined"}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    model = folder / "systems/r-tuning/model"
    model.mkdir(parents=True)
    card = {"method": "r-tuning", "base_model": "pocket", "format": "plain", "stop": ["\n"],
            "max_new_tokens": 16, "threshold": card}  # fmt: skip
    (model / "demur.json").write_text(json.dumps(card), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("setting", "card", "expected"),
    [("calibrated", CHOSEN, 0.1234), ("calibrated", OLD, 0.5), ("0.5", OLD, 0.5), ("0.7", OLD, 0.7)],
)
def test_a_runs_system_declines_by_the_chosen_threshold(tmp_path, setting, card, expected):
    run = run_with(tmp_path / "run", setting, card=card)
    rule = from_run(run, None, {}).rule
    assert (rule.signal, rule.threshold) == ("sure", expected)
    assert from_run(run, "r-tuning-fixed", {}).rule.threshold == 0.5


@pytest.mark.parametrize("card", [CHOSEN, OLD])
def test_a_models_own_folder_says_the_threshold_also_an_old_one(tmp_path, card):
    model = run_with(tmp_path / "run", "calibrated", card=card) / "systems/r-tuning/model"
    assert from_model(model, None, {}).rule.threshold == card["value"]
    if card is CHOSEN:
        found = from_model(model, "r-tuning-fixed", {})
        assert (found.name, found.info.name, found.rule.threshold) == ("r-tuning-fixed", "r-tuning", 0.5)
    else:
        with pytest.raises(UnknownNameError):
            from_model(model, "r-tuning-fixed", {})


# -- told ----------------------------------------------------------------------------------------


def test_the_fixed_reading_is_a_system_like_its_method():
    info = system_info("r-tuning-fixed", load_config())
    assert (info.name, info.primary_signal, info.weights) == ("r-tuning-fixed", "combined", "r-tuning")
    assert "fixed rule of its paper" in info.summary
    assert title("r-tuning-fixed") == "R-Tuning, fixed rule"
    order = ["base", "r-tuning", "r-tuning-learned", "r-tuning-fixed"]
    assert methods(order, "r-tuning") == ["r-tuning", "r-tuning-learned"]
    assert methods(["base", "other-fixed", "other"], "gone") == ["other"]
    assert all("fixed" not in name for pair in compared(order, "r-tuning") for name in pair)


def test_the_report_and_the_headline_say_both_rules(tmp_path):
    run = make_small_run(tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    metrics["metrics"]["r-tuning-fixed"] = metrics["metrics"]["r-tuning"]
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["systems"]["r-tuning"]["threshold"] = CHOSEN
    manifest["systems"]["r-tuning-fixed"] = {"primary_signal": "combined"}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    said = " ".join(headline(metrics, manifest))
    assert "by the fixed rule of its paper, R-Tuning answers 60%" in said
    page = write_report(run).read_text("utf-8")
    rule = "answers where sure is at least 0.1234, the threshold with the highest honesty (80.0%) on 360"
    assert f"R-Tuning {rule} calibration answers." in page


# -- the papers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_claims_are_of_the_papers_rule(place, tmp_path):
    data = {place.dataset: tmp_path}
    configs = [place.config(run, 101, tmp_path, data) for run in place.runs]
    for config in configs:
        assert {config.for_system(system).r_tuning.threshold for system in config.systems} == {0.5}


@pytest.mark.parametrize(
    "path",
    [*sorted((EXAMPLES / "papers").glob("r-tuning*.yaml")), EXAMPLES / "pararel.yaml"],
    ids=lambda path: path.stem,
)
def test_the_papers_examples_keep_the_papers_rule(path):
    assert yaml.safe_load(path.read_text("utf-8"))["r_tuning"]["threshold"] == 0.5
