"""A threshold with a promise: exact at the edges, kept in simulation, honest where it cannot be given."""

import json

import numpy as np
import pytest
from reporting_run import make_run
from typer.testing import CliRunner

from demur.calibrate.calibrate import calibrate_run
from demur.cli.main import app
from demur.cli.output import paragraphs
from demur.confidence.threshold import _Sorted, _Test, find_threshold
from demur.core.errors import ConfigError, DataError, RunFolderError, UnknownNameError
from demur.core.records import Prediction, Question, read_parquet, write_parquet
from demur.runfolder.folder import RunFolder


def rows(n, *, errors=0, level=0.9):
    wrong = np.zeros(n, bool)
    wrong[:errors] = True
    return np.full(n, level), wrong


def test_the_p_value_is_the_exact_binomial_one():
    # 3 errors of 100 where a tenth is allowed: P(Bin(100, .1) <= 3), published as .007836
    found = _Test(0.1, "selective").p_values(_Sorted.of(*rows(100, errors=3)), np.array([0.9]))[0]
    assert found == pytest.approx(0.007836, abs=1e-6)


def test_errorless_answers_need_59_of_them():
    # .95^59 = .0485 and .95^58 = .0510; a fifth of the rows is the pilot: 74 leave 59, 73 leave 58.
    assert find_threshold(*rows(74)).threshold == 0.9
    missed = find_threshold(*rows(73))
    assert missed.threshold is None
    assert missed.reason == "too few calibration questions"
    assert missed.needed > 73


def test_what_cannot_be_promised_says_why():
    assert find_threshold(*rows(500, errors=500)).reason == "no threshold leaves an error rate below 0.05"
    declined = find_threshold(np.full(50, -np.inf), np.zeros(50, bool))
    assert (declined.threshold, declined.reason) == (None, "nothing is answered")
    assert find_threshold(np.zeros(0), np.zeros(0, bool)).threshold is None
    one = find_threshold(*rows(1))
    assert one.threshold is None
    assert one.needed > 1


@pytest.mark.parametrize(("error", "confidence"), [(0, 0.95), (1, 0.95), (0.05, 0), (0.05, 1.5)])
def test_shares_lie_between_0_and_1(error, confidence):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        find_threshold(*rows(10), max_error=error, confidence=confidence)


def pool(rng, n=40_000):
    """Answers whose chance of being right rises with the confidence."""
    signal = rng.beta(2, 1, n)
    return signal, rng.random(n) > 1 / (1 + np.exp(-(signal - 0.45) * 12))


def test_the_promise_is_kept_and_does_not_give_everything_away():
    rng = np.random.default_rng(0)
    signal, wrong = pool(rng)
    falling = np.argsort(-signal)
    allowed = np.flatnonzero(np.cumsum(wrong[falling]) / np.arange(1, len(signal) + 1) <= 0.05)
    best = (allowed.max() + 1) / len(signal)
    broken, coverage = 0, []
    for seed in range(200):
        drawn = rng.integers(0, len(signal), 1500)
        found = find_threshold(signal[drawn], wrong[drawn], seed=seed)
        answered = signal >= (np.inf if found.threshold is None else found.threshold)
        broken += answered.any() and wrong[answered].mean() > 0.05
        coverage.append(answered.mean())
    assert broken <= 18  # P(Bin(200, .05) > 18) = .006
    assert np.mean(coverage) > 0.85 * best


def test_joint_risk_counts_all_questions():
    rng = np.random.default_rng(1)
    signal, wrong = pool(rng, 4000)
    selective = find_threshold(signal, wrong)
    joint = find_threshold(signal, wrong, risk="joint")
    assert joint.coverage > selective.coverage  # declining makes up for errors
    assert joint.error <= 0.05


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", people=600)


def test_a_run_gets_its_guarantee(run):
    found = calibrate_run(run, max_error=0.3, system="base")
    assert found["signal"] == "likelihood"
    assert json.loads((run / "guarantee.json").read_text(encoding="utf-8")) == found
    item = found["guarantees"]["all"]
    questions = read_parquet(RunFolder(run).questions, Question)
    assert item["n"] == sum(q.split == "calibration" for q in questions)
    assert item["threshold"] is not None
    shown = found["test"]["id"]
    assert shown["n"] == sum(q.split == "test" and q.domain == "id" for q in questions)
    assert shown["low"] <= shown["error"] <= shown["high"]
    by_group = calibrate_run(run, max_error=0.3, system="base", by_group=True)["guarantees"]
    assert set(by_group) == {q.group for q in questions if q.split == "calibration"}
    assert sum(entry["n"] for entry in by_group.values()) == item["n"]


def test_the_command_writes_the_report_with_the_guarantee(run):
    done = CliRunner().invoke(app, ["calibrate", str(run), "--max-error", "0.3", "--system", "base"])
    assert done.exit_code == 0, done.output
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "What is promised" in page
    assert '"promise":{"limit":0.3' in page


def test_the_command_speaks_plainly(run):
    said = CliRunner().invoke(app, ["calibrate", str(run), "--max-error", "0.3", "--system", "base"]).stdout
    said = " ".join(said.split())
    assert "at most 30.0% of the answers are wrong, with a confidence of 95%" in said
    assert "On the test splits, base with this threshold" in said
    assert "drawn like the calibration ones" in said
    none = CliRunner().invoke(app, ["calibrate", str(run), "--max-error", "0.0001"]).stdout
    assert "o threshold can promise that" in none
    assert "No threshold was set. r-tuning keeps its own rule, without a promise." in none
    assert "this threshold" not in none


def test_the_command_keeps_to_the_width_of_the_terminal(run, monkeypatch):
    options = ["--max-error", "0.3", "--system", "base", "--recalibrate", "choose"]
    for columns, width in (("50", 50), (None, 80)):
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        done = CliRunner().invoke(app, ["calibrate", str(run), *options])
        assert done.exit_code == 0, done.output
        lines = done.stdout.splitlines()
        assert width - 15 < max(len(line) for line in lines) <= width
        assert any(line.startswith("  id: answers ") for line in lines)


def test_what_is_broken_off_stands_further_in():
    assert paragraphs(["one two", "", "  id: " + "word " * 20]).splitlines() == [
        "one two",
        "",
        "  id: " + "word " * 14 + "word",
        "    word word word word word",
    ]


def test_what_is_missing_is_named(run, tmp_path):
    with pytest.raises(UnknownNameError, match="--system"):
        calibrate_run(run, system="bass")
    with pytest.raises(UnknownNameError, match="--signal"):
        calibrate_run(run, signal="likelihod")
    with pytest.raises(RunFolderError, match=r"no metrics\.json"):
        calibrate_run(tmp_path)
    folder = RunFolder(run)
    moved = [
        Question(**{**{name: getattr(q, name) for name in q.__slots__}, "split": "test"})
        for q in read_parquet(folder.questions, Question)
    ]
    write_parquet(folder.questions, moved, Question)
    with pytest.raises(DataError, match=r"data\.calibration"):
        calibrate_run(run, system="base")


def signals_of(run, system="r-tuning"):
    rows = read_parquet(RunFolder(run).predictions(system), Prediction)
    return sorted({name for row in rows for name in row.signals} - {"learned"})


def test_several_signals_are_each_tested_at_a_corrected_level(run):
    """Two signals for a promise of 95 %: each at 97.5 %, and the one that answers most is taken."""
    names = signals_of(run)[:2]
    assert len(names) == 2
    found = calibrate_run(run, max_error=0.3, signals=names)
    chosen = found["selection"]
    assert (chosen["correction"], chosen["confidence_each"]) == ("bonferroni", pytest.approx(0.975))
    assert found["signal"] == max(chosen["tried"], key=chosen["tried"].get)
    assert found["guarantees"]["all"]["confidence"] == 0.95
    alone = calibrate_run(run, max_error=0.3, signal=found["signal"], confidence=0.975)
    assert alone["guarantees"]["all"]["threshold"] == found["guarantees"]["all"]["threshold"]


def test_one_signal_among_several_needs_no_correction(run):
    [name, *_] = signals_of(run)
    once = calibrate_run(run, max_error=0.3, signals=[name, name])
    assert once["selection"]["correction"] is None
    assert once["guarantees"] == calibrate_run(run, max_error=0.3, signal=name)["guarantees"]


def test_a_signal_chosen_by_hand_is_warned_of_and_stored(run):
    primary = calibrate_run(run, max_error=0.3)
    assert not primary["selection"]["by_hand"]
    other = next(name for name in signals_of(run) if name != primary["signal"])
    options = [str(run), "--max-error", "0.3"]
    said = CliRunner().invoke(app, ["calibrate", *options, "--signal", other])
    assert said.exit_code == 0, said.output
    assert "the promise is too strong" in said.stdout
    assert f"--signals {','.join(primary['selection']['offered'])}" in said.stdout
    assert "the promise is too strong" in (run / "report.html").read_text(encoding="utf-8")
    tried = CliRunner().invoke(app, ["calibrate", *options, "--signals", ",".join(signals_of(run))])
    assert tried.exit_code == 0, tried.output
    assert "the promise is too strong" not in tried.stdout
    assert "Chosen among" in (run / "report.html").read_text(encoding="utf-8")


def test_one_signal_and_several_are_too_many(run):
    with pytest.raises(ConfigError, match="--signal likelihood and --signals sure,likelihood"):
        calibrate_run(run, signal="likelihood", signals=["sure", "likelihood"])


def test_choosing_among_six_signals_keeps_the_promise():
    """Six signals of one quality, the best of which is taken: corrected, the promise holds."""
    rng = np.random.default_rng(3)
    ease = rng.standard_normal(20_000)
    wrong = rng.random(len(ease)) > 1 / (1 + np.exp(-1.4 - 1.8 * ease))
    signals = [ease + 0.3 * rng.standard_normal(len(ease)) for _ in range(6)]
    broken = 0
    for seed in range(40):
        drawn = rng.integers(0, len(ease), 300)
        found = [
            find_threshold(signal[drawn], wrong[drawn], confidence=1 - 0.05 / 6, seed=seed)
            for signal in signals
        ]
        best = max(range(6), key=lambda i: found[i].coverage or 0)
        threshold = found[best].threshold
        answered = signals[best] >= (np.inf if threshold is None else threshold)
        broken += bool(answered.any()) and wrong[answered].mean() > 0.05
    assert broken <= 6  # P(Bin(40, .05) > 6) = .003
