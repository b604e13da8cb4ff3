"""From effects over seeds to a verdict, and the catalogue's own order."""

import numpy as np
import pytest
from scipy import stats

from demur.claims import CLAIMS, judge_claims
from demur.claims.base import Claim
from demur.claims.catalogue_runs import RUNS
from demur.claims.lab import config_of
from demur.claims.page import markdown


def claim(kind="more", margin=0.02, name="c", by_construction=""):
    return Claim(
        name=name,
        text="t",
        source="s",
        effect=lambda _: None,
        unit="u",
        margin=margin,
        kind=kind,
        by_construction=by_construction,
    )


def judged(item, effects):
    return judge_claims([item], {item.name: effects})[item.name]


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
        ([0.5, None], "undecided"),  # one seed decides nothing
        ([0.5], "undecided"),
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
    claims = [claim(name=str(number)) for number in range(5)]
    nothing = [0.03, -0.03, 0.04, -0.03, -0.01]
    found = judge_claims(claims, {item.name: nothing for item in claims} | {"0": effects})
    assert found["0"].p < 0.05 / 2
    assert found["0"].corrected == pytest.approx(5 * found["0"].p)
    assert found["0"].verdict == "undecided"


def test_what_cannot_fail_is_shown_and_neither_tested_nor_counted():
    never, open_claim = claim(name="never", by_construction="it cannot."), claim(name="open")
    effects = [0.09, 0.11, 0.10]
    found = judge_claims([never, open_claim], {"never": effects, "open": effects})
    assert (found["never"].verdict, found["never"].p, found["never"].power) == (
        "by construction",
        None,
        None,
    )
    assert found["never"].low < found["never"].mean
    assert found["open"].corrected == found["open"].p, "it takes nothing from the others"


@pytest.mark.parametrize("run", RUNS)
def test_every_run_of_the_catalogue_is_a_configuration(run, tmp_path):
    config = config_of(run, 1, tmp_path)
    assert config.seed == 1
    assert config.method in config.systems


def test_the_page_has_a_row_for_every_claim_and_leads_with_what_demur_falls_short_of():
    findings = judge_claims([*CLAIMS.values()], {name: [-0.1, -0.11, -0.12] for name in CLAIMS})
    page = markdown(findings, seeds=[0, 1, 2], command="demur claims", minutes=None)
    assert all(f"`{name}`" in page for name in CLAIMS)
    assert page.index("not shown to be reached") < page.index("## R-Tuning")


def test_a_claim_whose_runs_were_not_made_is_not_measured(tmp_path):
    from demur.claims.claims import check_claims

    findings = check_claims(tmp_path, [0, 1], quick=True)
    assert {finding.verdict for finding in findings.values()} == {"not measured"}
    assert {name for name, claim in CLAIMS.items() if not claim.quick}.isdisjoint(findings)
