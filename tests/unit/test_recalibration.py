"""Maps from a signal to a probability: fitted right, rising, plain numbers, and no part of a promise."""

import json
import math
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporting_run import make_run
from sklearn.isotonic import IsotonicRegression
from typer.testing import CliRunner

from demur.calibrate.calibrate import calibrate_run
from demur.cli.main import app
from demur.confidence.logistic import EDGE
from demur.confidence.probability import KINDS, Recalibration, _isotonic, cross_validated, fit
from demur.core.errors import ConfigError, DataError, UnknownNameError
from demur.core.records import Prediction, Question, Verdict, read_parquet, write_parquet
from demur.metrics import METRICS, Rows
from demur.runfolder.folder import RunFolder

every_kind = pytest.mark.parametrize("kind", KINDS)


def answers(n=4000, *, seed=0, slope=1.0, bias=0.0):
    """Signals whose log-odds are (true log-odds - bias) / slope, and whether the answer is right."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, n)
    right = rng.random(n) < 1 / (1 + np.exp(-truth))
    return (1 / (1 + np.exp(-(truth - bias) / slope))).tolist(), right.tolist()


def test_a_temperature_of_two_takes_the_root_of_the_odds():
    # .8 has odds of 4; their root is 2, and odds of 2 are a probability of 2/3.
    assert Recalibration(kind="temperature", n=1, slope=0.5)(0.8) == pytest.approx(2 / 3, abs=1e-5)


def test_a_line_through_the_value_itself():
    # 0.5 x 6 - 3 = 0, an even chance.
    assert Recalibration(kind="platt", n=1, log_odds=False, slope=0.5, bias=-3)(6) == pytest.approx(0.5)


def test_isotonic_pools_what_falls():
    # Wrong, right, wrong, right: the middle two fall and become one half each; level beyond the ends.
    found = _isotonic([1, 2, 3, 4], [False, True, False, True])
    at = {0: 0.0, 1: 0.0, 1.5: 0.25, 2: 0.5, 2.7: 0.5, 3.5: 0.75, 4: 1.0, 9: 1.0}
    assert [found(value) for value in at] == pytest.approx(list(at.values()))


@pytest.mark.parametrize(("slope", "bias"), [(0.5, 0.0), (2.0, 0.0)])
def test_a_temperature_is_found_again(slope, bias):
    found = fit("temperature", *answers(20_000, slope=slope), probability=True)
    assert found.slope == pytest.approx(slope, rel=0.05)
    assert found.bias == 0


def test_a_line_is_found_again():
    found = fit("platt", *answers(20_000, slope=0.5, bias=1.0), probability=True)
    assert (found.slope, found.bias) == pytest.approx((0.5, 1.0), abs=0.05)


@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_the_fit_is_the_lowest_log_loss_of_platts_targets(kind):
    """At the minimum the gradient is 0: sum (p - t) x = 0, and with a bias sum (p - t) = 0."""
    values, right = answers(300, slope=0.6, bias=0.7)
    found = fit(kind, values, right, probability=True)
    hits = sum(right)
    target = [(hits + 1) / (hits + 2) if r else 1 / (len(right) - hits + 2) for r in right]
    gaps = [found(value) - t for value, t in zip(values, target, strict=True)]
    inner = [EDGE + (1 - 2 * EDGE) * value for value in values]
    odds = [math.log(value / (1 - value)) for value in inner]
    assert sum(g * x for g, x in zip(gaps, odds, strict=True)) == pytest.approx(0, abs=1e-3)
    if kind == "platt":
        assert sum(gaps) == pytest.approx(0, abs=1e-3)


def test_isotonic_is_scikit_learns():
    values, right = answers(500)
    found = fit("isotonic", values, right, probability=True)
    theirs = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(values, right)
    asked = np.random.default_rng(1).random(300)
    assert [found(value) for value in asked] == pytest.approx(theirs.predict(asked).tolist(), abs=1e-12)


def test_answers_that_a_signal_separates_have_a_finite_slope():
    values, right = [0.2] * 20 + [0.8] * 20, [False] * 20 + [True] * 20
    for kind in ("temperature", "platt"):
        found = fit(kind, values, right, probability=True)
        # Platt's targets are 21/22 and 1/22.
        assert found(0.8) == pytest.approx(21 / 22, abs=1e-3)
        assert found(0.2) == pytest.approx(1 / 22, abs=1e-3)


GRID = st.lists(st.integers(0, 1000).map(lambda k: k / 1000), min_size=2, max_size=30)


@given(GRID, st.floats(0.05, 2), st.floats(-3, 3), st.lists(st.booleans(), min_size=30, max_size=30))
def test_lines_rise_strictly_and_leave_every_ranking_metric_alone(values, slope, bias, luck):
    verdicts = [Verdict.CORRECT if right else Verdict.WRONG for right in luck[: len(values)]]
    for kind, shift in (("temperature", 0.0), ("platt", bias)):
        found = Recalibration(kind=kind, n=1, slope=slope, bias=shift)
        mapped = [found(value) for value in values]
        assert all(0 <= p <= 1 for p in mapped)
        assert np.array_equal(
            np.unique(values, return_inverse=True)[1], np.unique(mapped, return_inverse=True)[1]
        )
        rows, other = (Rows.of(verdicts, confidence=signal) for signal in (values, mapped))
        for name, metric in METRICS.items():
            if metric.per_signal and not metric.probabilities:
                assert metric.value(other) == metric.value(rows), name


@given(GRID, st.integers(0, 2**30))
def test_isotonic_never_falls_and_may_tie(values, seed):
    found = fit("isotonic", *answers(300, seed=seed % 5), probability=True)
    mapped = [found(value) for value in sorted(values)]
    assert mapped == sorted(mapped)
    assert len(set(found.probabilities)) < len(found.signals)  # level stretches: what was apart is tied


@every_kind
def test_a_map_is_plain_numbers(kind):
    found = fit(kind, *answers(400), probability=True)
    text = json.dumps(found.to_json(), allow_nan=False)
    again = Recalibration.from_json(json.loads(text))
    assert again == found
    assert [again(v) for v in (0, 0.3, 1)] == [found(v) for v in (0, 0.3, 1)]


@every_kind
def test_one_class_has_no_map(kind):
    assert fit(kind, [0.5] * 100, [True] * 100, probability=True) is None
    assert fit(kind, [0.5] * 100, [False] * 100, probability=True) is None
    assert fit(kind, [], [], probability=True) is None


@every_kind
def test_too_few_answers_are_said(kind):
    with pytest.raises(DataError, match=r"9 right and 40 wrong(.|\n)*data\.calibration"):
        fit(kind, [0.5] * 49, [True] * 9 + [False] * 40, probability=True)


def test_isotonic_needs_more_and_names_what_does_with_less():
    values, right = answers(60)
    with pytest.raises(DataError, match=r"50 right and 50 wrong(.|\n)*--recalibrate platt"):
        fit("isotonic", values, right, probability=True)
    assert fit("platt", values, right, probability=True) is not None


def test_a_temperature_needs_a_probability_and_a_line_does_not():
    values, right = answers(500)
    counts = [10 * value for value in values]
    with pytest.raises(ConfigError, match="platt or isotonic"):
        fit("temperature", counts, right, probability=False)
    found = fit("platt", counts, right, probability=False)
    assert not found.log_odds
    assert 0 < found(0) < found(10) < 1


@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_a_signal_that_falls_is_refused(kind):
    values, right = answers(500)
    with pytest.raises(DataError, match="no rising map"):
        fit(kind, [1 - value for value in values], right, probability=True)


def test_the_lowest_cross_validated_loss_is_a_sensible_choice():
    shifted = cross_validated(*answers(2000, slope=0.5, bias=1.5), probability=True)
    assert min(shifted, key=shifted.get) == "platt"  # a temperature has no bias, steps have too many
    assert set(cross_validated(*answers(60), probability=True)) == {"temperature", "platt"}
    assert set(cross_validated(*answers(300), probability=False)) == {"platt", "isotonic"}
    assert cross_validated([0.5] * 10, [True] * 10, probability=True) == {}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp("runs") / "run", people=600)
    with RunFolder(folder).config.open("a", encoding="utf-8") as config:
        config.write("evaluation: {resamples: 50}\n")
    return folder


@pytest.fixture
def run(made):
    card = RunFolder(made).model("r-tuning") / "demur.json"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text("{}", "utf-8")
    return made


@pytest.mark.parametrize("kind", [*KINDS, "choose"])
def test_a_run_is_recalibrated_and_its_promise_stays(run, kind):
    plain = calibrate_run(run, max_error=0.3, signal="likelihood")
    found = calibrate_run(run, max_error=0.3, signal="likelihood", recalibrate=kind)
    assert found["guarantees"] == plain["guarantees"]
    assert found["test"] == plain["test"]
    fitted = found["recalibration"]
    assert fitted["kind"] in KINDS
    cells = fitted["test"]["id"]["brier"]
    assert cells["difference"]["value"] == pytest.approx(cells["after"]["value"] - cells["before"]["value"])
    assert cells["difference"]["low"] <= cells["difference"]["value"] <= cells["difference"]["high"]
    if fitted["kind"] != "isotonic":
        auroc = fitted["test"]["id"]["auroc"]
        assert auroc["after"]["value"] == pytest.approx(auroc["before"]["value"], abs=1e-12)
    card = json.loads((RunFolder(run).model("r-tuning") / "demur.json").read_text("utf-8"))
    again = Recalibration.from_json(card["recalibration"]["map"])
    threshold = found["guarantees"]["all"]["threshold"]
    assert again(threshold) == fitted["thresholds"]["all"]
    assert json.loads((run / "guarantee.json").read_text("utf-8")) == found
    calibrate_run(run, max_error=0.3)
    assert "recalibration" not in json.loads(
        (RunFolder(run).model("r-tuning") / "demur.json").read_text("utf-8")
    )


def changed(folder, tmp_path, change):
    """A copy of a run whose r-tuning predictions are changed by question."""
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    questions = {question.id: question for question in read_parquet(RunFolder(other).questions, Question)}
    path = RunFolder(other).predictions("r-tuning")
    rows = [change(questions[row.question_id], row) for row in read_parquet(path, Prediction)]
    write_parquet(path, rows, Prediction)
    return other


def replaced(row, **values):
    return Prediction(**{**{name: getattr(row, name) for name in row.__slots__}, **values})


def test_no_test_answer_takes_part_in_the_map(run, tmp_path):
    other = changed(
        run,
        tmp_path,
        lambda question, row: (
            row if question.split == "calibration" else replaced(row, verdict=Verdict.WRONG)
        ),
    )
    maps = [
        calibrate_run(folder, signal="likelihood", recalibrate="choose")["recalibration"]
        for folder in (run, other)
    ]
    assert maps[0]["map"] == maps[1]["map"]
    assert maps[0]["log_loss"] == maps[1]["log_loss"]
    assert maps[0]["test"] != maps[1]["test"]


def test_calibration_answers_of_one_kind_leave_it_undefined(run, tmp_path):
    other = changed(run, tmp_path, lambda _, row: replaced(row, verdict=Verdict.CORRECT))
    found = calibrate_run(other, recalibrate="platt")["recalibration"]
    assert found["map"] is None
    assert "only right ones" in found["sentences"][0]
    card = json.loads((RunFolder(other).model("r-tuning") / "demur.json").read_text("utf-8"))
    assert card["recalibration"]["map"] is None


def test_what_counts_reads_is_no_probability(run):
    with pytest.raises(ConfigError, match="platt or isotonic"):
        calibrate_run(run, system="familiarity-only", recalibrate="temperature")
    found = calibrate_run(run, system="familiarity-only", recalibrate="platt")["recalibration"]
    assert found["map"]["log_odds"] is False


def test_the_command_shows_before_and_after(run):
    arguments = ["calibrate", str(run), "--signal", "likelihood", "--max-error", "0.3", "--recalibrate"]
    said = CliRunner().invoke(app, [*arguments, "platt"]).stdout
    assert "id: ECE 0." in said
    assert " → 0." in said
    assert "takes no part in it" in said
    assert json.loads(CliRunner().invoke(app, [*arguments, "isotonic", "--json"]).stdout)["recalibration"]
    with pytest.raises(UnknownNameError, match="did you mean 'temperature'"):
        calibrate_run(run, recalibrate="temprature")


# A learned signal was weighed on the calibration split, so its promise must not be tested on the same rows.


def weighed(_, row):
    signals = row.signals
    return replaced(row, signals={**signals, "learned": (signals["sure"] + signals["likelihood"]) / 2})


def test_a_learned_signal_is_weighed_and_promised_on_different_questions(run, tmp_path):
    other = changed(run, tmp_path, weighed)
    found = calibrate_run(other, max_error=0.3, signal="learned")
    total = sum(q.split == "calibration" for q in read_parquet(RunFolder(other).questions, Question))
    assert found["guarantees"]["all"]["n"] == total - total // 2
    assert set(found["combination"]["weights"]) == {"sure", "likelihood"}
    assert found["combination"]["n"] <= total // 2
    assert any("weighed anew" in sentence for sentence in found["sentences"])
    card = json.loads((RunFolder(other).model("r-tuning") / "demur.json").read_text("utf-8"))
    assert card["guarantee"]["combination"] == found["combination"]


def test_a_learned_reading_finds_the_signals_of_its_method(run, tmp_path):
    other = changed(run, tmp_path, lambda _, row: row)
    folder = RunFolder(other)
    rows = [
        replaced(weighed(None, row), system="r-tuning-learned")
        for row in read_parquet(folder.predictions("r-tuning"), Prediction)
    ]
    only = [replaced(row, signals={"learned": row.signals["learned"]}) for row in rows]
    write_parquet(folder.predictions("r-tuning-learned"), only, Prediction)
    manifest = json.loads(folder.manifest.read_text("utf-8"))
    manifest["systems"]["r-tuning-learned"] = {"primary_signal": "learned"}
    folder.manifest.write_text(json.dumps(manifest), "utf-8")
    found = calibrate_run(other, max_error=0.3, system="r-tuning-learned")
    assert found["combination"]["weights"].keys() == {"sure", "likelihood"}


def test_too_small_a_half_is_said(run, tmp_path):
    keep = iter(range(10**9))
    other = changed(
        run,
        tmp_path,
        lambda question, row: (
            weighed(None, row)
            if question.split != "calibration" or next(keep) < 8
            else replaced(weighed(None, row), verdict=Verdict.UNSCORED)
        ),
    )
    with pytest.raises(DataError, match=r"half of the calibration(.|\n)*data\.calibration"):
        calibrate_run(other, signal="learned")
