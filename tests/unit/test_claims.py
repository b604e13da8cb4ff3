"""From effects over seeds to a verdict, and the catalogue's own order."""

import dataclasses
import json
import math

import numpy as np
import pytest
from reporting_run import make_small_run
from scipy import stats
from typer.testing import CliRunner

from demur.claims import CLAIMS, judge_claims
from demur.claims.base import Claim, Measured, spread
from demur.claims.catalogue import GROUPS, claims_of, places_of
from demur.claims.cells import Cell, measured, path_of, read, settings_digest, write
from demur.claims.claims import Proof, as_json_values, check_claims, kept_cells, make_cells
from demur.claims.lab import Lab, NotMadeError, Run, _cut
from demur.claims.page import markdown
from demur.claims.picture import file_of, picture
from demur.claims.places import DEVELOPMENT, FIRST_SEED, PLACES
from demur.cli.main import app
from demur.core.errors import RunFolderError
from demur.pipeline.study import Outcome
from demur.runfolder.finished import FinishedRun


def claim(kind="more", margin=0.02, name="c", by_construction=""):
    return Claim(
        name=name,
        text="t",
        source="s",
        effect=lambda _: np.array([math.nan]),
        unit="u",
        margin=margin,
        kind=kind,
        by_construction=by_construction,
    )


def of(effects, groups=0):
    """Effects of seeds without draws of groups."""
    return Measured(tuple(np.array([math.nan if e is None else e]) for e in effects), groups)


def judged(item, effects):
    return judge_claims({item.name: item}, {(item.name, "here"): of(effects)})[item.name, "here"]


def test_a_claim_holds_where_its_effect_is_clearly_above_zero():
    # mean .10, sd .01, half width t(4) .01 / sqrt(5) = 2.7764 x .004472 = .012416; t = 22.36
    found = judged(claim(), [0.09, 0.11, 0.09, 0.11, 0.10])
    assert found.verdict == "holds"
    assert found.mean == pytest.approx(0.10)
    assert found.low == pytest.approx(0.10 - 0.012416, abs=1e-5)
    assert found.p == pytest.approx(2 * stats.t.sf(0.10 / 0.0044721, 4), rel=1e-3)
    assert found.corrected == found.p, "there is no other claim"


def test_power_is_how_often_so_many_seeds_would_find_what_matters():
    effects = np.array([0.09, 0.12, 0.06, 0.13, 0.10])
    power = judged(claim(margin=0.04), effects).power
    drawn = np.random.default_rng(0).normal(0.04, effects.std(ddof=1), size=(20_000, 5))
    found = stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05
    assert power == pytest.approx(found.mean(), abs=0.01)
    assert 0.3 < power < 0.8


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([0.0, 0.001, -0.001, 0.0], "smaller than matters"),
        ([0.009, 0.010, 0.011, 0.010], "smaller than matters"),  # above zero, and of no use
        ([-0.009, -0.010, -0.011, -0.010], "smaller than matters"),
        ([-0.3, -0.31, -0.29], "does not hold"),
        ([-0.03, -0.01, -0.02, -0.02, -0.01], "does not hold"),  # from -.028: it may be lost
        ([0.2, -0.1, 0.05], "undecided"),
        ([0.05, 0.02, 0.01], "undecided"),  # p .15
        ([0.0, 0.0, 0.0], "smaller than matters"),
        ([0.5, 0.5, 0.5], "holds"),
        ([0.5, 0.5], "undecided"),  # two seeds may agree by chance
        ([0.09, 0.11, 0.10, float("nan")], "holds"),
        ([0.5, None], "one seed"),
        ([0.5], "one seed"),
        ([], "not measured"),
        ([None, None], "not measured"),
    ],
)
def test_a_claim_of_more(effects, verdict):
    assert judged(claim(), effects).verdict == verdict


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([-0.01, -0.011, -0.009], "holds"),
        ([0.0, 0.0, 0.0], "holds"),
        ([-0.2, -0.21, -0.19], "does not hold"),
        ([0.1, -0.2, 0.05], "undecided"),
        ([-0.02, -0.02, -0.02], "undecided"),  # exactly on the border
        ([0.0, 0.0], "undecided"),
        ([None], "not measured"),
    ],
)
def test_keeping_is_judged_against_the_loss_that_matters(effects, verdict):
    assert judged(claim("kept"), effects).verdict == verdict


def test_a_target_is_reached_however_little_it_is_surpassed():
    assert judged(claim("reached", margin=0.01), [0.004, 0.005, 0.006]).verdict == "holds"
    assert judged(claim("reached", margin=0.01), [-0.004, -0.005, -0.006]).verdict == "does not hold"
    assert judged(claim("reached", margin=0.01), [0.004, -0.005, 0.002]).verdict == "undecided"


def test_many_claims_are_corrected_together():
    effects = [0.02, 0.10, 0.05, 0.07, 0.04]  # t = 4.1, p = .015
    assert judged(claim(), effects).verdict == "holds"
    claims = {str(number): claim(name=str(number)) for number in range(5)}
    nothing = [0.03, -0.03, 0.04, -0.03, -0.01]
    found = judge_claims(
        claims, {(name, "here"): of(nothing) for name in claims} | {("0", "here"): of(effects)}
    )
    assert found["0", "here"].p < 0.05 / 2
    assert found["0", "here"].corrected == pytest.approx(5 * found["0", "here"].p)
    assert found["0", "here"].verdict == "undecided"


def test_places_are_corrected_together():
    effects = [0.02, 0.10, 0.05, 0.07, 0.04]
    places = [f"place {number}" for number in range(5)]
    found = judge_claims({"c": claim()}, {("c", place): of(effects) for place in places})
    assert {finding.verdict for finding in found.values()} == {"undecided"}


def test_what_cannot_fail_is_shown_and_neither_tested_nor_counted():
    never, open_claim = claim(name="never", by_construction="it cannot."), claim(name="open")
    effects = of([0.09, 0.11, 0.10])
    claims = {"never": never, "open": open_claim}
    found = judge_claims(claims, {("never", "here"): effects, ("open", "here"): effects})
    first, second = found.values()
    assert (first.verdict, first.p, first.power) == ("by construction", None, None)
    assert first.low < first.mean
    assert second.corrected == second.p, "it takes nothing from the others"


# -- seeds and groups ------------------------------------------------------------------------------


def test_the_spread_adds_that_of_seeds_and_that_of_groups():
    # seeds .1 and .3: variance of their mean .02 / 2 = .01. The mean of the draws is .1, .3, .2:
    # variance .01, times 5 / 4 for five groups = .0125.
    seeds = [np.array([0.1, 0.0, 0.4, 0.1]), np.array([0.3, 0.2, 0.2, 0.3])]
    found = spread(seeds, 5)
    assert found.error == pytest.approx(math.sqrt(0.01 + 0.0125))
    assert found.freedom == pytest.approx(0.0225**2 / (0.0125**2 / 4 + 0.01**2 / 1))


def test_without_draws_the_spread_is_that_of_the_seeds():
    assert spread([np.array([0.1]), np.array([0.3])], 0) == spread([np.array([0.1]), np.array([0.3])], 7)
    assert spread([np.array([0.1]), np.array([0.3])], 0).error == pytest.approx(0.1)


def test_an_effect_that_few_draws_have_gets_no_interval():
    seeds = tuple(np.array([0.1, *[math.nan] * 5, *[0.1] * 5]) for _ in range(3))
    found = judge_claims({"c": claim()}, {("c", "here"): Measured(seeds, 9)})["c", "here"]
    assert (found.mean, found.low, found.verdict) == (pytest.approx(0.1), None, "undecided")


def test_one_group_has_no_spread():
    seeds = tuple(np.array([0.1, 0.1, 0.2]) for _ in range(3))
    found = judge_claims({"c": claim()}, {("c", "here"): Measured(seeds, 1)})["c", "here"]
    assert (found.mean, found.low, found.verdict) == (pytest.approx(0.1), None, "undecided")


@pytest.mark.parametrize(("groups", "tuning"), [(15, 0.0), (200, 0.07), (200, 0.3)])
def test_intervals_of_three_seeds_hold_the_truth(groups, tuning):
    """Each seed asks 4 of 5 groups of a pool, tunes anew, and tuning changes each group by chance too."""
    rng = np.random.default_rng(0)

    def holds():
        pool = rng.normal(0, 1, groups)
        weights = np.concatenate([np.ones((1, groups)), rng.poisson(1.0, (100, groups))])
        seeds = []
        for _ in range(3):
            asked = rng.choice(groups, groups * 4 // 5, replace=False)
            values = pool[asked] + rng.normal(0, 0.5, len(asked)) + rng.normal(0, tuning)
            seeds.append(weights[:, asked] @ values / weights[:, asked].sum(axis=1))
        found = spread(seeds, groups * 4 // 5)
        half = stats.t.ppf(0.975, found.freedom) * found.error
        return abs(np.mean([figure[0] for figure in seeds])) <= half

    assert np.mean([holds() for _ in range(300)]) > 0.9


# -- figures of a run ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = make_small_run(tmp_path_factory.mktemp("runs") / "small")
    return Run(FinishedRun.open(folder), draws=20)


def in_domain(question):
    return question.split == "test" and question.domain == "id"


def test_a_figure_is_the_runs_own_value_and_one_for_each_draw(run):
    for system in ("base", "r-tuning"):
        for metric in ("accuracy", "ap", "auroc", "coverage", "refusal_rate", "effective_reliability"):
            figure = run.measure(system, metric, in_domain)
            assert figure.shape == (21,)
            expected = run.files.metrics["metrics"][system]["id"][metric]["value"]
            assert figure[0] == pytest.approx(expected), (system, metric)
    # 6 of 10 are answered, 4 of them right: (4 - 2) / 10
    assert run.measure("r-tuning", "effective_reliability", in_domain)[0] == pytest.approx(0.2)


def test_draws_are_of_whole_groups_and_alike_in_every_system(run):
    first, second = (run.measure(system, "coverage", in_domain) for system in ("base", "r-tuning"))
    assert first.shape == second.shape
    everything = run.measure("base", "accuracy", in_domain) - run.measure("base", "accuracy", in_domain)
    assert not everything.any()


def test_a_figure_of_no_question_is_undefined(run):
    assert np.isnan(run.measure("base", "accuracy", lambda _: False)).all()
    assert np.isnan(run.mean({}, in_domain)).all()


def test_a_system_that_the_run_lacks_was_not_made(run):
    with pytest.raises(NotMadeError):
        run.measure("elsewhere", "accuracy", in_domain)


def test_a_threshold_has_the_most_right_minus_wrong_above_it(run, monkeypatch):
    monkeypatch.setattr("demur.claims.lab.calibration", in_domain)
    # by likelihood: right at .9 .8 .7 .6 .9, wrong below; all five right ones are at .6 or above
    assert run.threshold("base", ["likelihood"]) == ("likelihood", 0.6)
    # by sure of the tuned model: c.9 c.9 c.8 w.7 c.6 w.6 ...: the three first, +3, later at most +2
    assert run.threshold("r-tuning", ["sure"]) == ("sure", 0.8)
    # by its likelihood: c.9 w.9 c.8 c.7 c.6 c.5: +4
    assert run.threshold("r-tuning", ["sure", "likelihood", "absent"]) == ("likelihood", 0.5)


def test_a_system_without_any_of_the_signals_was_not_made_for_it(run, monkeypatch):
    monkeypatch.setattr("demur.claims.lab.calibration", in_domain)
    with pytest.raises(NotMadeError):
        run.threshold("base", ["absent"])


def test_where_declining_all_is_best_the_threshold_is_out_of_reach():
    assert _cut([(0.9, False), (0.1, True)]) == (0, math.inf)
    assert _cut([]) == (0, math.inf)
    assert _cut([(0.9, True), (0.9, False), (0.1, True)]) == (1, 0.1)  # a tie is answered or declined whole


def test_a_truth_takes_the_place_of_the_verdicts(run):
    right = {question.id: n < 2 for n, question in enumerate(run.questions)}
    # likelihoods .9 .8 of right ones; of the 16 pairs one ties and one is lost, with the other .9
    assert run.measure("base", "auroc", in_domain, right=right)[0] == pytest.approx((16 - 1.5) / 16)
    half = {key: value for n, (key, value) in enumerate(right.items()) if n < 4}
    assert run.measure("base", "auroc", in_domain, right=half)[0] == 1


def test_what_is_declined_can_be_said_anew(run):
    all_of_them = {question.id: True for question in run.questions}
    assert run.measure("base", "coverage", in_domain, declined=all_of_them)[0] == 0
    assert run.measure("base", "effective_reliability", in_domain, declined=all_of_them)[0] == 0


# -- places, cells, page ---------------------------------------------------------------------------


def test_no_claim_is_tested_on_the_development_seed():
    proof = Proof(places=[*PLACES.values()], seeds=None, out=None, kept=None)
    for place in PLACES.values():
        assert DEVELOPMENT not in proof.seeds_of(place)
        assert min(proof.seeds_of(place)) == FIRST_SEED


def test_every_claim_has_a_place_and_every_lab_a_main_comparison():
    assert all(places_of(claim) for claim in CLAIMS.values())
    assert len(CLAIMS) == sum(len(claims) for claims in GROUPS.values()), "names are their own"
    for place in PLACES.values():
        assert any(claim.primary for claim in claims_of(place))


def made(place, seed, effects):
    return Cell(
        place=place.name,
        seed=seed,
        settings=settings_digest(place),
        demur="0",
        made="2026-01-01",
        hardware="2 cores",
        minutes={"open": 1.0},
        groups=30,
        figures={"base": {"id": {"accuracy": 0.5, "ap": None}}},
        effects=effects,
    )


def test_a_cell_is_read_as_it_was_written(tmp_path):
    place = PLACES["smollm2-atlas"]
    cell = made(place, 101, {"a": [0.1, None, -0.25], "b": [None]})
    write(cell, path_of(tmp_path, place, 101))
    assert read(path_of(tmp_path, place, 101), place) == cell
    assert json.loads(path_of(tmp_path, place, 101).read_text())["schema_version"] == 1


def test_a_cell_of_other_settings_is_not_taken(tmp_path):
    place = PLACES["smollm2-atlas"]
    path = path_of(tmp_path, place, 101)
    write(dataclasses.replace(made(place, 101, {}), settings="other"), path)
    assert read(path, place) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 1, "x": 2}'])
def test_a_damaged_cell_is_named(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(RunFolderError, match=r"x\.json"):
        read(path, PLACES["pocket"])


def test_effects_that_a_cell_lacks_are_left_out():
    place = PLACES["smollm2-atlas"]
    item = claim(name="a")
    found = measured(item, [made(place, 101, {"a": [0.1, 0.2]}), made(place, 102, {})])
    assert [list(figure) for figure in found.seeds] == [[0.1, 0.2]]
    assert found.groups == 30


def test_effects_that_are_computed_otherwise_now_count_no_more():
    place = PLACES["smollm2-atlas"]
    cell = made(place, 101, {"a": [0.1, 0.2]})
    assert measured(dataclasses.replace(claim(name="a"), revision=2), [cell]).seeds == ()


def all_made(tmp_path):
    for place in PLACES.values():
        contextual = {"all": {}} if place.contextual else made(place, 0, {}).figures
        for seed in range(FIRST_SEED, FIRST_SEED + place.seeds):
            effects = {c.name: [-0.1 - seed / 1e4, -0.1, -0.12, -0.11] for c in claims_of(place)}
            cell = dataclasses.replace(made(place, seed, effects), figures=contextual)
            write(cell, path_of(tmp_path, place, seed))
    return kept_cells(Proof(places=[*PLACES.values()], seeds=None, out=tmp_path, kept=tmp_path))


def test_the_page_has_a_row_for_every_claim_at_every_place(tmp_path):
    kept = all_made(tmp_path)
    findings = check_claims(kept)
    page = markdown(findings, kept, command="demur claims")
    assert all(f"`{name}`" in page for name in CLAIMS)
    assert len(findings) == sum(len(places_of(claim)) for claim in CLAIMS.values())
    for group, claims in GROUPS.items():
        assert file_of(group) in page
        drawn = picture(group, claims, findings)
        assert drawn.count("<circle") >= len(claims)
        assert '"nan"' not in drawn
    assert json.loads(json.dumps(as_json_values(findings)))["schema_version"] == 2


def test_without_any_cell_there_is_nothing_to_judge(tmp_path):
    kept = kept_cells(Proof(places=[*PLACES.values()], seeds=2, out=tmp_path, kept=tmp_path))
    assert kept == {}
    assert check_claims(kept) == {}


def test_a_run_that_was_not_made_is_named(tmp_path):
    with pytest.raises(NotMadeError):
        Lab(PLACES["pocket"], 101, tmp_path).run()


@pytest.mark.parametrize(("codes", "measured_cells"), [((0, 0, 0), 1), ((0, 1, 0), 0)])
def test_a_cell_is_measured_once_and_only_where_all_of_its_runs_succeeded(
    tmp_path, monkeypatch, codes, measured_cells
):
    """Metrics that are on disk already, perhaps of other settings, do not count."""
    place, asked = PLACES["pocket"], []

    def run_jobs(todo, *, ended, **_):
        outcomes = [Outcome(job, code, 0.0) for job, code in zip(todo, codes, strict=True)]
        for outcome in outcomes:
            ended(outcome)
        return outcomes

    def measure(lab):
        asked.append(lab.seed)
        return made(place, lab.seed, {})

    monkeypatch.setattr("demur.claims.claims.run_jobs", run_jobs)
    monkeypatch.setattr("demur.claims.cells.measure", measure)
    for name in place.runs:
        folder = tmp_path / "pocket" / f"seed-{FIRST_SEED}" / name
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text("{}")
    proof = Proof(places=[place], seeds=1, out=tmp_path, kept=tmp_path / "cells")
    make_cells(proof, jobs=1, note=lambda _: None)
    assert len(asked) == measured_cells
    assert (proof.cell(place, FIRST_SEED) is not None) is bool(measured_cells)


# -- the command -----------------------------------------------------------------------------------


def test_the_command_judges_cells_without_any_run(tmp_path):
    all_made(tmp_path / "cells")
    folders = {"--out": "runs", "--cells": "cells", "--page": "page/claims.md"}
    given = [part for name, path in folders.items() for part in (name, str(tmp_path / path))]
    shown = CliRunner().invoke(app, ["claims", "--no-runs", "--json", *given])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)["claims"]
    assert {row["place"] for row in found} == {*PLACES}
    assert (tmp_path / "page" / "claims-r-tuning.svg").is_file()
    assert not [*(tmp_path / "runs").glob("*/seed-*")], "nothing was run"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--place", "smollm2-atlas"], "demur atlas build"),
        (["--lab", "real"], "--data pararel:PATH"),
        (["--place", "smolm2-atlas"], "smollm2-atlas"),
        (["--data", "atlas"], "DATASET:PATH"),
        (["--no-runs"], "--cells"),
    ],
)
def test_the_command_says_what_it_lacks(tmp_path, given, said):
    shown = CliRunner().invoke(app, ["claims", "--out", str(tmp_path), *given])
    assert shown.exit_code != 0
    assert said in str(shown.exception) + shown.output
